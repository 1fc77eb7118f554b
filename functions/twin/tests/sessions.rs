//! The lifetime of sessions, and where later messages go.

use jiff::SignedDuration;
use serde_json::json;
use trunkline_core::model::Verdict;
use trunkline_twin_mock::{Twin24, plain_http};

use crate::common::{Leg, text};
use crate::outbound::{log_in, twin_and_leg, verdict};

/// Shows T6.
#[tokio::test]
async fn restarts_a_lost_session_with_the_undelivered_message() {
    for follow in ["session", "messages"] {
        let (twin, mut leg) = twin_and_leg(json!({"follow": follow})).await;
        leg.say("Hello").await;
        twin.expire(&twin.sessions()[0]);
        twin.queue_reply(json!([{"body": "Hi again"}]));
        let attempt = leg.say("Still there?").await;
        assert_eq!(verdict(&attempt), Verdict::Delivered);
        assert_eq!(leg.external_id(), twin.sessions()[1]);
        assert_eq!(attempt.reply_events[0].external_conversation_id.as_str(), twin.sessions()[1]);
        let again = &twin.accepted()[1];
        assert_eq!((again.what, again.text().as_str()), ("start", "Still there?"));
        assert!(twin.refused()[0].contains("404"));
    }
}

/// Shows T7, T21.
#[tokio::test]
async fn a_session_expires_shortly_before_it_does_at_twin() {
    let (twin, mut leg) = twin_and_leg(json!({"session_ttl": "600"})).await;
    leg.say("Hello").await;
    let ends = leg.session.clone().unwrap().expires_at.unwrap();
    let left = ends.duration_since(leg.now);
    assert!(
        left > SignedDuration::from_secs(530) && left <= SignedDuration::from_secs(540),
        "{left}"
    );
    leg.now = ends;
    leg.say("Later").await;
    assert_eq!(twin.sessions().len(), 2);
    assert_eq!(twin.refused(), Vec::<String>::new());
}

#[tokio::test]
async fn stores_only_significant_extensions_of_a_sliding_session() {
    let (twin, mut leg) =
        twin_and_leg(json!({"session_ttl": "600", "session_expiry": "sliding"})).await;
    leg.say("Hello").await;
    let ends = leg.session.clone().unwrap().expires_at.unwrap();
    leg.now += SignedDuration::from_secs(60);
    assert_eq!(leg.say("Soon").await.session, None);
    leg.now += SignedDuration::from_secs(200);
    let prolonged = leg.say("Later").await.session.unwrap();
    assert!(prolonged.expires_at.unwrap() > ends);
    assert_eq!(twin.sessions().len(), 1);
}

#[tokio::test]
async fn start_continue_resumes_the_last_session() {
    let (twin, mut leg) = twin_and_leg(json!({"start": "continue"})).await;
    leg.say("Hello").await;
    leg.session = None;
    leg.say("Again").await;
    assert_eq!(twin.sessions().len(), 1);
    assert_eq!(twin.accepted()[1].what, "continue");
}

/// Shows T25, T26, T29.
#[tokio::test]
async fn by_default_later_messages_go_to_the_session() {
    let twin = Twin24::start(plain_http()).await;
    let mut leg = Leg::new("bot", &twin.settings(&json!({})));
    leg.say("Hello").await;
    assert!(leg.session.as_ref().unwrap().needs_listener, "a listener receives the answers");
    let attempt = leg.say("Where is my order?").await;
    let accepted = &twin.accepted()[1];
    assert_eq!((accepted.what, accepted.session.as_str()), ("message", leg.external_id()));
    assert_eq!(accepted.body, json!({"body": "Where is my order?", "attachments": []}));
    assert_eq!(attempt.reply_events, [], "the response has no answers");
    assert!(attempt.classification.external_message_id.is_some());
}

#[tokio::test]
async fn a_session_from_before_the_sockets_gets_a_listener() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    log_in(&mut leg);
    leg.say("Hello").await;
    leg.connection.settings.remove("answers");
    twin.queue_reply(json!([{"body": "On its way"}]));
    let attempt = leg.say("Where is my order?").await;
    assert_eq!(text(&attempt.reply_events[0]), "On its way", "no socket is open yet");
    assert!(leg.session.as_ref().unwrap().needs_listener);
    leg.say("Thanks").await;
    let calls: Vec<_> = twin.accepted().iter().map(|accepted| accepted.what).collect();
    assert_eq!((calls, twin.sessions().len()), (vec!["start", "start", "message"], 1));
}

/// Shows T6.
#[tokio::test]
async fn the_second_message_continues_the_session() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    leg.say("Hello").await;
    twin.queue_reply(json!([{"body": "On its way"}]));
    let attempt = leg.say("Where is my order?").await;
    assert_eq!(text(&attempt.reply_events[0]), "On its way");
    assert_eq!(attempt.session, None, "nothing to store");
    assert_eq!(twin.sessions().len(), 1);
    assert_eq!(twin.accepted()[1].body["sessionId"], twin.sessions()[0]);
}
