//! What is joined although Webex Connect's own ids do not say so.

use crate::common::{map, no_settings, now};
use serde_json::{Value, json};
use trunkline_core::model::{CorrelationHint, Event, EventBody, ReceiptStatus};
use trunkline_core::platform::PlatformSettings;
use trunkline_webex::{Settings, parse};

const WITH_AGENT: &str = include_str!("../fixtures/message-with-agent.json");

fn parsed(event: &str, members: Value, settings: Value) -> Event {
    let mut event = map(serde_json::from_str(event).unwrap());
    event.extend(map(members));
    parse(&event, &Settings::parse(&map(settings)).unwrap(), now()).unwrap()
}

fn customer(event: &Event) -> Option<&str> {
    match event.correlation_hint.as_ref()? {
        CorrelationHint::Customer(named) => named.as_deref(),
        other => panic!("{other:?}"),
    }
}

/// Shows W29.
#[test]
fn an_event_of_an_agents_conversation_is_joined_to_the_customer_that_it_names() {
    let returned =
        json!({"Conversationid": "ccsp-1", "customparam2": "trunkline_conversation=c-1"});
    let event = parsed(WITH_AGENT, returned.clone(), no_settings());
    assert_eq!(event.external_conversation_id, "ccsp-1", "its own id is kept");
    assert_eq!(customer(&event), Some("c-1"));
    let none = json!({"conversation_param": ""});
    let unnamed = Some(CorrelationHint::Customer(None));
    assert_eq!(parsed(WITH_AGENT, returned, none).correlation_hint, unnamed);
    let chosen = json!({"conversation_members": "ParentConversation, thread"});
    let members = json!({"Conversationid": "ccsp-1", "parent_conversation": "c-2"});
    assert_eq!(customer(&parsed(WITH_AGENT, members, chosen)), Some("c-2"));
}

/// Shows W29.
#[test]
fn an_event_of_an_agents_conversation_that_names_no_customer_starts_no_conversation() {
    let unnamed = Some(CorrelationHint::Customer(None));
    assert_eq!(parsed(WITH_AGENT, json!({}), no_settings()).correlation_hint, unnamed);
    let written = json!({"Message": "trunkline_conversation=c-1"});
    assert_eq!(parsed(WITH_AGENT, written, no_settings()).correlation_hint, unnamed);
    let closed = json!({"Event": "Chat closed by agent"});
    assert_eq!(parsed(WITH_AGENT, closed, no_settings()).correlation_hint, unnamed);
    let untyped = json!({"ConversationType": "", "customparam1": "trunkline_conversation=c-1"});
    assert_eq!(customer(&parsed(WITH_AGENT, untyped, no_settings())), Some("c-1"));
    let untyped = parsed(WITH_AGENT, json!({"ConversationType": null}), no_settings());
    assert_eq!(untyped.correlation_hint, None, "it may be the bot's conversation");
    let by_bot = json!({"ConversationType": "BOT", "customparam1": "trunkline_conversation=c-1"});
    assert_eq!(parsed(WITH_AGENT, by_bot, no_settings()).correlation_hint, None);
}

/// Shows W24.
#[test]
fn a_receipt_that_returns_trunklines_id_is_about_that_message() {
    const FAILED: &str = include_str!("../fixtures/delivery-failed.json");
    let id = format!("dlv_{}", "x".repeat(43));
    let returned = json!({"customparam1": format!("message={id}")});
    let EventBody::Receipt { message, status, .. } = parsed(FAILED, returned, no_settings()).body
    else {
        panic!("a receipt")
    };
    assert_eq!((message.as_str(), status), (id.as_str(), ReceiptStatus::Failed));
    let EventBody::Receipt { message, .. } = parsed(FAILED, json!({}), no_settings()).body else {
        panic!("a receipt")
    };
    assert_eq!(message, "b7b1a9d0-6f13-4a5a-bb52-1c2d3e4f5a60", "otherwise the vendor's id");
}
