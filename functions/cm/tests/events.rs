//! Events of the router.

use crate::common::{CHAT, ENDED, ENDED_FLAT, TestCall, at, channel_call, json_of};
use serde_json::json;
use trunkline_core::model::{AuthorRole, EventBody};

/// Shows C9.
#[test]
fn the_end_of_a_session_closes_at_every_endpoint_and_in_every_form() {
    let enveloped = channel_call().event(ENDED.as_bytes());
    let closed = EventBody::Close { reason: Some("routerSessionEnded".into()) };
    assert_eq!(enveloped.body, closed);
    assert_eq!(enveloped.id.as_str(), "e:f2b0d9d4-32a4-4f6c-bb1e-7f0a54c7c6d3");
    assert_eq!(enveloped.at, "2026-03-04T09:45:00Z".parse().unwrap());
    assert_eq!(enveloped.author.role, AuthorRole::System);
    let by_type = ENDED_FLAT.replace("$type", "eventType");
    for path in ["", "handover", "event"] {
        for body in [ENDED, ENDED_FLAT, &by_type] {
            let event = at("channel", path).event(body.as_bytes());
            assert!(matches!(event.body, EventBody::Close { .. }), "{path} {body}");
            assert_eq!(event.external_conversation_id, CHAT);
        }
    }
    let flat = at("channel", "event").event(ENDED_FLAT.as_bytes());
    assert!(flat.origin.is_empty(), "an incomplete chat does not replace a complete one");
}

/// Shows C9.
#[test]
fn other_events_are_opaque() {
    let other = ENDED.replace("routerSessionEnded", "agentTyping");
    let EventBody::Opaque { is_message, name, raw } =
        at("channel", "event").event(other.as_bytes()).body
    else {
        panic!("an opaque event")
    };
    assert_eq!((is_message, name.as_str()), (false, "agentTyping"));
    assert_eq!(raw, json_of(&other)["conversationEvents"][0]);
}

/// Shows C9.
#[test]
fn the_setting_events_gives_other_events_a_meaning() {
    let settings = json!({"events": "AgentJoined=accept, ChatReturned=handback, toAgent=handover, \
        Ended=close, RouterSessionEnded=record"});
    let kind = |role: &'static str, name: &str| {
        let body = ENDED.replace("routerSessionEnded", name);
        let call = TestCall { role, path: "event", settings: settings.clone(), ..channel_call() };
        let event = call.event(body.as_bytes());
        assert_eq!(event.author.role, AuthorRole::System);
        event.body.kind()
    };
    for (role, name, expected) in [
        ("desk", "agentJoined", "accept"),
        ("channel", "agentJoined", "opaque"),
        ("desk", "chatReturned", "handback"),
        ("channel", "ToAgent", "handover"),
        ("bot", "ToAgent", "handover"),
        ("desk", "ToAgent", "opaque"),
        ("channel", "ended", "close"),
        ("channel", "routerSessionEnded", "opaque"),
        ("channel", "agentTyping", "opaque"),
    ] {
        assert_eq!(kind(role, name), expected, "{role} {name}");
    }
    let flat = json!({"$type": "toAgent", "chatId": CHAT, "context": {"skill": "returns"}});
    for path in ["", "handover", "event"] {
        let call = TestCall { path, settings: settings.clone(), ..channel_call() };
        let EventBody::Handover { context, .. } = call.event(flat.to_string().as_bytes()).body
        else {
            panic!("a handover")
        };
        assert_eq!(context["skill"], "returns");
    }
}
