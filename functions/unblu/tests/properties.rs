//! Parsing never panics, and every well-formed message is parsed.

use crate::common::{
    NEW_MESSAGE, SECRET, answer, headers, is_signed, no_settings, post, post_signed, sign,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_runtime::inbound::ParsedCall;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let member = prop::sample::select(vec![
            "label", "value", "text", "title", "body", "url", "type", "action", "imageUrl", "id",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(member, inner, 0..4)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_any_body_never_panics(body in prop::collection::vec(any::<u8>(), 0..300), name in "[ -~]{0,40}") {
        let signature = sign(SECRET, &body);
        for header in ["x-unblu-event", "x-unblu-service-name"] {
            let headers = headers([(header, &*name), ("x-unblu-signature-256", &*signature)]);
            let _ = post(&no_settings(), &headers, &body);
        }
    }

    #[test]
    fn a_message_with_any_member_values_is_parsed(
        kind in prop::sample::select(vec!["TEXT", "FILE", "CARD", "LIST", "MULTICHOICE_QUESTION",
            "RATING_QUESTION", "TEXT_QUESTION", "REPLY", "SYSTEM", "APPROVAL_REQUEST"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["text", "textType", "quickReplies", "fileName", "caption",
                "mimeType", "fileStatus", "downloadLinks", "imageUrl", "title", "body", "actions",
                "header", "items", "options", "declinable", "declineLabel", "senderPerson",
                "serverTimestamp", "internal", "sourceId", "fallbackText"]),
            any_json(), 0..12)
    ) {
        let mut message = json!({"id": "m", "conversationId": "c", "type": kind});
        for (name, value) in fields {
            message[name] = value;
        }
        let body = json!({"conversationMessage": message}).to_string();
        let received = post_signed(NEW_MESSAGE, &body).0;
        prop_assert!(matches!(received, ParsedCall::Events(_)), "{:?}", received);
    }

    #[test]
    fn other_calls_with_any_member_values_never_panic(
        name in prop::sample::select(vec!["external_messenger.message_state", "conversation.ended",
            "conversation.updated", "ping"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["messageId", "state", "sourceId", "conversationId",
                "conversation", "endReason", "endPerson", "timestamp", "pingId"]),
            any_json(), 0..9)
    ) {
        let body: Value = fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let service = format!("outbound.{name}");
        for name in [("x-unblu-event", name), ("x-unblu-service-name", service.as_str())] {
            let _ = post_signed(name, &body.to_string());
        }
    }

    #[test]
    fn every_create_contact_request_gets_a_signed_reply(identifier in ".{0,300}", name in ".{0,40}") {
        let body = json!({"contactIdentifier": identifier, "personData": {"displayName": name}});
        let service = ("x-unblu-service-name", "outbound.external_messenger.create_contact");
        let reply = post_signed(service, &body.to_string()).1;
        let answered = answer(&reply);
        prop_assert!(is_signed(&reply));
        prop_assert!(["CREATE", "INVALID_CONTACT_IDENTIFIER"].iter().any(|kind| answered["type"] == *kind));
    }
}
