//! Calls of ServisBOT's eventing and the responses to them.

use crate::common::{
    WITH_KEY, connection, connection_id, content, event, eventing, events, now, parse_call, parsed,
    secrets,
};
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_core::model::{
    AuthorRole, Choice, ChoiceSource, CorrelationHint, EventBody, EventId, HandoverMode, Transcript,
};
use trunkline_runtime::inbound::{
    Call, CallOutcome, Inbound, InboundError, Ingested, ParsedCall, Reply,
};
use trunkline_runtime::security::AuthError;
use trunkline_servisbot::{Servisbot, Settings, parse_event};

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
    match parse_call(&Servisbot::default(), "", WITH_KEY, body.as_bytes(), &eventing()) {
        ParsedCall::Unreadable(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Shows S20.
#[test]
fn an_event_without_a_customer_has_a_correlation_hint() {
    let mut settings = eventing();
    assert_eq!(event(BOT, &settings).correlation_hint, None, "only with join: text");
    settings["join"] = json!("text");
    let nameless = changed(BOT, &json!({"customerReference": null}));
    assert_eq!(event(&nameless, &settings).correlation_hint, Some(CorrelationHint::Pending));
    assert_eq!(event(USER, &settings).correlation_hint, None, "the event names its customer");
    let nameless = changed(USER, &json!({"customerReference": null}));
    let first = event(&nameless, &settings);
    assert!(
        matches!(first.correlation_hint, Some(CorrelationHint::Key(_))),
        "{:?}",
        first.correlation_hint
    );
    let again = changed(USER, &json!({"customerReference": null, "id": "another"}));
    assert_eq!(
        event(&again, &settings).correlation_hint,
        first.correlation_hint,
        "depends only on the text"
    );
}

/// Shows S8, S12, S14, S15, S16, S18, S21.
#[test]
fn passes_a_bots_text_to_the_customer() {
    let event = event(BOT, &eventing());
    assert_eq!(content(&event).text.as_deref(), Some("Let me check."));
    let id = ["e", "acme", "5f2c1c7e-0a53-4c0b-9d0f-6a0c2f0d9e11", "message", "bOt0mSg01-"];
    assert_eq!(event.id, EventId::from_parts(&id));
    assert_eq!(event.external_message_id, Some("bOt0mSg01-".into()));
    assert_eq!(event.external_conversation_id, "5f2c1c7e-0a53-4c0b-9d0f-6a0c2f0d9e11");
    assert_eq!(event.at.as_millisecond(), 1_767_225_600_900);
    assert_eq!((event.author.role, event.author.name), (AuthorRole::Bot, None));
}

/// Shows S9, S23, S24.
#[test]
fn a_bots_buttons_are_choices() {
    let event = event(MARKUP, &eventing());
    let content = content(&event);
    assert_eq!(content.text.as_deref(), Some("Pick one"));
    assert_eq!(content.choices, [choice("0", "Track"), choice("1", "Refund")]);
    assert!(content.single_use, "preventRetries");
}

/// Shows S18, S20, S22.
#[test]
fn the_users_own_messages_are_opaque() {
    let event = event(USER, &eventing());
    let raw = serde_json::from_str::<Value>(USER).unwrap()["message"].clone();
    let name = "message".into();
    assert_eq!(event.body, EventBody::Opaque { is_message: false, name, raw });
    assert_eq!((event.author.role, event.external_message_id), (AuthorRole::Customer, None));
    assert_eq!(event.external_conversation_id, "hub-user-4711", "its customerReference");
}

/// Shows S10, S11.
#[test]
fn a_click_is_the_customers_choice_of_its_markup() {
    let markup = event(MARKUP, &eventing());
    let click = event(CLICK, &eventing());
    let picked = |id: &str, label: Option<&str>| EventBody::Choice {
        id: id.into(),
        title: label.map(Into::into),
        typed: None,
    };
    assert_eq!(
        (&click.body, click.author.role),
        (&picked("1", Some("Refund")), AuthorRole::Customer)
    );
    let source = |event, at| ChoiceSource { from: connection_id(), event, at, parts: [].into() };
    assert_eq!(click.choice_source.as_deref(), Some(&source(markup.id.clone(), markup.at)));

    let documented = event(DOCUMENTED[2].1, &eventing());
    assert_eq!(documented.body, picked("2", Some("Option Three")));
    assert_eq!(
        documented.choice_source.as_deref().unwrap().event,
        event(DOCUMENTED[1].1, &eventing()).id
    );
    let of_other_source = event(CLICK, &json!({"replies": "egress"}));
    assert_eq!((of_other_source.body, of_other_source.choice_source), (click.body.clone(), None));

    let with = |value: Value| {
        let contents = json!({"interaction": {"action": "listInteraction", "value": value}});
        event(&changed(CLICK, &json!({"contents": contents})), &eventing())
    };
    let cases = [
        (json!({"id": 7, "title": "Blue"}), picked("7", Some("Blue"))),
        (json!({"label": "Blue", "title": "B"}), picked("Blue", Some("Blue"))),
        (json!({"id": "7", "label": " "}), picked("7", None)),
        (json!("Blue"), picked("Blue", Some("Blue"))),
    ];
    for (value, expected) in cases {
        let event = with(value);
        assert_eq!(event.body, expected);
        let without_source = event.choice_source.as_deref().unwrap();
        assert_eq!((&without_source.event, without_source.at), (&markup.id, click.at));
    }
    for value in [Value::Null, json!({}), json!(["a"]), json!({"files": 2}), json!("")] {
        let body = with(value).body;
        assert!(matches!(body, EventBody::Opaque { is_message: false, .. }), "{body:?}");
    }
    let from_bot = event(&changed(CLICK, &json!({"to": "client"})), &eventing()).body;
    assert!(matches!(from_bot, EventBody::Opaque { is_message: true, .. }), "{from_bot:?}");
}

/// Shows S3.
#[test]
fn a_repeat_is_recognized_by_its_id_and_a_click_by_its_time() {
    let id = |body: &str, change: Value| event(&changed(body, &change), &eventing()).id;
    let later = || json!({"timestamp": 1_767_225_609_000_i64, "correlationId": "x"});
    for body in [BOT, USER, MARKUP, CLICK] {
        assert_eq!(id(body, later()), event(body, &json!({})).id, "a repeat at another time");
        for other in
            [json!({"id": "x"}), json!({"conversationId": "x"}), json!({"organization": "x"})]
        {
            assert_ne!(id(body, other.clone()), event(body, &eventing()).id, "{other}");
        }
    }
    assert_ne!(event(MARKUP, &eventing()).id, event(CLICK, &eventing()).id, "they share an id");
    let mut again: Value = serde_json::from_str(CLICK).unwrap();
    again["message"]["contents"]["interaction"]["timestamp"] = json!(1_767_225_609_000_i64);
    assert_ne!(
        event(&again.to_string(), &eventing()).id,
        event(CLICK, &eventing()).id,
        "a second click"
    );
    let timeless = json!({"contents": {"interaction": {"value": "A"}}});
    let at = |at: i64| {
        let mut change = timeless.clone();
        change["timestamp"] = json!(at);
        id(CLICK, change)
    };
    assert_ne!(at(1), at(2), "without a time of its own");
}

/// Shows S1, S17, S19, S22.
#[test]
fn parses_the_vendors_examples() {
    for (kind, body) in DOCUMENTED {
        let recorded = event(body, &json!({}));
        assert_eq!(recorded.external_conversation_id, "391ab66c-d3c9-415d-87ce-9b9d92a9e754");
        match recorded.body {
            EventBody::Opaque { is_message: false, name, .. } => assert_eq!(name, kind),
            other => assert!(matches!(other, EventBody::Choice { .. }), "{other:?}"),
        }
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
    assert_eq!(content(&by_xml), content(&markup), "XML and object have the same content");
}

/// Shows S18.
#[test]
fn passes_on_only_the_chosen_source() {
    for body in [BOT, MARKUP] {
        let recorded = event(body, &json!({"replies": "egress"})).body;
        assert!(matches!(recorded, EventBody::Opaque { is_message: false, .. }), "{recorded:?}");
    }
}

#[test]
fn unknown_content_is_an_opaque_message() {
    let unknown = [
        json!({"contentType": "hologram"}),
        json!({"contents": {"message": " "}}),
        json!({"contents": "text"}),
        json!({"contentType": "markup", "contents": {"markup": "<TimelineMessage><StarRating/>"}}),
        json!({"contentType": "markup", "contents": {"markup": "<StarRating id='1'/>"}}),
    ];
    for change in unknown {
        let body = event(&changed(BOT, &change), &eventing()).body;
        assert!(matches!(body, EventBody::Opaque { is_message: true, .. }), "{body:?}");
    }
}

/// Shows input 8, input 10, input 11 and input 12.
#[test]
fn reads_what_other_serializers_send() {
    let text = |body: &[u8]| {
        let received = parse_call(&Servisbot::default(), "", WITH_KEY, body, &eventing());
        content(&events(received)[0]).text.clone().unwrap()
    };
    let half = BOT.replace("Let me check.", "Great \\ud83d");
    assert_eq!(text(half.as_bytes()), "Great \u{fffd}");
    assert_eq!(text(format!("\u{feff}{BOT}").as_bytes()), "Let me check.");
    let mut nulls: Value = serde_json::from_str(BOT).unwrap();
    for name in ["key", "customerReference", "identity", "inputSource", "endpoint", "version"] {
        nulls["message"][name] = Value::Null;
    }
    nulls["message"]["contents"]["markup"] = Value::Null;
    nulls["message"]["contents"]["context"] = Value::Null;
    assert_eq!(text(nulls.to_string().as_bytes()), "Let me check.");
    let mut markup: Value = serde_json::from_str(MARKUP).unwrap();
    markup["message"]["contents"]["markupObject"] = Value::Null;
    assert_eq!(text(markup.to_string().as_bytes()), "Pick one");

    let (connection, secrets) = (connection("bot", &json!({})), secrets());
    let headers = [("authorization", "ApiKey eventing-key-51"), ("content-encoding", "gzip")];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let received = Servisbot::default().parse(&Call {
        connection: &connection,
        settings: &parsed(&eventing()),
        secrets: &secrets,
        method: &Method::POST,
        path: "",
        query: "",
        headers: &HeaderMap::from_iter(headers),
        body: BOT.as_bytes(),
        received_body: b"\x1f\x8b",
        now: now(),
    });
    assert_eq!(content(&events(received)[0]).text.as_deref(), Some("Let me check."));
}

/// Shows S13, S20.
#[test]
fn optional_members_may_be_missing() {
    let bare = json!({"message": {"conversationId": 7, "to": "client", "contentType": "message",
                                  "contents": {"message": "x"}, "endpoint": 3, "timestamp": "soon"}});
    let event = event(&bare.to_string(), &eventing());
    assert_eq!((event.external_conversation_id.as_str(), event.at), ("7", now()));
    assert_eq!(content(&event).text.as_deref(), Some("x"));
    assert!(refused(&changed(BOT, &json!({"conversationId": null}))).contains("customerReference"));
    for bad in ["", "[]", "7", "{}", r#"{"message": "x"}"#, r#"{"message": null}"#, "{", "\u{feff}"]
    {
        refused(bad);
    }
}

#[test]
fn handover_phrase_requests_a_handover() {
    let settings = json!({"replies": "eventing", "handover_phrase": "#people"});
    let event_with =
        |text: &str| event(&changed(BOT, &json!({"contents": {"message": text}})), &settings);
    let handover = |reason: Option<&str>| EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: reason.map(Into::into),
        context: serde_json::Map::new(),
        transcript: Transcript::default(),
    };
    assert_eq!(event_with("#people").body, handover(None));
    assert_eq!(event_with(" #people  wants a refund ").body, handover(Some("wants a refund")));
    assert_eq!(content(&event_with("Type #people")).text.as_deref(), Some("Type #people"));
}

/// Shows S5.
#[test]
fn accepts_an_api_key_in_the_configured_header() {
    let denied = |headers: &[(&str, &str)], settings: &Value| match parse_call(
        &Servisbot::default(),
        "eventing",
        headers,
        USER.as_bytes(),
        settings,
    ) {
        ParsedCall::Events(_) => None,
        ParsedCall::Denied(why) => Some(why),
        other => panic!("{other:?}"),
    };
    let usual = json!({});
    for good in ["ApiKey eventing-key-51", "apikey  eventing-key-51 ", "ApiKey myApiKey"] {
        assert_eq!(denied(&[("authorization", good)], &usual), None, "{good}");
    }
    assert_eq!(denied(&[("authorization", "ApiKey no")], &usual), Some(AuthError::Mismatch));
    for bad in ["Bearer eventing-key-51", "eventing-key-51", "ApiKey", ""] {
        let why = denied(&[("authorization", bad)], &usual);
        assert_eq!(why, Some(AuthError::InvalidHeader("authorization")), "{bad}");
    }
    assert_eq!(denied(&[], &usual), Some(AuthError::InvalidHeader("authorization")));
    let own = json!({"auth_header": "X-Api-Key"});
    assert_eq!(denied(&[("x-api-key", "eventing-key-51")], &own), None);
    assert_eq!(denied(&[("x-api-key", "ApiKey myApiKey")], &own), None);
    assert!(denied(WITH_KEY, &own).is_some());
    let without_url = json!({"auth": "jwks"});
    let token = [("authorization", "Bearer a.b.c")];
    assert_eq!(denied(&token, &without_url), Some(AuthError::NoSecret));
}

/// Shows input 17.
#[test]
fn any_of_several_credentials_is_accepted() {
    let is_accepted = |values: &[&str], settings: &Value| {
        let name = settings["auth_header"].as_str().unwrap_or("authorization");
        let headers: Vec<_> = values.iter().map(|value| (name, *value)).collect();
        let body = USER.as_bytes();
        let received = parse_call(&Servisbot::default(), "", &headers, body, settings);
        matches!(received, ParsedCall::Events(_))
    };
    let (good, bad) = ("ApiKey eventing-key-51", "ApiKey wrong");
    for values in [
        vec![bad, good],
        vec![good, bad],
        vec!["Basic x", "ApiKey wrong,ApiKey eventing-key-51"],
        vec!["ApiKey eventing-key-51, ApiKey wrong"],
    ] {
        assert!(is_accepted(&values, &json!({})), "{values:?}");
    }
    for values in
        [vec![bad, bad], vec!["ApiKey wrong,ApiKey other"], vec!["Basic x", "eventing-key-51"]]
    {
        assert!(!is_accepted(&values, &json!({})), "{values:?}");
    }
    let own = json!({"auth_header": "x-api-key"});
    assert!(is_accepted(&["wrong", "eventing-key-51"], &own));
    assert!(is_accepted(&["wrong,eventing-key-51"], &own));
    let many = vec![bad; 100];
    assert!(!is_accepted(&[&many[..], &[good]].concat(), &json!({})), "their number is limited");
}

/// Passes a call without a body to `act`.
fn with_call<T>(method: &Method, act: impl FnOnce(&Servisbot, &Call<'_, Settings>) -> T) -> T {
    let (connection, secrets) = (connection("bot", &json!({})), secrets());
    let call = Call {
        connection: &connection,
        settings: &Settings::default(),
        secrets: &secrets,
        method,
        path: "",
        query: "",
        headers: &HeaderMap::new(),
        body: b"",
        received_body: b"",
        now: now(),
    };
    act(&Servisbot::default(), &call)
}

fn reply(outcome: &CallOutcome<'_>) -> Reply {
    with_call(&Method::POST, |platform, call| platform.reply(call, outcome))
}

/// Shows S2, input 12.
#[test]
fn responds_200_except_for_failed_authentication() {
    let taken = |duplicate| Ok(Ingested { conversation: "c".into(), duplicate });
    let unknown = InboundError::from(trunkline_core::routing::Refusal::UnknownConversation);
    for result in [
        CallOutcome::Ingested(&[taken(false)]),
        CallOutcome::Ingested(&[taken(true)]),
        CallOutcome::Ingested(&[Err(unknown)]),
        CallOutcome::Unreadable("no"),
        CallOutcome::TooLarge,
        CallOutcome::UnsupportedEncoding("br"),
    ] {
        assert_eq!(reply(&result).status, StatusCode::OK, "{result:?}");
    }
    let later = with_call(&Method::POST, Servisbot::unavailable);
    assert_eq!(later.status, StatusCode::SERVICE_UNAVAILABLE, "nothing is stored: send it again");
    let denied = reply(&CallOutcome::Denied(&AuthError::Mismatch));
    assert_eq!(
        (denied.status, denied.body.as_str()),
        (StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#)
    );
}

/// Shows S1.
#[test]
fn only_post_carries_events() {
    for (method, status) in [(Method::GET, 200), (Method::HEAD, 200), (Method::PUT, 405)] {
        let parsed = with_call(&method, Servisbot::parse);
        let ParsedCall::Reply(reply) = parsed else { panic!() };
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
    fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_call(&Servisbot::default(), "", WITH_KEY, &body, &eventing());
    }

    #[test]
    fn arbitrary_headers_never_panic(value in "[ -~]{0,80}", auth in "api_key|jwt_secret|jwks") {
        let settings = json!({"auth": auth, "jwks_url": "https://keys.example.com"});
        let headers = [("authorization", value.trim())];
        let received = parse_call(&Servisbot::default(), "", &headers, USER.as_bytes(), &settings);
        let let_in = matches!(received, ParsedCall::Events(_));
        prop_assert!(!let_in);
    }

    #[test]
    fn arbitrary_values_of_known_members_never_panic(
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
        let settings = parsed(&eventing());
        let _ = parse_event(&json!({"message": message}), &connection_id(), &settings, now());
    }

    #[test]
    fn a_repeat_has_the_same_event_id_and_another_event_does_not(
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
