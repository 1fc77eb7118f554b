//! Outbound events and responses match the fact sheet's documented ones, field by field.

use std::collections::BTreeSet;

use crate::common::{call, connection, map, no_settings, secrets};
use http::Method;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    HandoverMode, Resend, Role, Session, Target, Transcript, time,
};
use trunkline_runtime::inbound::{Inbound, ParsedCall};
use trunkline_runtime::outbound::{Outbound, SendContext};
use trunkline_webex::Webex;

const REPLY: &str = include_str!("../fixtures/reply.json");
const HANDOVER: &str = include_str!("../fixtures/handover.json");
const RESPONSE: &str = include_str!("../fixtures/answer.json");
const OUTBOUND_WEBHOOK_MESSAGE: &[u8] = include_bytes!("../fixtures/neighbour-message.json");

/// Splits an event into its fields and its `customparam` values: their numbering has no meaning.
fn fields(event: &Value) -> (Map<String, Value>, BTreeSet<String>) {
    let mut fields = map(event.clone());
    let mut parameters = BTreeSet::new();
    fields.retain(|name, value| {
        let is_parameter = name.starts_with("customparam");
        parameters.extend(value.as_str().filter(|_| is_parameter).map(ToOwned::to_owned));
        !is_parameter
    });
    (fields, parameters)
}

/// Encodes a body with the time and conversation of a documented event.
fn encoded_as_in(documented: &Value, body: EventBody) -> Value {
    let conversation = documented["conversation_id"].as_str().unwrap();
    let at = documented["Timestamp"].as_str().unwrap().replace(' ', "T") + "Z";
    let now = at.parse().unwrap();
    assert_eq!(time::format_spaced_millis(now), documented["Timestamp"].as_str().unwrap());
    let connection = connection(no_settings());
    let key = ConversationKey { channel: connection.id.clone(), customer: conversation.into() };
    let author = Author::nameless(AuthorRole::Bot);
    let delivery = Delivery {
        id: "dlv_1".into(),
        key,
        conversation: "conversation-1".into(),
        from: "bot".parse().unwrap(),
        to: Target::addressed(&connection.as_party(), Role::Channel),
        event: Event::new(EventId::from_parts(&["e", "1"]), "conversation-1", now, author, body),
        filed_at: None,
        resend: Resend::No,
    };
    let session = Session::new("conversation-1", Webex.choose_conversation_id(&delivery));
    let (connection, secrets) = (&connection, &secrets());
    let (session, delivery) = (Some(&session), &delivery);
    let settings = &trunkline_webex::Settings::default();
    let request = Webex
        .encode(&SendContext { connection, settings, secrets, session, delivery, now })
        .unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

/// Shows W25.
#[test]
fn encodes_the_documented_reply() {
    let documented: Value = serde_json::from_str(REPLY).unwrap();
    let content = Content::text(documented["message"].as_str().unwrap());
    let metadata = map(json!({"intent": "track_order", "confidence": 0.93}));
    let sent = encoded_as_in(&documented, EventBody::Message { content, metadata });
    assert_eq!(fields(&sent), fields(&documented));
}

/// Shows W13, W26.
#[test]
fn encodes_the_documented_handover() {
    let documented: Value = serde_json::from_str(HANDOVER).unwrap();
    let body = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("customer_asked".into()),
        context: map(json!({"summary": "Wants to return order 48121", "language": "nl"})),
        transcript: Transcript::default(),
    };
    assert_eq!(fields(&encoded_as_in(&documented, body)), fields(&documented));
}

/// Shows W7, W8.
#[test]
fn responds_as_the_fact_sheet_proposes() {
    let reply = call(&Method::POST, b"", no_settings(), |call| match Webex.parse(call) {
        ParsedCall::Reply(reply) => reply,
        other => panic!("{other:?}"),
    });
    let (actual, proposed): (Value, Value) =
        (serde_json::from_str(&reply.body).unwrap(), serde_json::from_str(RESPONSE).unwrap());
    assert_eq!(actual, proposed);
}

/// The sister feature "Outbound Webhooks" posts a different format: it is stored with the reason.
#[test]
fn outbound_webhook_messages_are_unreadable() {
    call(&Method::POST, OUTBOUND_WEBHOOK_MESSAGE, no_settings(), |call| match Webex.parse(call) {
        ParsedCall::Unreadable(why) => assert!(why.contains("Conversationid"), "{why}"),
        other => panic!("{other:?}"),
    });
}
