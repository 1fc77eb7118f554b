//! Calls from Webex Connect and the responses to them.

use crate::common::{TOKEN, call, map, no_settings, now};
use http::{Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_core::model::{AuthorRole, Content, Event, EventBody, Media, Owner, ReceiptStatus};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall};
use trunkline_webex::{Settings, Webex, parse};

fn event_with(body: &[u8], settings: Value) -> Event {
    match call(&Method::POST, body, settings, |call| Webex.parse(call)) {
        ParsedCall::Events(events) => events.into_iter().next().expect("one event"),
        other => panic!("{other:?}"),
    }
}

fn event(body: &[u8]) -> Event {
    event_with(body, no_settings())
}

fn text(event: &Event) -> Option<&str> {
    match &event.body {
        EventBody::Message { content, .. } => content.text.as_deref(),
        _ => None,
    }
}

/// Shows W2, W11, W20.
#[test]
fn parses_a_message() {
    let event = event(include_bytes!("../fixtures/message.json"));
    assert_eq!(text(&event), Some("Where is my parcel?"));
    assert_eq!(event.id.as_str(), "m:3f6a1f0e-6c7d-4a0a-9b1e-5d2c7e8f9a01");
    assert_eq!(event.external_conversation_id, "8f0f5a52-9c1e-4a58-9d0b-2b1c7a6f1e33");
    assert_eq!(event.channel.as_deref(), Some("WhatsApp"));
    assert_eq!(event.at, "2026-03-04T09:15:20.89Z".parse().unwrap());
    assert_eq!((event.author.role, event.claimed_owner), (AuthorRole::Customer, Some(Owner::Bot)));
}

#[test]
fn parses_media_as_a_url_and_as_a_json_string() {
    let jpeg = EventBody::Message {
        content: Content {
            media: vec![Media {
                url: "https://media.example.net/in/abc.jpg".into(),
                mime_type: Some("image/jpeg".into()),
                ..Media::default()
            }],
            ..Content::default()
        },
        metadata: map(json!({"message_type": "image"})),
    };
    assert_eq!(event(include_bytes!("../fixtures/message-media-url.json")).body, jpeg);
    assert_eq!(event(include_bytes!("../fixtures/message-media-json-text.json")).body, jpeg);
}

/// Shows W3, W12, W14, W15, W30.
#[test]
fn a_message_outside_a_bot_conversation_claims_the_desk() {
    let event = event(include_bytes!("../fixtures/message-with-agent.json"));
    assert_eq!((event.author.role, event.claimed_owner), (AuthorRole::Unknown, Some(Owner::Desk)));
}

/// Shows W23.
#[test]
fn a_postback_is_a_choice_identified_by_payload_and_time() {
    let event = event(include_bytes!("../fixtures/postback.json"));
    assert_eq!(
        event.body,
        EventBody::Choice { id: "TRACK_ORDER".into(), title: None, typed: None }
    );
    let later = include_str!("../fixtures/postback.json").replace("45.03", "45.04");
    assert_ne!(self::event(later.as_bytes()).id, event.id);
}

/// Shows W24.
#[test]
fn receipts_of_one_message_differ_by_status() {
    let failed = event(include_bytes!("../fixtures/delivery-failed.json"));
    assert_eq!(
        failed.body,
        EventBody::Receipt {
            target: None,
            message: "b7b1a9d0-6f13-4a5a-bb52-1c2d3e4f5a60".into(),
            status: ReceiptStatus::Failed,
            reason: Some("Recipient is not a WhatsApp user".into()),
        }
    );
    let read = include_str!("../fixtures/delivery-failed.json").replace("Failed", "Read");
    assert_ne!(event(read.as_bytes()).id, failed.id);
}

/// Shows W22, W23, W24, W27.
#[test]
fn parses_the_documented_samples_verbatim() {
    let message = event(include_bytes!("../fixtures/documented-message.txt"));
    assert_eq!(text(&message), Some("see https://shop.example/48121"));
    assert_eq!(message.id.as_str(), "m:m-1");
    let postback = event(include_bytes!("../fixtures/documented-postback.txt"));
    assert_eq!(
        postback.body,
        EventBody::Choice { id: "PAYLOAD VALUE".into(), title: None, typed: None }
    );
    let delivery = event(include_bytes!("../fixtures/documented-delivery.txt"));
    let EventBody::Receipt { status, .. } = delivery.body else { panic!("a receipt") };
    assert_eq!(status, ReceiptStatus::Other("Delivered/Failed/Read".into()));
}

/// Shows W22.
#[test]
fn accepts_any_key_spelling_and_numbers_as_text() {
    let body = br#"{"conversation_id": 7, "CONVERSATION-TYPE": "bot", "message": 12.50,
                    "message_id": 9, "event": " incoming   MESSAGE "}"#;
    let event = event(body);
    assert_eq!((event.external_conversation_id.as_str(), event.id.as_str()), ("7", "m:9"));
    assert_eq!(text(&event), Some("12.5"));
    assert_eq!(event.at, now(), "without a timestamp, the time of arrival");
}

#[test]
fn an_unknown_event_is_opaque_and_closes_only_with_closed_events() {
    let body = br#"{"Conversationid":"c","Event":"Chat closed by agent"}"#;
    let EventBody::Opaque { name, raw, .. } = event(body).body else { panic!("opaque") };
    assert_eq!((name.as_str(), &raw["Conversationid"]), ("Chat closed by agent", &json!("c")));
    let closed = event_with(body, json!({"closed_events": true})).body;
    assert_eq!(closed, EventBody::Close { reason: Some("Chat closed by agent".into()) });
}

/// Shows input 14.
#[test]
fn of_two_spellings_the_one_with_a_value_counts() {
    let body = br#"{"Conversationid":"c-14","conversation_id":"","ConversationType":"BOT",
        "conversation_type":null,"Message":"hello","message":null,"Media":[],"media":"",
        "Messageid":"m-14","Event":"Incoming message","Timestamp":"2026-11-28 06:00:00.00"}"#;
    let event = event(body);
    assert_eq!((event.external_conversation_id.as_str(), text(&event)), ("c-14", Some("hello")));
    assert_eq!(event.claimed_owner, Some(Owner::Bot));
    let reverse = br#"{"Conversationid":" ","conversation_id":"c-14","Event":null,
        "event":"Incoming message","Message":"","message":"hello"}"#;
    let event = self::event(reverse);
    assert_eq!((event.external_conversation_id.as_str(), text(&event)), ("c-14", Some("hello")));
    let both = self::event(br#"{"Conversationid":"c","CONVERSATIONID":"b","conversationid":"a"}"#);
    assert_eq!(both.external_conversation_id, "c", "the documented spelling");
}

/// Shows input 8, input 10, input 11.
#[test]
fn half_an_emoji_a_byte_order_mark_and_null_do_not_lose_a_message() {
    let body = "\u{feff}{\"Conversationid\":\"c-1\",\"ConversationType\":\"BOT\",\"Message\":\"Great \\ud83d\",\
        \"MessageType\":null,\"Media\":null,\"Messageid\":\"m-8\",\"Channel\":null,\"PostbackPayload\":null,\
        \"Event\":\"Incoming message\",\"Timestamp\":null}";
    for body in [body.to_owned(), body.replace('}', ",}")] {
        let event = event(body.as_bytes());
        assert_eq!((text(&event), event.id.as_str()), (Some("Great \u{fffd}"), "m:m-8"), "{body}");
        assert_eq!((event.channel, event.at), (None, now()));
    }
}

/// Shows W18.
#[test]
fn key_order_does_not_change_the_event_id() {
    let one = event(br#"{"Conversationid":"c","Event":"Incoming message","Message":"x"}"#);
    let two = event(br#"{"Message":"x","Event":"Incoming message","Conversationid":"c"}"#);
    assert_eq!(one.id, two.id);
}

/// Shows W4, W6, W7, W8, W19.
#[test]
fn every_response_is_200_with_the_token() {
    let unreadable = |body: &[u8]| {
        call(&Method::POST, body, no_settings(), |call| match Webex.parse(call) {
            ParsedCall::Unreadable(why) => Webex.reply(call, &CallOutcome::Unreadable(&why)),
            other => panic!("{other:?}"),
        })
    };
    let answered = |method: Method, body: &[u8]| {
        call(&method, body, no_settings(), |call| match Webex.parse(call) {
            ParsedCall::Reply(reply) => reply,
            other => panic!("{other:?}"),
        })
    };
    let too_large =
        call(&Method::POST, b"", no_settings(), |c| Webex.reply(c, &CallOutcome::TooLarge));
    for reply in [
        unreadable(b"not json"),
        unreadable(b"\xff\xfe"),
        unreadable(b"[1, 2]"),
        unreadable(br#"{"Event":"Incoming message"}"#),
        answered(Method::HEAD, b""),
        answered(Method::GET, b""),
        answered(Method::POST, b""),
        answered(Method::POST, b" {} "),
        answered(Method::POST, b"[]"),
        too_large,
    ] {
        assert_eq!(reply.status, StatusCode::OK);
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        for spelling in ["verificationToken", "verification_token", "VerificationToken", "token"] {
            assert_eq!(body[spelling], TOKEN);
        }
        assert!(reply.headers.contains(&("x-verification-token", TOKEN.into())));
    }
    let text = json!({"response_format": "text"});
    let bare = call(&Method::POST, b"", text, |call| Webex.parse(call));
    assert!(matches!(bare, ParsedCall::Reply(reply) if reply.body == TOKEN));
}

#[test]
fn a_wrong_token_is_rejected_only_with_reject_wrong_token() {
    let body = br#"{"Conversationid":"c","Event":"Incoming message","Message":"x",
                    "verification_token":"another"}"#;
    assert_eq!(text(&event(body)), Some("x"));
    let strict = json!({"reject_wrong_token": true});
    let rejected = call(&Method::POST, body, strict, |call| Webex.parse(call));
    assert!(matches!(rejected, ParsedCall::Unreadable(_)));
    let correct = String::from_utf8_lossy(body).replace("another", TOKEN);
    let strict = json!({"reject_wrong_token": true});
    assert_eq!(text(&event_with(correct.as_bytes(), strict)), Some("x"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z_]{0,14}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        call(&Method::POST, &body, no_settings(), |call| { let _ = Webex.parse(call); });
    }

    #[test]
    fn arbitrary_values_of_known_keys_never_panic(
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["Conversationid", "ConversationType", "Message", "Messageid",
                "MessageType", "location", "contacts", "customparam1", "Media", "Channel", "Event", "Timestamp", "PostbackPayload", "DeliveryStatus"]),
            any_json(), 0..10)
    ) {
        let object = map(Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
        let _ = parse(&object, &Settings::default(), now());
    }

    /// Shows W18.
    #[test]
    fn a_retry_has_the_same_event_id(id in ".{1,60}", message in ".{0,60}") {
        let body = json!({"Conversationid": "c", "Event": "Incoming message",
                          "Messageid": id, "Message": message}).to_string();
        prop_assume!(!id.trim().is_empty());
        prop_assert_eq!(event(body.as_bytes()).id, event(body.as_bytes()).id);
    }
}
