//! Parses Unblu's webhooks and outbound requests, and checks the replies.

use crate::common::{
    NEW_MESSAGE, NEW_MESSAGE_REQUEST, SECRET, answer, call, headers, is_signed, no_settings, now,
    post, post_signed, post_signed_with, sign,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, Event, EventBody, Format, ReceiptStatus,
};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall};
use trunkline_runtime::security::AuthError;
use trunkline_unblu::{Unblu, intended_recipient};

const WEBHOOK: &str = include_str!("../fixtures/new-message-webhook.json");
const OUTBOUND: &str = include_str!("../fixtures/new-message-outbound.json");

fn event_with(settings: &Value, name: (&str, &str), body: &str) -> Event {
    match post_signed_with(settings, name, body).0 {
        ParsedCall::Events(mut events) => events.remove(0),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn event(body: &str) -> Event {
    event_with(&no_settings(), NEW_MESSAGE, body)
}

pub(crate) fn content(body: &str) -> Content {
    match event(body).body {
        EventBody::Message { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn choice(id: &str, title: &str) -> Choice {
    Choice { id: id.into(), title: title.into() }
}

/// Shows U4, U19.
#[test]
fn a_webhook_and_an_outbound_request_of_one_message_are_the_same_event() {
    let (webhook, outbound) =
        (event(WEBHOOK), event_with(&no_settings(), NEW_MESSAGE_REQUEST, OUTBOUND));
    for event in [&webhook, &outbound] {
        assert_eq!(event.id.as_str(), "m:mEsSaGeIdExample0000001");
        assert_eq!(event.external_message_id, Some("mEsSaGeIdExample0000001".into()));
        assert_eq!(event.external_conversation_id, "cOnVeRsAtIoNiDexample01");
        assert_eq!(event.at, "2025-12-31T23:59:59.99Z".parse().unwrap());
        let author = Author { role: AuthorRole::Agent, name: Some("Grace Hopper".into()) };
        assert_eq!(event.author, author);
    }
    let EventBody::Message { content, .. } = webhook.body else { panic!("a message") };
    let expected = Content {
        format: Format::Markdown,
        choices: vec![choice("Track my order", "Track my order")],
        ..Content::text("How can **I** help?")
    };
    assert_eq!(content, expected);
    let EventBody::Message { content, .. } = outbound.body else { panic!("a message") };
    assert_eq!(content, Content::text("How can I help?"));
}

/// Shows U4.
#[test]
fn webhooks_and_outbound_requests_get_their_replies() {
    let (_, reply) = post_signed(NEW_MESSAGE, WEBHOOK);
    assert_eq!((reply.status, answer(&reply)), (StatusCode::OK, json!({})));
    let (_, reply) = post_signed(NEW_MESSAGE_REQUEST, OUTBOUND);
    assert!(is_signed(&reply) && reply.status == StatusCode::OK, "{reply:?}");
    // `externalMessageId` is optional (UA4), and Trunkline has none yet.
    let mut documented: Value =
        serde_json::from_str(include_str!("../fixtures/new-message-response.json")).unwrap();
    documented.as_object_mut().unwrap().remove("externalMessageId");
    assert_eq!(answer(&reply), documented);
}

#[test]
fn finds_the_intended_recipient_of_an_agents_message() {
    assert_eq!(
        intended_recipient(OUTBOUND.as_bytes()),
        None,
        "not in the form <channel>/<customer>"
    );
    let body = OUTBOUND.replace("hub-user-4711", "shop/+31 6");
    let key = intended_recipient(body.as_bytes()).unwrap();
    assert_eq!((key.channel.as_str(), key.customer.as_str()), ("shop", "+31 6"));
    assert_eq!(intended_recipient(WEBHOOK.as_bytes()), None, "webhooks list no receiving contacts");
    assert_eq!(intended_recipient(b"not json"), None);
}

/// Shows U9.
#[test]
fn internal_notes_own_messages_and_system_messages_are_not_passed_on() {
    for (body, kept_as) in [
        (include_str!("../fixtures/message-internal.json"), "internal"),
        (include_str!("../fixtures/message-own.json"), "our own"),
        (include_str!("../fixtures/message-system.json"), "SYSTEM"),
    ] {
        let EventBody::Opaque { is_message, name, raw } = event(body).body else {
            panic!("{body}")
        };
        assert_eq!((is_message, name.as_str()), (false, kept_as));
        assert!(!raw.to_string().contains("Careful"), "the text of internal notes is not stored");
    }
    let own = include_str!("../fixtures/message-own.json");
    for only in [own.replace("VIRTUAL", "USER_DB"), own.replace("dlv_", "hub-")] {
        assert!(
            matches!(event(&only).body, EventBody::Opaque { .. }),
            "either criterion is sufficient"
        );
    }
    let part = include_str!("../fixtures/message-own.json").replace("AAA\"", "AAA#2\"");
    assert!(matches!(event(&part).body, EventBody::Opaque { .. }));
    let system = include_str!("../fixtures/message-system.json");
    let event = event_with(&json!({"system_messages": true}), NEW_MESSAGE, system);
    assert_eq!(event.author.role, AuthorRole::System);
    assert!(matches!(event.body, EventBody::Message { .. }));
}

#[test]
fn maps_person_types_to_roles() {
    let bot = event(include_str!("../fixtures/message-by-bot.json"));
    assert_eq!(bot.author, Author { role: AuthorRole::Bot, name: Some("Queue Bot".into()) });
    let visitor = include_str!("../fixtures/message-own.json")
        .replace("VIRTUAL", "USER_DB")
        .replace("dlv_", "x-");
    assert_eq!(event(&visitor).author.role, AuthorRole::Participant, "another visitor");
}

/// Shows U21.
#[test]
fn message_states_become_receipts_by_delivery_id() {
    let delivery_id = crate::common::delivery_id("m1");
    let webhook = include_str!("../fixtures/message-state-webhook.json")
        .replace("hub-msg-5002", &delivery_id);
    let outbound = include_str!("../fixtures/message-state-outbound.json")
        .replace("hub-msg-5002", &delivery_id);
    let name = ("x-unblu-event", "external_messenger.message_state");
    let service = ("x-unblu-service-name", "outbound.external_messenger.message_state");
    for (name, body, status, at) in [
        (name, &webhook, ReceiptStatus::Read, "2026-01-01T00:00:01Z".parse().unwrap()),
        (service, &outbound, ReceiptStatus::Delivered, now()),
    ] {
        let event = event_with(&no_settings(), name, body);
        let message = delivery_id.as_str().into();
        assert_eq!(event.body, EventBody::Receipt { message, target: None, status, reason: None });
        assert_eq!(
            (event.external_conversation_id.as_str(), event.at),
            ("cOnVeRsAtIoNiDexample01", at)
        );
    }
    let (_, reply) = post_signed(service, &outbound);
    let documented: Value =
        serde_json::from_str(include_str!("../fixtures/message-state-response.json")).unwrap();
    assert_eq!(answer(&reply), documented);
    for other in ["hub-msg-5002", &format!("{delivery_id}#1")] {
        let body = webhook.replace(&delivery_id, other);
        let event = event_with(&no_settings(), name, &body);
        assert!(
            matches!(event.body, EventBody::Opaque { is_message: false, .. }),
            "no receipt is expected"
        );
    }
}

/// Shows U2.
#[test]
fn an_agents_end_becomes_a_close() {
    let name = ("x-unblu-event", "conversation.ended");
    let body = include_str!("../fixtures/conversation-ended.json");
    let event = event_with(&no_settings(), name, body);
    assert_eq!(event.body, EventBody::Close { reason: Some("ENDED_BY_PARTICIPANT".into()) });
    assert_eq!(event.external_conversation_id, "cOnVeRsAtIoNiDexample01");
    assert_eq!(event.author.name.as_deref(), Some("Grace Hopper"));
    let ended = |change: Value| {
        let mut body: Value = serde_json::from_str(body).unwrap();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let event = event_with(&no_settings(), name, &body.to_string());
        let EventBody::Close { reason } = event.body else { panic!("a close") };
        (reason, event.author.role)
    };
    let commented = ended(json!({"endReason": "OTHER", "endComment": "A test"}));
    assert_eq!(commented, (Some("OTHER: A test".into()), AuthorRole::Agent));
    for (person, role) in [
        (json!(null), AuthorRole::System),
        (json!({"personType": "BOT"}), AuthorRole::Bot),
        (json!({"personType": "VISITOR"}), AuthorRole::Participant),
        (json!({"personType": "SYSTEM"}), AuthorRole::System),
    ] {
        assert_eq!(ended(json!({"endPerson": person})).1, role, "{person}");
    }
    for channel in ["\"another channel\"", "null"] {
        let body = body.replace("\"cHaNnElIdExample0000001\"", channel);
        let (received, reply) = post_signed(name, &body);
        assert!(
            matches!(received, ParsedCall::Reply(_)),
            "a conversation of another channel is ignored: {received:?}"
        );
        assert_eq!(reply.status, StatusCode::OK);
    }
}

#[test]
fn answers_pings_by_webhook_and_outbound_request() {
    let ping = include_str!("../fixtures/ping-request.json");
    let (received, reply) = post_signed(("x-unblu-service-name", "outbound.ping"), ping);
    assert!(matches!(received, ParsedCall::Reply(_)) && is_signed(&reply));
    let documented: Value =
        serde_json::from_str(include_str!("../fixtures/ping-response.json")).unwrap();
    assert_eq!(answer(&reply), documented);
    let (_, reply) =
        post_signed(("x-unblu-event", "ping"), include_str!("../fixtures/ping-webhook.json"));
    assert_eq!((reply.status, answer(&reply)["pingId"].clone()), (StatusCode::OK, Value::Null));
}

#[test]
fn replies_to_create_contact() {
    let name = ("x-unblu-service-name", "outbound.external_messenger.create_contact");
    let request = include_str!("../fixtures/create-contact-request.json");
    let (_, reply) = post_signed(name, request);
    let documented: Value =
        serde_json::from_str(include_str!("../fixtures/create-contact-create.json")).unwrap();
    assert!(is_signed(&reply));
    assert_eq!(answer(&reply), documented);

    let shop = json!({"contact_channel": "shop"});
    let source =
        |request: &str| answer(&post_signed_with(&shop, name, request).1)["sourceId"].clone();
    assert_eq!(source(request), "shop/hub-user-4711");
    assert_eq!(source(&request.replace("hub-user-4711", "other/4711")), "other/4711");

    let mut invalid: Value =
        serde_json::from_str(include_str!("../fixtures/create-contact-invalid.json")).unwrap();
    let answered =
        answer(&post_signed(name, &request.replace("hub-user-4711", &"x".repeat(251))).1);
    invalid["errorText"] = answered["errorText"].clone();
    assert_eq!(answered, invalid);
}

/// Shows U13.
#[test]
fn replies_to_create_conversation() {
    let request = include_str!("../fixtures/create-conversation-request.json");
    let reply_to = |invocation: &str| {
        let signature = sign(SECRET, request.as_bytes());
        let headers = headers([
            ("x-unblu-service-name", "outbound.external_messenger.create_conversation"),
            ("x-unblu-invocation-id", invocation),
            ("x-unblu-signature-256", &signature),
        ]);
        let reply = post(&no_settings(), &headers, request.as_bytes()).1;
        assert!(is_signed(&reply));
        answer(&reply)
    };
    let mut documented: Value =
        serde_json::from_str(include_str!("../fixtures/create-conversation-create.json")).unwrap();
    let answered = reply_to("i-1");
    documented["sourceId"] = answered["sourceId"].clone();
    documented["sourceUrl"] = Value::Null;
    assert_eq!(answered, documented);
    assert_eq!(reply_to("i-1"), answered, "a repeated request gets the same reply");
    assert_ne!(reply_to("i-2"), answered);
}

#[test]
fn rejects_wrong_signatures() {
    for (signature, why) in [
        (("x-unblu-signature-256", "00"), AuthError::Mismatch),
        (("x-unblu-signature", &*sign(SECRET, WEBHOOK.as_bytes())), AuthError::Mismatch),
        (("accept", "*/*"), AuthError::InvalidHeader("x-unblu-signature-256")),
    ] {
        for name in [NEW_MESSAGE, ("x-unblu-event", "ping")] {
            let (received, reply) =
                post(&no_settings(), &headers([name, signature]), WEBHOOK.as_bytes());
            assert_eq!(received, ParsedCall::Denied(why.clone()));
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        }
    }
    let rotated = sign("the new one", WEBHOOK.as_bytes());
    let headers = headers([NEW_MESSAGE, ("x-unblu-signature-256", &rotated)]);
    let (received, reply) = post(&no_settings(), &headers, WEBHOOK.as_bytes());
    assert!(matches!(received, ParsedCall::Events(_)));
    let signature = ("x-unblu-signature-256", sign("the new one", reply.body.as_bytes()));
    assert!(reply.headers.contains(&signature), "the reply is signed with the secret of the call");
}

#[test]
fn unreadable_webhooks_get_200_and_unreadable_outbound_requests_400() {
    for body in ["", "[]", "{", "{}", r#"{"conversationMessage":{"id":"x"}}"#] {
        let (received, reply) = post_signed(NEW_MESSAGE, body);
        assert!(matches!(received, ParsedCall::Unreadable(_)), "{body}: {received:?}");
        assert_eq!(reply.status, StatusCode::OK);
        let (received, reply) = post_signed(NEW_MESSAGE_REQUEST, body);
        assert!(matches!(received, ParsedCall::Unreadable(_)), "{body}: {received:?}");
        assert!(reply.status == StatusCode::BAD_REQUEST && is_signed(&reply));
    }
    let (received, _) = post_signed(("accept", "*/*"), WEBHOOK);
    assert!(matches!(received, ParsedCall::Unreadable(_)), "neither header: {received:?}");
    let (received, reply) = post_signed(("x-unblu-service-name", "outbound.bot.dialog"), "{}");
    assert!(matches!(received, ParsedCall::Unreadable(_)));
    assert_eq!(answer(&reply)["$_type"], "Error");
    let size = |name| {
        let headers = headers([name]);
        call(&no_settings(), &Method::POST, &headers, b"", |c| {
            Unblu.reply(c, &CallOutcome::TooLarge).status
        })
    };
    assert_eq!((size(NEW_MESSAGE).as_u16(), size(NEW_MESSAGE_REQUEST).as_u16()), (200, 413));
}

#[test]
fn other_webhooks_become_opaque_events_with_their_own_ids() {
    let name = ("x-unblu-event", "conversation.new_message");
    let other = event_with(&no_settings(), name, WEBHOOK);
    assert!(matches!(other.body, EventBody::Opaque { is_message: false, .. }));
    assert_eq!(other.external_conversation_id, "cOnVeRsAtIoNiDexample01");
    assert_ne!(other.id, event(WEBHOOK).id);
    let (received, _) = post_signed(("x-unblu-event", "agent.created"), "{}");
    assert!(matches!(received, ParsedCall::Unreadable(_)));
}

#[test]
fn a_get_request_reports_that_the_endpoint_is_ready() {
    let get = |method| {
        call(&no_settings(), &method, &HeaderMap::new(), b"", |call| match Unblu.parse(call) {
            ParsedCall::Reply(reply) => reply.status.as_u16(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!((get(Method::GET), get(Method::DELETE)), (200, 405));
}
