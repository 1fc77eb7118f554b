//! Bodies that other programs write in unusual ways.

use http::Method;
use serde_json::{Value, json};
use trunkline_core::model::{Content, EventBody};
use trunkline_runtime::inbound::{Inbound, ParsedCall};
use trunkline_runtime::security::AuthError;
use trunkline_unblu::Unblu;

use crate::common::{
    NEW_MESSAGE, NEW_MESSAGE_REQUEST, SECRET, headers, no_settings, post, post_signed, sign,
};

const MESSAGE: &str = include_str!("../fixtures/new-message-outbound.json");

fn content(received: ParsedCall) -> Content {
    match received {
        ParsedCall::Events(mut events) => match events.remove(0).body {
            EventBody::Message { content, .. } => content,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Shows input 8.
#[test]
fn half_an_emoji_becomes_the_replacement_character() {
    let body = MESSAGE.replace("How can I help?", "Great \\ud83d");
    for name in [NEW_MESSAGE, NEW_MESSAGE_REQUEST] {
        let content = content(post_signed(name, &body).0);
        assert_eq!(content.text.as_deref(), Some("Great \u{fffd}"));
    }
    let contact = body.replace("hub-user-4711", "shop/4711");
    let ParsedCall::Events(events) = post_signed(NEW_MESSAGE_REQUEST, &contact).0 else {
        panic!("no events")
    };
    assert!(events[0].intended_recipient.is_some(), "the customer is found as well");
}

/// Shows input 10.
#[test]
fn a_byte_order_mark_is_skipped() {
    let body = format!("\u{feff}{MESSAGE}");
    let content = content(post_signed(NEW_MESSAGE, &body).0);
    assert_eq!(content.text.as_deref(), Some("How can I help?"));
}

/// Shows input 11.
#[test]
fn null_means_that_a_member_is_absent() {
    let mut body: Value = serde_json::from_str(MESSAGE).unwrap();
    let message = body["conversationMessage"].as_object_mut().unwrap();
    let kept = ["id", "conversationId", "type", "text"];
    for (name, value) in message.iter_mut().filter(|(name, _)| !kept.contains(&name.as_str())) {
        *value = Value::Null;
        assert!(!name.is_empty());
    }
    for name in ["quickReplies", "replyToMessageId", "items", "header", "actions", "options"] {
        message.insert(name.to_owned(), Value::Null);
    }
    body["receivingContacts"] = json!([null]);
    let content = content(post_signed(NEW_MESSAGE_REQUEST, &body.to_string()).0);
    assert_eq!(content, Content::text("How can I help?"));
}

/// Shows input 12.
#[test]
fn the_signature_may_be_of_the_compressed_or_of_the_decompressed_body() {
    let compressed = b"compressed bytes";
    for (signed, is_believed) in
        [(&compressed[..], true), (MESSAGE.as_bytes(), true), (b"other bytes", false)]
    {
        let signature = sign(SECRET, signed);
        let headers = headers([NEW_MESSAGE, ("x-unblu-signature-256", &signature)]);
        let settings = no_settings();
        crate::common::call(&settings, &Method::POST, &headers, MESSAGE.as_bytes(), |call| {
            let call = crate::Call { received_body: compressed, ..*call };
            let received = Unblu.parse(&call);
            if is_believed {
                assert_eq!(content(received).text.as_deref(), Some("How can I help?"));
            } else {
                assert_eq!(received, ParsedCall::Denied(AuthError::Mismatch));
            }
        });
    }
}

/// Shows input 17.
#[test]
fn joined_signatures_are_all_tried() {
    let (right, wrong) = (sign(SECRET, MESSAGE.as_bytes()), sign("wrong", MESSAGE.as_bytes()));
    for joined in [format!("{wrong},{right}"), format!("{right}, {wrong}")] {
        let headers = headers([NEW_MESSAGE, ("x-unblu-signature-256", &joined)]);
        let (received, _) = post(&no_settings(), &headers, MESSAGE.as_bytes());
        assert!(matches!(received, ParsedCall::Events(_)), "{joined}");
    }
    let joined = format!("{wrong},{wrong}");
    let headers = headers([NEW_MESSAGE, ("x-unblu-signature-256", &joined)]);
    let (received, _) = post(&no_settings(), &headers, MESSAGE.as_bytes());
    assert_eq!(received, ParsedCall::Denied(AuthError::Mismatch));
}
