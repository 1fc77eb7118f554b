//! Calls over HTTP to a mock of Webex Connect that refuses what differs from the documented events.

use crate::common::{connection, map, no_settings, now};
use serde_json::{Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    HandoverMode, Resend, Role, Session, Target, Transcript, Verdict,
};
use trunkline_core::platform::PlatformSettings;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::outbound::{Attempt, Outbound, SendContext};
use trunkline_runtime::secrets::SecretBag;
use trunkline_webex::{Settings, Webex};
use trunkline_webex_mock::{WebexConnect, check_event};

async fn sent(webex: &WebexConnect, body: EventBody, settings: Value) -> Attempt {
    let connection = connection(settings);
    let settings = &Settings::parse(&connection.settings).unwrap();
    let mut secrets = SecretBag::default();
    secrets.set("send_url", vec![webex.send_url()]);
    let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "conv-8f0f".into() };
    let author = Author::nameless(AuthorRole::Bot);
    let delivery = Delivery {
        id: "dlv_1".into(),
        key,
        conversation: "conversation-1".into(),
        from: "bot".parse().unwrap(),
        to: Target::addressed(&connection.as_party(), Role::Channel),
        event: Event::new(EventId::from_parts(&["e", "1"]), "conversation-1", now(), author, body),
        filed_at: None,
        resend: Resend::No,
    };
    let session = Session::new("conversation-1", Webex.choose_conversation_id(&delivery));
    let (connection, secrets, delivery, session) =
        (&connection, &secrets, &delivery, Some(&session));
    let context = SendContext { connection, settings, secrets, session, delivery, now: now() };
    Webex.send(&context, &HttpClient::new(true)).await
}

fn message(content: Content) -> EventBody {
    EventBody::Message { content, metadata: map(json!({"intent": "track", "score": 0.93})) }
}

fn handover() -> EventBody {
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("customer_asked".into()),
        context: map(json!({"language": "nl", "order": 7})),
        transcript: Transcript::default(),
    }
}

/// Shows W1, W13, W16, W21, W25, W26.
#[tokio::test]
async fn all_events_are_as_documented() {
    let webex = WebexConnect::start().await;
    let choices = vec![Choice { id: "r".into(), title: "Red".into() }];
    for body in [
        message(Content::text("Your parcel will arrive tomorrow.")),
        message(Content { choices, ..Content::text("Which?\n1. Red") }),
        handover(),
    ] {
        let attempt = sent(&webex, body, json!({"message_id_param": "message"})).await;
        assert_eq!(attempt.classification.verdict, Verdict::Delivered, "{:?}", webex.refused());
    }
    let accepted = webex.accepted();
    let ids: Vec<_> = accepted.iter().map(|event| event["eventid"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1001", "1001", "1002"]);
    assert!(accepted.iter().all(|event| event["conversation_id"] == "conv-8f0f"));
}

/// Shows W24.
#[tokio::test]
async fn the_id_in_the_response_is_the_id_of_the_sent_message() {
    let webex = WebexConnect::start().await;
    let first = sent(&webex, message(Content::text("x")), no_settings()).await;
    assert_eq!(first.classification.external_message_id, Some("wx-out-1".into()));
    let named = json!({"response_id": "description"});
    let second = sent(&webex, message(Content::text("x")), named).await;
    assert_eq!(second.classification.external_message_id, Some("Queued".into()));
}

#[tokio::test]
async fn an_event_that_differs_is_refused_within_http_200() {
    let webex = WebexConnect::start().await;
    for settings in [
        json!({"reply_event": "reply"}),
        json!({"event_key": "event"}),
        json!({"message_type": ""}),
    ] {
        let attempt = sent(&webex, message(Content::text("x")), settings).await;
        assert_eq!(
            (attempt.classification.verdict, attempt.status),
            (Verdict::Permanent, Some(200))
        );
    }
    assert_eq!((webex.accepted().len(), webex.refused().len()), (0, 3));
}

#[test]
fn the_mock_accepts_only_the_documented_members() {
    let reply: Value = serde_json::from_str(include_str!("../fixtures/reply.json")).unwrap();
    assert_eq!(check_event(&reply), Ok(()));
    let handover: Value = serde_json::from_str(include_str!("../fixtures/handover.json")).unwrap();
    assert_eq!(check_event(&handover), Ok(()));
    for (name, value) in [
        ("eventid", json!(1001)),
        ("eventid", json!("1003")),
        ("conversation_id", json!("")),
        ("Conversationid", json!("c")),
        ("MessageType", json!("text")),
        ("Timestamp", json!("2026-03-04T09:15:21.412Z")),
        ("Timestamp", json!("2026-03-04 09:15:21.41")),
        ("customparam4", json!("a")),
        ("customparam2", json!({"a": 1})),
        ("message", json!(null)),
    ] {
        let mut wrong = reply.clone();
        wrong[name] = value;
        assert!(check_event(&wrong).is_err(), "{wrong}");
    }
    let mut said = handover;
    said["message"] = json!("x");
    assert!(check_event(&said).is_err(), "a handover has no message");
}
