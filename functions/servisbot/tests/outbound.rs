//! What ServisBOT is sent as a bot, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{CONVERSATION, delivery, now, says, sending};
use serde_json::{Map, Value, json};
use trunkline_servisbot::Servisbot;
use trunkline_shared::http_client::Request;
use trunkline_shared::model::{
    Author, AuthorRole, Content, Delivery, EventBody, Line, Mode, Recall, ReceiptStatus, Role,
};
use trunkline_shared::outbound::{Outbound, Unsendable};
use trunkline_shared::secrets::SecretBag;

fn settings() -> Value {
    json!({"engagement_url": "https://engagement.eu-1.servisbot.com/picard/v1/engage/acme-webhook"})
}

fn encode(delivery: &Delivery, settings: &Value) -> Result<Request, Unsendable> {
    sending(delivery, settings, |sending| Servisbot::default().encode(sending))
}

fn sent(body: EventBody, settings: &Value) -> Value {
    let request = encode(&delivery(Role::Bot, AuthorRole::Customer, body), settings).unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

fn unsent(body: EventBody, settings: &Value) -> bool {
    let delivery = delivery(Role::Bot, AuthorRole::Customer, body);
    matches!(encode(&delivery, settings), Err(Unsendable::NoForm(_)))
}

fn knowing() -> Value {
    let mut settings = settings();
    settings["context_updates"] = json!(true);
    settings
}

#[test]
fn a_message_is_as_the_vendors_page_has_it() {
    let expected = include_str!("../fixtures/engage-message.json");
    let expected = expected.replace("hub-user-4711", CONVERSATION);
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(sent(says("where is my order"), &settings()), expected);
    let delivery = delivery(Role::Bot, AuthorRole::Customer, says("x"));
    let request = encode(&delivery, &settings()).unwrap();
    assert_eq!(request.url, settings()["engagement_url"]);
    assert_eq!(request.headers["authorization"], "Bearer engage-7d1f", "the newest secret");
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(!format!("{:?}", request.headers).contains("engage-7d1f"), "a secret is not shown");
}

#[test]
fn a_choice_is_said_by_its_label() {
    let choice = |title: Option<&str>| EventBody::Choice {
        id: "1".into(),
        title: title.map(Into::into),
        typed: Some("2".into()),
    };
    assert_eq!(sent(choice(Some("Refund")), &settings())["Value"], "Refund");
    assert_eq!(sent(choice(None), &settings())["Value"], "1", "nothing else is known");
}

#[test]
fn what_has_no_form_is_not_sent() {
    let handback =
        || EventBody::Handback { reason: None, context: Map::new(), recall: Recall::default() };
    for body in [
        handback(),
        EventBody::Handover {
            mode: Mode::Offer,
            reason: None,
            context: Map::new(),
            recall: Recall::default(),
        },
        EventBody::Close { reason: None },
        EventBody::Typing { active: true },
        EventBody::Accept,
        EventBody::Receipt {
            message: "m".into(),
            about: None,
            status: ReceiptStatus::Read,
            reason: None,
        },
        EventBody::Edit { message: "m".into(), content: Content::text("x") },
        EventBody::Delete { message: "m".into() },
        EventBody::Opaque { said: true, name: "x".into(), raw: Value::Null },
        says("  "),
    ] {
        let kind = body.kind();
        assert!(unsent(body, &settings()), "{kind}");
    }
    assert!(!unsent(handback(), &knowing()));
}

#[test]
fn a_copy_is_never_sent_for_the_bot_would_answer_it() {
    let mut copy = delivery(Role::Bot, AuthorRole::Customer, says("to the agent"));
    copy.to.copy = true;
    assert!(matches!(encode(&copy, &settings()), Err(Unsendable::NoForm(_))));
}

#[test]
fn a_hand_back_updates_the_context_where_that_is_wanted() {
    let line = |role, text: &str| Line {
        at: now(),
        author: Author::nameless(role),
        content: Content::text(text),
    };
    let lines = vec![line(AuthorRole::Customer, "help"), line(AuthorRole::Agent, "done")];
    let recall = Recall { last: 5, lines, ..Recall::default() };
    let context = Map::from_iter([("order".to_owned(), json!("48121"))]);
    let handback = EventBody::Handback { reason: Some("solved".into()), context, recall };
    assert_eq!(
        sent(handback, &knowing()),
        json!({"Type": "context", "CustomerReference": CONVERSATION, "Value": {
            "order": "48121", "event": "handback", "reason": "solved",
            "transcript": "customer: help\nagent: done"}})
    );
    let close = sent(EventBody::Close { reason: None }, &knowing());
    assert_eq!(close["Value"], json!({"event": "close"}));
}

#[test]
fn what_is_missing_is_named() {
    let delivery = delivery(Role::Bot, AuthorRole::Customer, says("x"));
    let Err(Unsendable::Misconfigured(why)) = encode(&delivery, &json!({})) else { panic!() };
    assert_eq!(why, "the setting engagement_url is missing");
    let connection = common::connection("bot", &settings());
    let sending = trunkline_shared::outbound::Sending {
        connection: &connection,
        secrets: &SecretBag::default(),
        session: None,
        delivery: &delivery,
        now: now(),
    };
    let Err(Unsendable::Misconfigured(why)) = Servisbot::default().encode(&sending) else {
        panic!()
    };
    assert_eq!(why, "the secret engagement_secret is missing");
}
