//! What other programs send in place of the documented JSON and headers.

use crate::common::{
    CHAT, EMPTY_CONTEXT, MESSAGE, SECRET, TestCall, at, channel_call, json_of, now, text,
};
use http::HeaderMap;
use serde_json::json;
use trunkline_core::model::EventBody;
use trunkline_runtime::inbound::ParsedCall;

/// Shows input 14.
#[test]
fn of_two_spellings_the_one_with_a_value_counts() {
    let mut body = json_of(MESSAGE);
    body["chat"]["id"] = json!("");
    body["chat"]["ID"] = json!(CHAT);
    body["Chat"] = json!(null);
    body["conversationEvents"] = json!(null);
    body["ConversationMessages"] = json!([]);
    body["conversationMessages"][0]["Text"] = json!("");
    body["conversationMessages"][0]["Direction"] = json!(null);
    let event = channel_call().event(body.to_string().as_bytes());
    assert_eq!(event.external_conversation_id, CHAT);
    assert_eq!(text(&event), Some("Where is my parcel?"));
}

/// Shows input 8, input 10, input 11.
#[test]
fn half_an_emoji_a_byte_order_mark_and_null_do_not_lose_a_message() {
    let mut body = json_of(MESSAGE);
    body["conversationEvents"] = json!(null);
    body["targetAdaptersInfo"] = json!(null);
    body["chat"]["sessionId"] = json!(null);
    body["conversationMessages"][0]["createdOn"] = json!(null);
    let cut = body.to_string().replace("parcel?", r"parcel \ud83d");
    let event = channel_call().event(format!("\u{feff}{cut}").as_bytes());
    assert_eq!((text(&event), event.at), (Some("Where is my parcel \u{fffd}"), now()));
    let unrepaired = EMPTY_CONTEXT.replace("WhatsApp", r"WhatsApp \udc4d");
    let notice = at("channel", "handover").event(unrepaired.as_bytes());
    assert_eq!(notice.channel.as_deref(), Some("WhatsApp \u{fffd}"));
}

/// Shows input 11.
#[test]
fn a_body_whose_lists_are_null_is_kept_as_an_event() {
    let body = json!({"chat": {"id": CHAT}, "conversationMessages": null, "conversationEvents": null,
        "note": "x"});
    let event = channel_call().event(body.to_string().as_bytes());
    assert!(matches!(event.body, EventBody::Opaque { is_message: false, .. }), "{event:?}");
}

/// Shows input 17.
#[test]
fn one_of_several_shared_secrets_in_a_header_is_enough() {
    let name: http::HeaderName = "x-trunkline-secret".parse().unwrap();
    let mut lines = HeaderMap::new();
    lines.append(name.clone(), "wrong".parse().unwrap());
    lines.append(name.clone(), SECRET.parse().unwrap());
    let joined =
        HeaderMap::from_iter([(name.clone(), format!("wrong, {SECRET}").parse().unwrap())]);
    let wrong = HeaderMap::from_iter([(name, "wrong, as well".parse().unwrap())]);
    for (headers, is_right) in [(lines, true), (joined, true), (wrong, false)] {
        let call = TestCall { has_shared_secret: true, headers, ..channel_call() };
        let received = call.receive(MESSAGE.as_bytes());
        assert_eq!(matches!(received, ParsedCall::Events(_)), is_right, "{received:?}");
    }
}
