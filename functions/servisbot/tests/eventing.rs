//! What ServisBOT's eventing sends, and what it is answered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{WITH_KEY, connection, content, event, eventing, now, receive, secrets};
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_servisbot::{Servisbot, Settings, parse_event};
use trunkline_shared::inbound::{
    Call, Inbound, IntakeError, Received, Reply, Result as Came, Taken,
};
use trunkline_shared::model::{AuthorRole, Choice, Clue, EventBody, EventId, Mode, Recall};
use trunkline_shared::security::Denied;

const USER: &str = include_str!("../fixtures/user-message.json");
const BOT: &str = include_str!("../fixtures/bot-message.json");
const MARKUP: &str = include_str!("../fixtures/bot-markup.json");
const CLICK: &str = include_str!("../fixtures/user-click.json");
const DOCUMENTED: [(&str, &str); 3] = [
    ("message", include_str!("../fixtures/documented-message.json")),
    ("markup", include_str!("../fixtures/documented-markup.json")),
    ("markupInteraction", include_str!("../fixtures/documented-interaction.json")),
];

fn choice(id: &str, title: &str) -> Choice {
    Choice { id: id.into(), title: title.into() }
}

/// The event with members of its `message` set, or without those that are null.
fn changed(event: &str, change: &Value) -> String {
    let mut value: Value = serde_json::from_str(event).unwrap();
    let message = value["message"].as_object_mut().unwrap();
    for (name, member) in change.as_object().unwrap() {
        match member {
            Value::Null => drop(message.remove(name)),
            member => drop(message.insert(name.clone(), member.clone())),
        }
    }
    value.to_string()
}

fn refused(body: &str) -> String {
    match receive(&Servisbot::default(), "", WITH_KEY, body.as_bytes(), &eventing()) {
        Received::Unreadable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_that_names_nobody_has_a_clue() {
    let mut settings = eventing();
    assert_eq!(event(BOT, &settings).clue, None, "unless it is asked for");
    settings["join"] = json!("text");
    let nameless = changed(BOT, &json!({"customerReference": null}));
    assert_eq!(event(&nameless, &settings).clue, Some(Clue::Coming));
    assert_eq!(event(USER, &settings).clue, None, "this one says whose it is");
    let nameless = changed(USER, &json!({"customerReference": null}));
    let heard = event(&nameless, &settings);
    assert!(matches!(heard.clue, Some(Clue::Noted(_))), "{:?}", heard.clue);
    let again = changed(USER, &json!({"customerReference": null, "id": "another"}));
    assert_eq!(event(&again, &settings).clue, heard.clue, "by its text alone");
}

#[test]
fn a_bots_text_goes_on_to_the_customer() {
    let event = event(BOT, &eventing());
    assert_eq!(content(&event).text.as_deref(), Some("Let me check."));
    let id = ["acme", "5f2c1c7e-0a53-4c0b-9d0f-6a0c2f0d9e11", "message", "bOt0mSg01-"];
    let parts = [&["e"], &id[..], &["1767225600900"]].concat();
    assert_eq!(event.id, EventId::from_parts(&parts));
    assert_eq!(event.external_id.as_deref(), Some("bOt0mSg01-"));
    assert_eq!(event.conversation, "5f2c1c7e-0a53-4c0b-9d0f-6a0c2f0d9e11");
    assert_eq!(event.at.as_millisecond(), 1_767_225_600_900);
    assert_eq!((event.author.role, event.author.name), (AuthorRole::Bot, None));
}

#[test]
fn a_bots_buttons_are_choices() {
    let event = event(MARKUP, &eventing());
    let content = content(&event);
    assert_eq!(content.text.as_deref(), Some("Pick one"));
    assert_eq!(content.choices, [choice("0", "Track"), choice("1", "Refund")]);
}

#[test]
fn what_the_user_said_comes_back_and_is_only_kept() {
    for (body, kind) in [(USER, "message"), (CLICK, "markupInteraction")] {
        let event = event(body, &eventing());
        let raw = serde_json::from_str::<Value>(body).unwrap()["message"].clone();
        assert_eq!(event.body, EventBody::Opaque { said: false, name: kind.into(), raw });
        assert_eq!((event.author.role, event.external_id), (AuthorRole::Customer, None));
    }
    assert_eq!(event(USER, &eventing()).conversation, "hub-user-4711", "its customerReference");
}

#[test]
fn a_click_is_not_taken_for_a_repeat_of_what_was_clicked() {
    assert_ne!(event(MARKUP, &eventing()).id, event(CLICK, &eventing()).id);
    let again = changed(CLICK, &json!({"timestamp": 1_767_225_605_000_i64}));
    assert_ne!(event(&again, &eventing()).id, event(CLICK, &eventing()).id, "a second click");
    assert_eq!(event(CLICK, &eventing()).id, event(CLICK, &json!({})).id);
}

#[test]
fn the_vendors_own_examples() {
    for (kind, body) in DOCUMENTED {
        let kept = event(body, &json!({}));
        assert_eq!(kept.conversation, "391ab66c-d3c9-415d-87ce-9b9d92a9e754");
        let EventBody::Opaque { said: false, name, .. } = kept.body else { panic!("{kept:?}") };
        assert_eq!(name, kind);
    }
    let markup = event(DOCUMENTED[1].1, &eventing());
    assert_eq!(markup.at, "2023-05-08T15:53:42.398Z".parse().unwrap());
    let three = ["Option One", "Option Two", "Option Three"];
    let choices: Vec<_> =
        (0..).zip(three).map(|(i, title)| choice(&i.to_string(), title)).collect();
    assert_eq!((&content(&markup).text, &content(&markup).choices), (&None, &choices));
    let mut without: Value = serde_json::from_str(DOCUMENTED[1].1).unwrap();
    without["message"]["contents"].as_object_mut().unwrap().remove("markupObject");
    let by_xml = event(&without.to_string(), &eventing());
    assert_eq!(content(&by_xml), content(&markup), "XML and its object say the same");
}

#[test]
fn only_the_chosen_source_is_passed_on() {
    for body in [BOT, MARKUP] {
        let kept = event(body, &json!({"replies": "egress"})).body;
        assert!(matches!(kept, EventBody::Opaque { said: false, .. }), "{kept:?}");
    }
}

#[test]
fn what_is_said_in_an_unknown_form_is_kept_and_known_to_be_said() {
    let unknown = [
        json!({"contentType": "hologram"}),
        json!({"contents": {"message": " "}}),
        json!({"contents": "text"}),
        json!({"contentType": "markup", "contents": {"markup": "<TimelineMessage><StarRating/>"}}),
        json!({"contentType": "markup", "contents": {"markup": "<StarRating id='1'/>"}}),
    ];
    for change in unknown {
        let body = event(&changed(BOT, &change), &eventing()).body;
        assert!(matches!(body, EventBody::Opaque { said: true, .. }), "{body:?}");
    }
}

#[test]
fn whatever_may_be_missing_may_be_missing() {
    let bare = json!({"message": {"conversationId": 7, "to": "client", "contentType": "message",
                                  "contents": {"message": "x"}, "endpoint": 3, "timestamp": "soon"}});
    let event = event(&bare.to_string(), &eventing());
    assert_eq!((event.conversation.as_str(), event.at), ("7", now()));
    assert_eq!(content(&event).text.as_deref(), Some("x"));
    assert!(refused(&changed(BOT, &json!({"conversationId": null}))).contains("customerReference"));
    for bad in ["", "[]", "7", "{}", r#"{"message": "x"}"#, "{", "\u{feff}"] {
        refused(bad);
    }
}

#[test]
fn a_phrase_hands_over_where_one_is_set() {
    let settings = json!({"replies": "eventing", "handover_phrase": "#people"});
    let said =
        |text: &str| event(&changed(BOT, &json!({"contents": {"message": text}})), &settings);
    let handover = |reason: Option<&str>| EventBody::Handover {
        mode: Mode::Offer,
        reason: reason.map(Into::into),
        context: serde_json::Map::new(),
        recall: Recall::default(),
    };
    assert_eq!(said("#people").body, handover(None));
    assert_eq!(said(" #people  wants a refund ").body, handover(Some("wants a refund")));
    assert_eq!(content(&said("Type #people")).text.as_deref(), Some("Type #people"));
}

#[test]
fn an_api_key_in_the_header_that_is_set() {
    let denied = |headers: &[(&str, &str)], settings: &Value| match receive(
        &Servisbot::default(),
        "eventing",
        headers,
        USER.as_bytes(),
        settings,
    ) {
        Received::Events(_) => None,
        Received::Denied(why) => Some(why),
        other => panic!("{other:?}"),
    };
    let usual = json!({});
    for good in ["ApiKey eventing-key-51", "apikey  eventing-key-51 ", "ApiKey myApiKey"] {
        assert_eq!(denied(&[("authorization", good)], &usual), None, "{good}");
    }
    assert_eq!(denied(&[("authorization", "ApiKey no")], &usual), Some(Denied::Mismatch));
    for bad in ["Bearer eventing-key-51", "eventing-key-51", "ApiKey", ""] {
        let why = denied(&[("authorization", bad)], &usual);
        assert_eq!(why, Some(Denied::Header("authorization")), "{bad}");
    }
    assert_eq!(denied(&[], &usual), Some(Denied::Header("authorization")));
    let own = json!({"auth_header": "X-Api-Key"});
    assert_eq!(denied(&[("x-api-key", "eventing-key-51")], &own), None);
    assert_eq!(denied(&[("x-api-key", "ApiKey myApiKey")], &own), None);
    assert!(denied(WITH_KEY, &own).is_some());
    let without_url = json!({"auth": "jwks"});
    let token = [("authorization", "Bearer a.b.c")];
    assert_eq!(denied(&token, &without_url), Some(Denied::NoSecret));
}

fn reply(result: &Came<'_>) -> Reply {
    let (connection, secrets) = (connection("bot", &json!({})), secrets());
    Servisbot::default().reply(
        &Call {
            connection: &connection,
            secrets: &secrets,
            method: &Method::POST,
            path: "",
            query: "",
            headers: &HeaderMap::new(),
            body: b"",
            now: now(),
        },
        result,
    )
}

#[test]
fn the_answer_is_200_but_for_proof_that_is_wrong() {
    let taken = |duplicate| Ok(Taken { conversation: "c".into(), duplicate });
    let unknown = IntakeError::from(trunkline_shared::routing::Refusal::UnknownConversation);
    for result in [
        Came::Taken(&[taken(false)]),
        Came::Taken(&[taken(true)]),
        Came::Taken(&[Err(unknown)]),
        Came::Unreadable("no"),
        Came::TooLarge,
    ] {
        assert_eq!(reply(&result).status, StatusCode::OK, "{result:?}");
    }
    let denied = reply(&Came::Denied(&Denied::Mismatch));
    assert_eq!(
        (denied.status, denied.body.as_str()),
        (StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#)
    );
}

#[test]
fn only_posts_are_events() {
    let (connection, secrets) = (connection("bot", &json!({})), secrets());
    for (method, status) in [(Method::GET, 200), (Method::HEAD, 200), (Method::PUT, 405)] {
        let call = Call {
            connection: &connection,
            secrets: &secrets,
            method: &method,
            path: "",
            query: "",
            headers: &HeaderMap::new(),
            body: b"",
            now: now(),
        };
        let Received::Answered(reply) = Servisbot::default().receive(&call) else { panic!() };
        assert_eq!(reply.status.as_u16(), status);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}|<TimelineMessage>\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names =
            "[a-zA-Z#]{0,10}|attributes|children|content|message|markup|markupObject|context";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = receive(&Servisbot::default(), "", WITH_KEY, &body, &eventing());
    }

    #[test]
    fn no_header_makes_it_panic(value in "[ -~]{0,80}", auth in "api_key|jwt_secret|jwks") {
        let settings = json!({"auth": auth, "jwks_url": "https://keys.example.com"});
        let headers = [("authorization", value.trim())];
        let received = receive(&Servisbot::default(), "", &headers, USER.as_bytes(), &settings);
        let let_in = matches!(received, Received::Events(_));
        prop_assert!(!let_in);
    }

    #[test]
    fn no_value_of_a_known_member_makes_it_panic(
        members in prop::collection::btree_map(
            prop::sample::select(vec!["contents", "conversationId", "customerReference", "id", "to",
                "timestamp", "organization", "endpoint", "inputSource", "identity", "key"]),
            any_json(), 0..10),
        kind in "message|markup|markupInteraction",
    ) {
        let mut message = json!({"conversationId": "c", "to": "client", "contentType": kind});
        for (name, member) in members {
            message[name] = member;
        }
        let settings = serde_json::from_value::<Settings>(eventing()).unwrap();
        let _ = parse_event(&json!({"message": message}), &settings, now());
    }

    #[test]
    fn a_repeat_is_known_again_and_two_events_are_never_one(
        a in "[_A-Za-z0-9:-]{1,30}", b in "[_A-Za-z0-9:-]{1,30}", at in 0i64..4_000_000_000_000
    ) {
        let id = |id: &str, conversation: &str| {
            let change = json!({"id": id, "conversationId": conversation, "timestamp": at});
            event(&changed(BOT, &change), &eventing()).id
        };
        prop_assert_eq!(id(&a, &b), id(&a, &b));
        prop_assert_eq!(id(&a, &b) == id(&b, &a), a == b);
    }
}
