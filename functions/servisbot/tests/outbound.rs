//! Calls to a ServisBOT bot.

use crate::common::{CONVERSATION, delivery, now, sending, text_message};
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Content, Delivery, EarlierMessage, Event, EventBody, EventId, HandoverMode,
    ReceiptStatus, Role, Transcript, TranscriptEntry,
};
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::outbound::{EncodeError, Outbound};
use trunkline_runtime::secrets::SecretBag;
use trunkline_servisbot::Servisbot;

fn settings() -> Value {
    json!({"engagement_url": "https://engagement.eu-1.servisbot.com/picard/v1/engage/acme-webhook"})
}

fn encode(delivery: &Delivery, settings: &Value) -> Result<HttpRequest, EncodeError> {
    sending(delivery, settings, |sending| Servisbot::default().encode(sending))
}

fn sent(body: EventBody, settings: &Value) -> Value {
    let request = encode(&delivery(Role::Bot, AuthorRole::Customer, body), settings).unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

fn is_unsupported(body: EventBody, settings: &Value) -> bool {
    let delivery = delivery(Role::Bot, AuthorRole::Customer, body);
    matches!(encode(&delivery, settings), Err(EncodeError::Unsupported(_)))
}

fn standalone() -> Value {
    let mut settings = with_context_updates();
    settings["context_form"] = json!("standalone");
    settings
}

fn with_context_updates() -> Value {
    let mut settings = settings();
    settings["context_updates"] = json!(true);
    settings
}

#[test]
fn encodes_a_message_as_documented() {
    let expected = include_str!("../fixtures/engage-message.json");
    let expected = expected.replace("hub-user-4711", CONVERSATION);
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(sent(text_message("where is my order"), &settings()), expected);
    let delivery = delivery(Role::Bot, AuthorRole::Customer, text_message("x"));
    let request = encode(&delivery, &settings()).unwrap();
    assert_eq!(request.url, settings()["engagement_url"]);
    assert_eq!(request.headers["authorization"], "Bearer engage-7d1f", "the newest secret");
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(
        !format!("{:?}", request.headers).contains("engage-7d1f"),
        "debug output hides secrets"
    );
}

/// Shows S23.
#[test]
fn encodes_a_choice_as_its_label() {
    let choice = |title: Option<&str>| EventBody::Choice {
        id: "1".into(),
        title: title.map(Into::into),
        typed: Some("2".into()),
    };
    assert_eq!(sent(choice(Some("Refund")), &settings())["Value"], "Refund");
    assert_eq!(sent(choice(None), &settings())["Value"], "1", "the id is the only text");
}

/// Shows input 23.
#[test]
fn context_goes_with_the_message_as_in_servisbots_sample() {
    let mut delivery = delivery(Role::Bot, AuthorRole::Customer, text_message("where is my order"));
    delivery.event.channel = Some("WhatsApp".into());
    delivery.event.language = Some("nl".into());
    let sent = |delivery: &Delivery, settings: &Value| -> Value {
        serde_json::from_slice(&encode(delivery, settings).unwrap().body).unwrap()
    };
    let expected = include_str!("../fixtures/engage-context.json");
    let expected = expected.replace("hub-user-4711", CONVERSATION);
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(sent(&delivery, &with_context_updates()), expected);
    for other in [settings(), standalone()] {
        assert_eq!(sent(&delivery, &other)["Context"], Value::Null, "{other}");
    }
    delivery.event.author.name = Some("Noor".into());
    delivery.event.body =
        EventBody::Choice { id: "1".into(), title: Some("Refund".into()), typed: None };
    let picked = sent(&delivery, &with_context_updates());
    assert_eq!(picked["Value"], "Refund");
    let known = json!({"channel": "WhatsApp", "language": "nl", "customer": "Noor", "choice": "1"});
    assert_eq!(picked["Context"], known);
    let metadata = Map::from_iter([("order".to_owned(), json!("48121"))]);
    delivery.event = Event::new(
        delivery.event.id,
        "c",
        now(),
        Author::nameless(AuthorRole::Customer),
        EventBody::Message { content: Content::text("hi"), metadata },
    );
    assert_eq!(sent(&delivery, &with_context_updates())["Context"], json!({"order": "48121"}));
}

/// Shows input 23.
#[test]
fn a_secret_may_be_configured_with_its_scheme() {
    let delivery = delivery(Role::Bot, AuthorRole::Customer, text_message("x"));
    let connection = crate::common::connection("bot", &settings());
    let mut secrets = SecretBag::default();
    secrets.set("engagement_secret", vec!["Bearer 5f0c3a52-1b7e".to_owned()]);
    let sending = trunkline_runtime::outbound::SendContext {
        connection: &connection,
        settings: &crate::common::parsed(&settings()),
        secrets: &secrets,
        session: None,
        delivery: &delivery,
        now: now(),
    };
    let request = Servisbot::default().encode(&sending).unwrap();
    assert_eq!(request.headers["authorization"], "Bearer 5f0c3a52-1b7e");
}

#[test]
fn rejects_unsupported_events() {
    let handback = || EventBody::Handback {
        reason: None,
        context: Map::new(),
        transcript: Transcript::default(),
    };
    let earlier = EarlierMessage::new("m", EventId::from_parts(&["m"]));
    for body in [
        handback(),
        EventBody::Handover {
            mode: HandoverMode::Offer,
            reason: None,
            context: Map::new(),
            transcript: Transcript::default(),
        },
        EventBody::Close { reason: None },
        EventBody::Typing { active: true },
        EventBody::Accept,
        EventBody::Receipt {
            message: "m".into(),
            target: None,
            status: ReceiptStatus::Read,
            reason: None,
        },
        EventBody::Reaction { earlier: earlier.clone(), emoji: "x".into(), removed: true },
        EventBody::Delete { earlier, notice: None },
        EventBody::Opaque { is_message: true, name: "x".into(), raw: Value::Null },
        text_message("  "),
    ] {
        let kind = body.kind();
        assert!(is_unsupported(body, &settings()), "{kind}");
    }
    assert!(!is_unsupported(handback(), &with_context_updates()));
}

#[test]
fn rejects_copies() {
    let mut copy = delivery(Role::Bot, AuthorRole::Customer, text_message("to the agent"));
    copy.to.copy = true;
    assert!(matches!(encode(&copy, &settings()), Err(EncodeError::Unsupported(_))));
}

/// Shows input 23.
#[test]
fn a_handback_updates_the_context_with_context_updates() {
    let line = |role, text: &str| TranscriptEntry {
        at: now(),
        author: Author::nameless(role),
        content: Content::text(text),
    };
    let lines = vec![line(AuthorRole::Customer, "help"), line(AuthorRole::Agent, "done")];
    let recall = Transcript { limit: 5, entries: lines, ..Transcript::default() };
    let context = Map::from_iter([("order".to_owned(), json!("48121"))]);
    let handback =
        EventBody::Handback { reason: Some("solved".into()), context, transcript: recall };
    let value = json!({"order": "48121", "event": "handback", "reason": "solved",
                       "transcript": "customer: help\nagent: done"});
    assert_eq!(
        sent(handback.clone(), &with_context_updates()),
        json!({"Type": "message", "Value": "handback", "CustomerReference": CONVERSATION,
               "Context": value})
    );
    assert_eq!(
        sent(handback, &standalone()),
        json!({"Type": "context", "Value": value, "CustomerReference": CONVERSATION})
    );
    let close = sent(EventBody::Close { reason: None }, &with_context_updates());
    assert_eq!((&close["Value"], &close["Context"]), (&json!("close"), &json!({"event": "close"})));
}

#[test]
fn errors_name_the_missing_setting_or_secret() {
    let delivery = delivery(Role::Bot, AuthorRole::Customer, text_message("x"));
    let Err(EncodeError::Misconfigured(why)) = encode(&delivery, &json!({})) else { panic!() };
    assert_eq!(why, "the setting engagement_url is missing");
    let connection = crate::common::connection("bot", &settings());
    let sending = trunkline_runtime::outbound::SendContext {
        connection: &connection,
        settings: &crate::common::parsed(&settings()),
        secrets: &SecretBag::default(),
        session: None,
        delivery: &delivery,
        now: now(),
    };
    let Err(EncodeError::Misconfigured(why)) = Servisbot::default().encode(&sending) else {
        panic!()
    };
    assert_eq!(why, "the secret engagement_secret is missing");
}
