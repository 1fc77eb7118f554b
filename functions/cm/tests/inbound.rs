//! Calls from CM.com's router and the responses to them.

use crate::common::{
    CHAT, EMPTY_CONTEXT, ENDED, HANDOVER, MESSAGE, REPLY, SECRET, TestCall, at, channel_call,
    json_of, map, message, now, text, with,
};
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_cm::Cm;
use trunkline_core::model::{
    AuthorRole, Content, EventBody, HandoverMode, Location, Media, Owner, Transcript,
};
use trunkline_runtime::inbound::{Call, CallOutcome, Inbound, ParsedCall};
use trunkline_runtime::security::AuthError;

/// Shows C2, C5.
#[test]
fn parses_a_customers_message() {
    let event = channel_call().event(MESSAGE.as_bytes());
    assert_eq!(event.id.as_str(), "m:1c9d6c1e-7a53-4d0e-9f0a-0d5e6f7a8b90");
    assert_eq!(event.external_message_id, Some("1c9d6c1e-7a53-4d0e-9f0a-0d5e6f7a8b90".into()));
    assert_eq!(event.external_conversation_id, CHAT);
    assert_eq!(event.at, "2026-03-04T09:15:20.8981621Z".parse().unwrap());
    assert_eq!(event.author.role, AuthorRole::Customer);
    assert_eq!(event.author.name.as_deref(), Some("Noor de Wit"));
    assert_eq!(event.channel.as_deref(), Some("WhatsApp"));
    assert_eq!(Value::Object(event.origin.clone()), json_of(MESSAGE)["chat"], "the whole chat");
    assert_eq!(event.claimed_owner, Some(Owner::Bot));
    assert_eq!(text(&event), Some("Where is my parcel?"));
    assert_eq!(
        with(json!({"message_after_handover": "copy"})).event(MESSAGE.as_bytes()).claimed_owner,
        None
    );
}

/// Shows C2.
#[test]
fn keeps_the_order_of_messages_and_events_in_a_call() {
    let mut body = json_of(MESSAGE);
    let mut second = body["conversationMessages"][0].clone();
    second["id"] = json!("2");
    second["text"] = json!("Hello?");
    body["conversationMessages"].as_array_mut().unwrap().push(second);
    body["conversationEvents"] = json_of(ENDED)["conversationEvents"].clone();
    let events = channel_call().events(body.to_string().as_bytes());
    assert_eq!(text(&events[0]), Some("Where is my parcel?"));
    assert_eq!(text(&events[1]), Some("Hello?"));
    assert!(matches!(events[2].body, EventBody::Close { .. }));
    assert_eq!(events.len(), 3);
}

#[test]
fn ignores_the_case_of_types_directions_and_keys() {
    let capital = MESSAGE.replace("\"text\",", "\"Text\",").replace("ClientO", "CLIENTO");
    assert_eq!(text(&channel_call().event(capital.as_bytes())), Some("Where is my parcel?"));
    let keys = MESSAGE
        .replace("\"chat\"", "\"Chat\"")
        .replace("\"id\"", "\"ID\"")
        .replace("conversationMessages", "ConversationMessages")
        .replace("\"direction\"", "\"Direction\"");
    let event = channel_call().event(keys.as_bytes());
    assert_eq!(
        (event.external_conversation_id.as_str(), text(&event)),
        (CHAT, Some("Where is my parcel?"))
    );
}

/// Shows C3.
#[test]
fn extracts_content_from_unknown_types() {
    let image = json!({"$type": "media", "id": "1", "direction": "ClientOriginated",
        "media": {"mediaUri": "https://m.example/a.jpg", "contentType": "image/jpeg"},
        "caption": "The box"});
    let event = channel_call().event(message(&image).as_bytes());
    let EventBody::Message { content, metadata } = event.body else { panic!("a message") };
    let media = Media {
        url: "https://m.example/a.jpg".into(),
        mime_type: Some("image/jpeg".into()),
        name: None,
        ..Media::default()
    };
    assert_eq!(content, Content { media: vec![media], ..Content::text("The box") });
    assert_eq!(metadata["cm_type"], "media");
    assert_eq!(json_of(metadata["cm_message"].as_str().unwrap()), image, "the original message");

    let large = json!({"$type": "card", "direction": "ClientOriginated", "title": "x",
        "body": "y".repeat(4_000)});
    let EventBody::Message { metadata, .. } = channel_call().event(message(&large).as_bytes()).body
    else {
        panic!("a message")
    };
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["cm_type"], "large messages are not attached");

    let place = json!({"$type": "location", "direction": "ClientOriginated",
        "latitude": 52.1, "longitude": 5.1});
    let event = channel_call().event(message(&place).as_bytes());
    assert_eq!(event.author.role, AuthorRole::Customer);
    let EventBody::Message { content, .. } = event.body else { panic!("a message") };
    assert_eq!(content.location.as_deref(), Location::new(52.1, 5.1).as_ref());

    let sticker = json!({"$type": "sticker", "direction": "ClientOriginated", "emoji": 7});
    let event = channel_call().event(message(&sticker).as_bytes());
    let expected = EventBody::Opaque { is_message: true, name: "sticker".into(), raw: sticker };
    assert_eq!(event.body, expected);
}

/// Shows C13.
#[test]
fn own_messages_are_opaque() {
    let EventBody::Opaque { is_message, name, raw } = channel_call().event(REPLY.as_bytes()).body
    else {
        panic!("an opaque event")
    };
    assert_eq!((is_message, name.as_str()), (false, "ClientTerminated"));
    assert_eq!(raw, json_of(REPLY)["conversationMessages"][0]);
    for role in ["bot", "desk"] {
        let event = at(role, "").event(MESSAGE.as_bytes());
        assert!(matches!(event.body, EventBody::Opaque { is_message: false, .. }), "{role}");
    }
}

/// Shows C4, C13.
#[test]
fn as_client_the_author_is_the_bot_or_an_agent() {
    for (role, author) in [("bot", AuthorRole::Bot), ("desk", AuthorRole::Agent)] {
        let event = at(role, "").event(REPLY.as_bytes());
        let reply = "Your parcel will arrive tomorrow between 9:00 and 12:00.";
        assert_eq!((event.author.role, text(&event)), (author, Some(reply)));
        assert_eq!((event.external_conversation_id.as_str(), event.claimed_owner), (CHAT, None));
        assert!(event.origin.is_empty());
        let ended = at(role, "event").event(ENDED.as_bytes());
        assert!(matches!(ended.body, EventBody::Close { .. }));
    }
}

/// Shows C6, C8.
#[test]
fn a_handover_notice_is_an_offer() {
    let event = at("channel", "handover").event(HANDOVER.as_bytes());
    let expected = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context: map(json_of(HANDOVER)["context"].clone()),
        transcript: Transcript::default(),
    };
    assert_eq!((event.external_conversation_id.as_str(), &event.body), (CHAT, &expected));
    assert_eq!(event.origin["conversationClientId"], "0031612345678");
    assert_eq!(event.origin["id"], CHAT);
    let empty = at("channel", "handover").event(EMPTY_CONTEXT.as_bytes());
    let EventBody::Handover { context, .. } = &empty.body else { panic!("a handover") };
    assert!(context.is_empty());
    assert_eq!(empty.external_conversation_id, CHAT);
}

/// Shows C6, C7, C8.
#[test]
fn parses_every_form_of_a_handover_notice() {
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
            (event.external_conversation_id.as_str(), &context["RoutingKeywords"]),
            (CHAT, &json!("returns"))
        );
    }
}

/// Shows C7, C8.
#[test]
fn unreplaced_variables_are_absent() {
    let template = include_str!("../fixtures/handover-template-default.txt");
    let unnamed = at("channel", "handover").receive(template.as_bytes());
    assert!(matches!(unnamed, ParsedCall::Unreadable(_)), "the chat is unknown");
    for variable in ["{{$context}}", "$context"] {
        let body = template.replace("{{$chatId}}", CHAT).replace("{{$context}}", variable);
        let event = at("channel", "handover").event(body.as_bytes());
        let EventBody::Handover { context, .. } = event.body else { panic!("a handover") };
        assert!(context.is_empty());
        assert!(event.origin.is_empty(), "the chat is incomplete");
    }
}

/// Shows C6.
#[test]
fn handover_means_defines_the_meaning_of_a_notice() {
    let means = |role: &'static str, means: Option<&str>| {
        let settings = means.map_or(json!({}), |means| json!({"handover_means": means}));
        let given = TestCall { role, path: "handover", settings, ..channel_call() };
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
fn a_message_without_an_id_is_identified_by_content_and_time() {
    let at_time = |second: u8| {
        message(&json!({"$type": "text", "direction": "ClientOriginated", "text": "yes",
            "createdOn": format!("2026-03-04T09:15:{second:02}Z")}))
    };
    let id = |body: &str| channel_call().event(body.as_bytes()).id;
    assert_eq!(id(&at_time(1)), id(&at_time(1)));
    assert_ne!(id(&at_time(1)), id(&at_time(2)));
    let timeless =
        message(&json!({"$type": "text", "direction": "ClientOriginated", "text": "yes"}));
    let twice: Vec<Value> =
        (0..2).map(|_| json_of(&timeless)["conversationMessages"][0].clone()).collect();
    let mut body = json_of(&timeless);
    body["conversationMessages"] = json!(twice);
    let events = channel_call().events(body.to_string().as_bytes());
    assert_ne!(events[0].id, events[1].id, "equal messages of one call are distinct");
    assert_eq!(events[0].id, id(&timeless));
}

#[test]
fn limits_the_chat_and_the_number_of_items() {
    let mut large = json_of(MESSAGE);
    large["chat"]["extra"] = json!("x".repeat(10_000));
    let event = channel_call().event(large.to_string().as_bytes());
    assert_eq!(Value::Object(event.origin), json_of(MESSAGE)["chat"], "the documented members");
    let mut many = json_of(MESSAGE);
    many["conversationMessages"] = json!(vec![1; 201]);
    let received = channel_call().receive(many.to_string().as_bytes());
    assert!(matches!(received, ParsedCall::Unreadable(_)));
}

#[test]
fn unreadable_calls_are_answered_with_success() {
    for body in [
        b"chat c".as_slice(),
        b"\xff\xfe",
        b"[1, 2]",
        b"\"text\"",
        br#"{"conversationMessages":[]}"#,
        br#"{"chat":{"channel":"WhatsApp"},"conversationMessages":[{"$type":"text"}]}"#,
    ] {
        let status = channel_call().call(body, |call| match Cm.parse(call) {
            ParsedCall::Unreadable(why) => Cm.reply(call, &CallOutcome::Unreadable(&why)).status,
            other => panic!("{other:?}"),
        });
        assert_eq!(status, StatusCode::CREATED);
    }
}

#[test]
fn responses_have_the_configured_status() {
    for (settings, status, body) in [
        (json!({}), 201, "{}"),
        (json!({"response_status": "200"}), 200, "{}"),
        (json!({"response_status": "202"}), 202, "{}"),
        (json!({"response_status": "204"}), 204, ""),
    ] {
        let given = with(settings);
        let replies = given.call(MESSAGE.as_bytes(), |call| {
            [Cm.reply(call, &CallOutcome::Ingested(&[])), Cm.reply(call, &CallOutcome::TooLarge)]
        });
        for reply in replies {
            assert_eq!((reply.status.as_u16(), reply.body.as_str()), (status, body));
        }
        for test in ["", " \n", "{}"] {
            let ParsedCall::Reply(reply) = given.receive(test.as_bytes()) else { panic!("{test}") };
            assert_eq!(reply.status.as_u16(), status);
        }
    }
    let answered =
        channel_call().call(b"", |call| Cm.parse(&Call { method: &Method::GET, ..*call }));
    assert!(matches!(answered, ParsedCall::Reply(_)));
    let empty = channel_call().events(br#"{"chat":{"id":"c"},"conversationMessages":[]}"#);
    assert!(empty.is_empty());
}

#[test]
fn accepts_the_shared_secret_in_the_header_or_the_query() {
    let header = |name: &'static str, value: &str| {
        HeaderMap::from_iter([(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())])
    };
    let ask = |path: &str, query: &str, headers: HeaderMap, settings: Value| {
        let given =
            TestCall { role: "channel", settings, has_shared_secret: true, path, query, headers };
        match given.receive(MESSAGE.as_bytes()) {
            ParsedCall::Denied(denied) => Err(denied),
            _ => Ok(()),
        }
    };
    let header_with_secret = || header("x-trunkline-secret", SECRET);
    let query = "a=b&secret=a%20secret+of%2024%20characters";
    for path in ["", "handover", "event"] {
        assert_eq!(ask(path, "", header_with_secret(), json!({})), Ok(()));
        let old = header("x-trunkline-secret", "the previous secret, still live");
        assert_eq!(ask(path, "", old, json!({})), Ok(()), "during a rotation");
        assert_eq!(ask(path, query, HeaderMap::new(), json!({})), Ok(()));
        let missing = ask(path, "", HeaderMap::new(), json!({}));
        assert!(matches!(missing, Err(AuthError::InvalidHeader(_))));
        let wrong = ask(path, "secret=wrong", HeaderMap::new(), json!({}));
        assert_eq!(wrong, Err(AuthError::Mismatch));
        let own = json!({"secret_header": "X-Shop"});
        assert_eq!(ask(path, "", header("x-shop", SECRET), own.clone()), Ok(()));
        assert!(ask(path, "", header_with_secret(), own).is_err());
    }
    let by_key = json!({"event_secret": "path_key"});
    assert!(
        ask("", "secret=wrong&secret=a%20secret+of%2024%20characters", HeaderMap::new(), json!({}))
            .is_err()
    );
    assert_eq!(ask("event", "", HeaderMap::new(), by_key.clone()), Ok(()));
    assert!(ask("", "", HeaderMap::new(), by_key.clone()).is_err());
    assert!(ask("handover", "", HeaderMap::new(), by_key).is_err());
    let denied =
        channel_call().call(b"", |call| Cm.reply(call, &CallOutcome::Denied(&AuthError::Mismatch)));
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn rejects_calls_while_a_declared_secret_is_missing() {
    let mut connection = crate::common::connection("channel", json!({}));
    connection.secrets.insert("shared_secret".into());
    let received = channel_call()
        .call(MESSAGE.as_bytes(), |call| Cm.parse(&Call { connection: &connection, ..*call }));
    assert_eq!(received, ParsedCall::Denied(AuthError::NoSecret));
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
    fn arbitrary_bodies_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..300), path in any_path(), role in any_role()
    ) {
        let _ = at(role, path).receive(&body);
    }

    #[test]
    fn arbitrary_values_of_known_keys_never_panic_and_every_event_has_a_chat(
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["chat", "chatId", "sessionId", "conversationMessages",
                "conversationEvents", "context", "kind", "$type", "type"]),
            any_json(), 0..8),
        path in any_path(), role in any_role()
    ) {
        let body = json!(fields).to_string();
        if let ParsedCall::Events(events) = at(role, path).receive(body.as_bytes()) {
            for event in events {
                prop_assert!(!event.external_conversation_id.as_str().is_empty());
            }
        }
    }

    #[test]
    fn a_repeat_has_the_same_event_id_and_another_message_does_not(
        id in "[!-~]{1,60}", other in "[!-~]{1,60}", content in ".{1,60}"
    ) {
        let call = |id: &str| message(&json!({"$type": "text", "id": id, "text": content,
            "direction": "ClientOriginated"}));
        let event_id = |id: &str| channel_call().event(call(id).as_bytes()).id;
        prop_assert_eq!(event_id(&id), event_id(&id));
        if id != other {
            prop_assert_ne!(event_id(&id), event_id(&other));
        }
    }

    #[test]
    fn parses_handover_notices_with_any_context(context in any_json()) {
        let body = format!("{{\"chatId\":\"c\",\"context\":{context}}}");
        let event = at("channel", "handover").event(body.as_bytes());
        let EventBody::Handover { context, .. } = event.body else { panic!("a handover") };
        prop_assert!(context.values().all(|value| !value.is_object() && !value.is_array()));
        prop_assert_eq!(event.at, now());
    }
}
