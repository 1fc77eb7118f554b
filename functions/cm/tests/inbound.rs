//! What CM.com's router sends, and what it is answered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{CHAT, Given, SECRET, json_of, map, now, plain};
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_cm::Cm;
use trunkline_shared::inbound::{Call, Inbound, Received, Result as Came};
use trunkline_shared::model::{AuthorRole, Content, Event, EventBody, Media, Mode, Owner, Recall};
use trunkline_shared::security::Denied;

const MESSAGE: &str = include_str!("../fixtures/message.json");
const HANDOVER: &str = include_str!("../fixtures/handover.json");
const EMPTY_CONTEXT: &str = include_str!("../fixtures/handover-empty-context.txt");
const ENDED: &str = include_str!("../fixtures/session-ended.json");
const ENDED_FLAT: &str = include_str!("../fixtures/session-ended-flat.json");
const REPLY: &str = include_str!("../fixtures/host-reply.json");

fn at<'a>(role: &'a str, path: &'a str) -> Given<'a> {
    Given { role, path, ..plain() }
}

fn with(settings: Value) -> Given<'static> {
    Given { settings, ..plain() }
}

fn text(event: &Event) -> Option<&str> {
    match &event.body {
        EventBody::Message { content, .. } => content.text.as_deref(),
        _ => None,
    }
}

/// The usual message with another in its place.
fn message(message: &Value) -> String {
    let mut body = json_of(MESSAGE);
    body["conversationMessages"] = json!([message]);
    body.to_string()
}

#[test]
fn a_customers_message() {
    let event = plain().event(MESSAGE.as_bytes());
    assert_eq!(event.id.as_str(), "m:1c9d6c1e-7a53-4d0e-9f0a-0d5e6f7a8b90");
    assert_eq!(event.external_id.as_deref(), Some("1c9d6c1e-7a53-4d0e-9f0a-0d5e6f7a8b90"));
    assert_eq!(event.conversation, CHAT);
    assert_eq!(event.at, "2026-03-04T09:15:20.8981621Z".parse().unwrap());
    assert_eq!(event.author.role, AuthorRole::Customer);
    assert_eq!(event.author.name.as_deref(), Some("Noor de Wit"));
    assert_eq!(event.channel.as_deref(), Some("WhatsApp"));
    assert_eq!(Value::Object(event.origin.clone()), json_of(MESSAGE)["chat"], "the whole chat");
    assert_eq!(event.floor, Some(Owner::Bot));
    assert_eq!(text(&event), Some("Where is my parcel?"));
    assert_eq!(with(json!({"after_handover": "theirs"})).event(MESSAGE.as_bytes()).floor, None);
}

#[test]
fn several_messages_and_events_of_one_call_stay_in_order() {
    let mut body = json_of(MESSAGE);
    let mut second = body["conversationMessages"][0].clone();
    second["id"] = json!("2");
    second["text"] = json!("Hello?");
    body["conversationMessages"].as_array_mut().unwrap().push(second);
    body["conversationEvents"] = json_of(ENDED)["conversationEvents"].clone();
    let events = plain().events(body.to_string().as_bytes());
    assert_eq!(text(&events[0]), Some("Where is my parcel?"));
    assert_eq!(text(&events[1]), Some("Hello?"));
    assert!(matches!(events[2].body, EventBody::Close { .. }));
    assert_eq!(events.len(), 3);
}

#[test]
fn a_type_and_a_direction_in_any_case_and_keys_too() {
    let capital = MESSAGE.replace("\"text\",", "\"Text\",").replace("ClientO", "CLIENTO");
    assert_eq!(text(&plain().event(capital.as_bytes())), Some("Where is my parcel?"));
    let keys = MESSAGE
        .replace("\"chat\"", "\"Chat\"")
        .replace("\"id\"", "\"ID\"")
        .replace("conversationMessages", "ConversationMessages")
        .replace("\"direction\"", "\"Direction\"");
    let event = plain().event(keys.as_bytes());
    assert_eq!((event.conversation.as_str(), text(&event)), (CHAT, Some("Where is my parcel?")));
}

#[test]
fn a_type_that_is_not_known_becomes_what_can_be_made_of_it() {
    let image = json!({"$type": "media", "id": "1", "direction": "ClientOriginated",
        "media": {"mediaUri": "https://m.example/a.jpg", "contentType": "image/jpeg"},
        "caption": "The box"});
    let event = plain().event(message(&image).as_bytes());
    let EventBody::Message { content, metadata } = event.body else { panic!("a message") };
    let media = Media {
        url: "https://m.example/a.jpg".into(),
        mime_type: Some("image/jpeg".into()),
        name: None,
    };
    assert_eq!(content, Content { media: vec![media], ..Content::text("The box") });
    assert_eq!(metadata["cm_type"], "media");
    assert_eq!(json_of(metadata["cm_message"].as_str().unwrap()), image, "the whole of it");

    let large = json!({"$type": "card", "direction": "ClientOriginated", "title": "x",
        "body": "y".repeat(4_000)});
    let EventBody::Message { metadata, .. } = plain().event(message(&large).as_bytes()).body else {
        panic!("a message")
    };
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["cm_type"], "only if it is small");

    let place = json!({"$type": "location", "direction": "ClientOriginated",
        "latitude": 52.1, "longitude": 5.1});
    let event = plain().event(message(&place).as_bytes());
    assert_eq!(event.author.role, AuthorRole::Customer);
    let expected = EventBody::Opaque { said: true, name: "location".into(), raw: place };
    assert_eq!(event.body, expected);
}

#[test]
fn a_picked_reply_is_its_label() {
    let reply = json!({"$type": "reply", "direction": "ClientOriginated", "label": "Red"});
    assert_eq!(text(&plain().event(message(&reply).as_bytes())), Some("Red"));
}

#[test]
fn what_we_sent_ourselves_goes_nowhere() {
    let EventBody::Opaque { said, name, raw } = plain().event(REPLY.as_bytes()).body else {
        panic!("kept")
    };
    assert_eq!((said, name.as_str()), (false, "ClientTerminated"));
    assert_eq!(raw, json_of(REPLY)["conversationMessages"][0]);
    for role in ["bot", "desk"] {
        let event = at(role, "").event(MESSAGE.as_bytes());
        assert!(matches!(event.body, EventBody::Opaque { said: false, .. }), "{role}");
    }
}

#[test]
fn as_client_the_other_side_is_the_bot_or_an_agent() {
    for (role, author) in [("bot", AuthorRole::Bot), ("desk", AuthorRole::Agent)] {
        let event = at(role, "").event(REPLY.as_bytes());
        let said = "Your parcel will arrive tomorrow between 9:00 and 12:00.";
        assert_eq!((event.author.role, text(&event)), (author, Some(said)));
        assert_eq!((event.conversation.as_str(), event.floor), (CHAT, None));
        assert!(event.origin.is_empty());
        let ended = at(role, "event").event(ENDED.as_bytes());
        assert!(matches!(ended.body, EventBody::Close { .. }));
    }
}

#[test]
fn a_handover_notice_is_an_offer_to_people() {
    let event = at("channel", "handover").event(HANDOVER.as_bytes());
    let expected = EventBody::Handover {
        mode: Mode::Offer,
        reason: None,
        context: map(json_of(HANDOVER)["context"].clone()),
        recall: Recall::default(),
    };
    assert_eq!((event.conversation.as_str(), &event.body), (CHAT, &expected));
    assert_eq!(event.origin["conversationClientId"], "0031612345678");
    assert_eq!(event.origin["id"], CHAT);
    let empty = at("channel", "handover").event(EMPTY_CONTEXT.as_bytes());
    let EventBody::Handover { context, .. } = &empty.body else { panic!("a handover") };
    assert!(context.is_empty());
    assert_eq!(empty.conversation, CHAT);
}

#[test]
fn a_handover_notice_in_every_writing() {
    let upper = HANDOVER.replace("chatId", "ChatID").replace("context", "CONTEXT");
    let nested =
        json!({"chat": json_of(MESSAGE)["chat"], "context": {"RoutingKeywords": "returns"}});
    let fill = |template: &str| {
        template
            .replace("{{$chatId}}", CHAT)
            .replace("{{$context}}", r#"{"RoutingKeywords":"returns"}"#)
    };
    let default = fill(include_str!("../fixtures/handover-template-default.txt"));
    let recommended = fill(include_str!("../fixtures/handover-template-recommended.txt"));
    for (path, body) in [
        ("handover", upper),
        ("handover", nested.to_string()),
        ("handover", default.clone()),
        ("handover", recommended.clone()),
        ("", default),
        ("event", recommended),
    ] {
        let event = at("channel", path).event(body.as_bytes());
        let EventBody::Handover { context, .. } = &event.body else { panic!("{body}: {event:?}") };
        assert_eq!(
            (event.conversation.as_str(), &context["RoutingKeywords"]),
            (CHAT, &json!("returns"))
        );
    }
}

#[test]
fn unreplaced_variables_are_nothing() {
    let template = include_str!("../fixtures/handover-template-default.txt");
    let unnamed = at("channel", "handover").receive(template.as_bytes());
    assert!(matches!(unnamed, Received::Unreadable(_)), "nobody knows which chat");
    for variable in ["{{$context}}", "$context"] {
        let body = template.replace("{{$chatId}}", CHAT).replace("{{$context}}", variable);
        let event = at("channel", "handover").event(body.as_bytes());
        let EventBody::Handover { context, .. } = event.body else { panic!("a handover") };
        assert!(context.is_empty());
        assert!(event.origin.is_empty(), "it has not what an answer needs");
    }
}

#[test]
fn what_a_handover_notice_means_is_a_setting() {
    let means = |role: &'static str, means: Option<&str>| {
        let settings = means.map_or(json!({}), |means| json!({"handover_means": means}));
        let given = Given { role, path: "handover", settings, ..plain() };
        given.event(HANDOVER.as_bytes()).body.kind()
    };
    for (role, setting, kind) in [
        ("channel", None, "handover"),
        ("channel", Some("handback"), "handback"),
        ("channel", Some("record"), "opaque"),
        ("channel", Some("accept"), "opaque"),
        ("bot", None, "opaque"),
        ("bot", Some("handover"), "handover"),
        ("bot", Some("handback"), "opaque"),
        ("desk", None, "opaque"),
        ("desk", Some("accept"), "accept"),
        ("desk", Some("handback"), "handback"),
        ("desk", Some("handover"), "opaque"),
    ] {
        assert_eq!(means(role, setting), kind, "{role} {setting:?}");
    }
}

#[test]
fn the_end_of_the_session_closes_wherever_and_however_it_is_said() {
    let enveloped = plain().event(ENDED.as_bytes());
    let closed = EventBody::Close { reason: Some("routerSessionEnded".into()) };
    assert_eq!(enveloped.body, closed);
    assert_eq!(enveloped.id.as_str(), "e:f2b0d9d4-32a4-4f6c-bb1e-7f0a54c7c6d3");
    assert_eq!(enveloped.at, "2026-03-04T09:45:00Z".parse().unwrap());
    assert_eq!(enveloped.author.role, AuthorRole::System);
    let by_type = ENDED_FLAT.replace("$type", "eventType");
    for path in ["", "handover", "event"] {
        for body in [ENDED, ENDED_FLAT, &by_type] {
            let event = at("channel", path).event(body.as_bytes());
            assert!(matches!(event.body, EventBody::Close { .. }), "{path} {body}");
            assert_eq!(event.conversation, CHAT);
        }
    }
    let flat = at("channel", "event").event(ENDED_FLAT.as_bytes());
    assert!(flat.origin.is_empty(), "a chat that is not whole stands in place of none that is");
}

#[test]
fn other_events_are_kept() {
    let other = ENDED.replace("routerSessionEnded", "agentTyping");
    let EventBody::Opaque { said, name, raw } = at("channel", "event").event(other.as_bytes()).body
    else {
        panic!("kept")
    };
    assert_eq!((said, name.as_str()), (false, "agentTyping"));
    assert_eq!(raw, json_of(&other)["conversationEvents"][0]);
}

#[test]
fn a_message_without_an_id_is_known_by_what_it_says_and_when() {
    let at_time = |second: u8| {
        message(&json!({"$type": "text", "direction": "ClientOriginated", "text": "yes",
            "createdOn": format!("2026-03-04T09:15:{second:02}Z")}))
    };
    let id = |body: &str| plain().event(body.as_bytes()).id;
    assert_eq!(id(&at_time(1)), id(&at_time(1)));
    assert_ne!(id(&at_time(1)), id(&at_time(2)));
    let timeless =
        message(&json!({"$type": "text", "direction": "ClientOriginated", "text": "yes"}));
    let twice: Vec<Value> =
        (0..2).map(|_| json_of(&timeless)["conversationMessages"][0].clone()).collect();
    let mut body = json_of(&timeless);
    body["conversationMessages"] = json!(twice);
    let events = plain().events(body.to_string().as_bytes());
    assert_ne!(events[0].id, events[1].id, "two in one call are two");
    assert_eq!(events[0].id, id(&timeless));
}

#[test]
fn a_call_is_bounded() {
    let mut large = json_of(MESSAGE);
    large["chat"]["extra"] = json!("x".repeat(10_000));
    let event = plain().event(large.to_string().as_bytes());
    assert_eq!(Value::Object(event.origin), json_of(MESSAGE)["chat"], "what an answer needs");
    let mut many = json_of(MESSAGE);
    many["conversationMessages"] = json!(vec![1; 201]);
    let received = plain().receive(many.to_string().as_bytes());
    assert!(matches!(received, Received::Unreadable(_)));
}

#[test]
fn a_chat_without_an_id_and_what_is_not_json_are_kept_for_a_person_and_answered_with_success() {
    for body in [
        b"chat c".as_slice(),
        b"\xff\xfe",
        b"[1, 2]",
        b"\"text\"",
        br#"{"conversationMessages":[]}"#,
        br#"{"chat":{"channel":"WhatsApp"},"conversationMessages":[{"$type":"text"}]}"#,
    ] {
        let status = plain().call(body, |call| match Cm.receive(call) {
            Received::Unreadable(why) => Cm.reply(call, &Came::Unreadable(&why)).status,
            other => panic!("{other:?}"),
        });
        assert_eq!(status, StatusCode::CREATED);
    }
}

#[test]
fn answers_have_the_status_that_is_set() {
    for (settings, status, body) in [
        (json!({}), 201, "{}"),
        (json!({"answer_status": "200"}), 200, "{}"),
        (json!({"answer_status": "202"}), 202, "{}"),
        (json!({"answer_status": "204"}), 204, ""),
    ] {
        let given = with(settings);
        let replies = given.call(MESSAGE.as_bytes(), |call| {
            [Cm.reply(call, &Came::Taken(&[])), Cm.reply(call, &Came::TooLarge)]
        });
        for reply in replies {
            assert_eq!((reply.status.as_u16(), reply.body.as_str()), (status, body));
        }
        for test in ["", " \n", "{}"] {
            let Received::Answered(reply) = given.receive(test.as_bytes()) else {
                panic!("{test}")
            };
            assert_eq!(reply.status.as_u16(), status);
        }
    }
    let answered = plain().call(b"", |call| Cm.receive(&Call { method: &Method::GET, ..*call }));
    assert!(matches!(answered, Received::Answered(_)));
    let empty = plain().events(br#"{"chat":{"id":"c"},"conversationMessages":[]}"#);
    assert!(empty.is_empty());
}

#[test]
fn the_shared_secret_comes_in_the_header_or_the_query() {
    let header = |name: &'static str, value: &str| {
        HeaderMap::from_iter([(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())])
    };
    let ask = |path: &str, query: &str, headers: HeaderMap, settings: Value| {
        let given = Given { role: "channel", settings, shared: true, path, query, headers };
        match given.receive(MESSAGE.as_bytes()) {
            Received::Denied(denied) => Err(denied),
            _ => Ok(()),
        }
    };
    let ours = || header("x-trunkline-secret", SECRET);
    let query = "a=b&secret=a%20secret+of%2024%20characters";
    for path in ["", "handover", "event"] {
        assert_eq!(ask(path, "", ours(), json!({})), Ok(()));
        let old = header("x-trunkline-secret", "the old one, live yet");
        assert_eq!(ask(path, "", old, json!({})), Ok(()), "while it is rotated");
        assert_eq!(ask(path, query, HeaderMap::new(), json!({})), Ok(()));
        let missing = ask(path, "", HeaderMap::new(), json!({}));
        assert!(matches!(missing, Err(Denied::Header(_))));
        let wrong = ask(path, "secret=wrong", HeaderMap::new(), json!({}));
        assert_eq!(wrong, Err(Denied::Mismatch));
        let own = json!({"secret_header": "X-Shop"});
        assert_eq!(ask(path, "", header("x-shop", SECRET), own.clone()), Ok(()));
        assert!(ask(path, "", ours(), own).is_err());
    }
    let by_key = json!({"event_secret": "path_key"});
    assert_eq!(ask("event", "", HeaderMap::new(), by_key.clone()), Ok(()));
    assert!(ask("", "", HeaderMap::new(), by_key.clone()).is_err());
    assert!(ask("handover", "", HeaderMap::new(), by_key).is_err());
    let denied = plain().call(b"", |call| Cm.reply(call, &Came::Denied(&Denied::Mismatch)));
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_connection_that_is_to_have_a_secret_is_closed_without_it() {
    let mut connection = common::connection("channel", json!({}));
    connection.secrets.insert("shared_secret".into());
    let received = plain()
        .call(MESSAGE.as_bytes(), |call| Cm.receive(&Call { connection: &connection, ..*call }));
    assert_eq!(received, Received::Denied(Denied::NoSecret));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("ClientOriginated")),
        Just(json!("https://m.example/a")),
    ];
    let key = prop_oneof![
        "[A-Za-z_$]{0,8}",
        prop::sample::select(vec!["id", "$type", "text", "direction", "mediaUri", "createdOn"])
            .prop_map(ToOwned::to_owned),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "handover", "event"])
}

fn any_role() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["channel", "bot", "desk"])
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(
        body in prop::collection::vec(any::<u8>(), 0..300), path in any_path(), role in any_role()
    ) {
        let _ = at(role, path).receive(&body);
    }

    #[test]
    fn no_value_of_a_known_key_makes_it_panic_and_every_event_has_its_chat(
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["chat", "chatId", "sessionId", "conversationMessages",
                "conversationEvents", "context", "kind", "$type", "type"]),
            any_json(), 0..8),
        path in any_path(), role in any_role()
    ) {
        let body = json!(fields).to_string();
        if let Received::Events(events) = at(role, path).receive(body.as_bytes()) {
            for event in events {
                prop_assert!(!event.conversation.is_empty());
            }
        }
    }

    #[test]
    fn a_repeat_is_known_again_and_another_is_not_taken_for_it(
        id in "[!-~]{1,60}", other in "[!-~]{1,60}", said in ".{1,60}"
    ) {
        let written = |id: &str| message(&json!({"$type": "text", "id": id, "text": said,
            "direction": "ClientOriginated"}));
        let known = |id: &str| plain().event(written(id).as_bytes()).id;
        prop_assert_eq!(known(&id), known(&id));
        if id != other {
            prop_assert_ne!(known(&id), known(&other));
        }
    }

    #[test]
    fn a_handover_notice_is_read_whatever_the_context_is(context in any_json()) {
        let body = format!("{{\"chatId\":\"c\",\"context\":{context}}}");
        let event = at("channel", "handover").event(body.as_bytes());
        let EventBody::Handover { context, .. } = event.body else { panic!("a handover") };
        prop_assert!(context.values().all(|value| !value.is_object() && !value.is_array()));
        prop_assert_eq!(event.at, now());
    }
}
