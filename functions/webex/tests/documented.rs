//! What the fact sheet says that we send and answer, field by field.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use std::collections::BTreeSet;

use common::{call, connection, map, no_settings, secrets};
use http::Method;
use serde_json::{Map, Value, json};
use trunkline_shared::inbound::{Inbound, Received};
use trunkline_shared::model::{
    Author, AuthorRole, Content, ConversationKey, Delivery, Event, EventBody, EventId, Mode,
    Recall, Role, Session, Target, time,
};
use trunkline_shared::outbound::{Outbound, Sending};
use trunkline_webex::Webex;

const REPLY: &str = include_str!("../fixtures/reply.json");
const HANDOVER: &str = include_str!("../fixtures/handover.json");
const ANSWER: &str = include_str!("../fixtures/answer.json");
const NEIGHBOUR: &[u8] = include_bytes!("../fixtures/neighbour-message.json");

/// The fields of an event, and its parameters in whatever order: which number one has means nothing.
fn fields(event: &Value) -> (Map<String, Value>, BTreeSet<String>) {
    let mut fields = map(event.clone());
    let mut parameters = BTreeSet::new();
    fields.retain(|name, value| {
        let is_one = name.starts_with("customparam");
        parameters.extend(value.as_str().filter(|_| is_one).map(ToOwned::to_owned));
        !is_one
    });
    (fields, parameters)
}

/// What is sent for a body at the time, and in the conversation, of a documented event.
fn sent_like(documented: &Value, body: EventBody) -> Value {
    let conversation = documented["conversation_id"].as_str().unwrap();
    let at = documented["Timestamp"].as_str().unwrap().replace(' ', "T") + "Z";
    let now = at.parse().unwrap();
    assert_eq!(time::spaced_millis(now), documented["Timestamp"].as_str().unwrap());
    let connection = connection(no_settings());
    let key = ConversationKey { channel: connection.id.clone(), customer: conversation.into() };
    let author = Author::nameless(AuthorRole::Bot);
    let delivery = Delivery {
        id: "dlv_1".into(),
        key,
        conversation: "ours".into(),
        from: "bot".parse().unwrap(),
        to: Target::addressed(&connection.as_party(), Role::Channel),
        event: Event::new(EventId::from_parts(&["e", "1"]), "ours", now, author, body),
        again: false,
        replay: false,
    };
    let session = Session::new("ours", Webex.external_id(&delivery));
    let (connection, secrets) = (&connection, &secrets());
    let (session, delivery) = (Some(&session), &delivery);
    let request = Webex.encode(&Sending { connection, secrets, session, delivery, now }).unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn the_documented_reply_is_what_we_send() {
    let documented: Value = serde_json::from_str(REPLY).unwrap();
    let content = Content::text(documented["message"].as_str().unwrap());
    let metadata = map(json!({"intent": "track_order", "confidence": 0.93}));
    let sent = sent_like(&documented, EventBody::Message { content, metadata });
    assert_eq!(fields(&sent), fields(&documented));
}

#[test]
fn the_documented_handover_is_what_we_send() {
    let documented: Value = serde_json::from_str(HANDOVER).unwrap();
    let body = EventBody::Handover {
        mode: Mode::Offer,
        reason: Some("customer_asked".into()),
        context: map(json!({"summary": "Wants to return order 48121", "language": "nl"})),
        recall: Recall::default(),
    };
    assert_eq!(fields(&sent_like(&documented, body)), fields(&documented));
}

#[test]
fn the_proposed_answer_is_what_we_answer() {
    let reply = call(&Method::POST, b"", no_settings(), |call| match Webex.receive(call) {
        Received::Answered(reply) => reply,
        other => panic!("{other:?}"),
    });
    let (ours, proposed): (Value, Value) =
        (serde_json::from_str(&reply.body).unwrap(), serde_json::from_str(ANSWER).unwrap());
    assert_eq!(ours, proposed);
}

/// The sister feature "Outbound Webhooks" posts something else: that is kept, and said.
#[test]
fn a_neighbours_message_is_kept_with_a_reason() {
    call(&Method::POST, NEIGHBOUR, no_settings(), |call| match Webex.receive(call) {
        Received::Unreadable(why) => assert!(why.contains("Conversationid"), "{why}"),
        other => panic!("{other:?}"),
    });
}
