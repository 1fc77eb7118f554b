//! Retried and permanently failed deliveries.

use serde_json::json;
use trunkline_core::model::Verdict;
use trunkline_tests::{Fixture, TestEnvironment, message_event};

pub async fn failed_delivery_is_retried_in_order(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "fails-once").await;
    fixture.mock.queue_response(503, "busy");
    for i in 0..3 {
        fixture.send_webex_message("wx-1", &format!("m-{i}"), &format!("message {i}")).await;
    }
    let received = fixture.mock.expect_requests("/bot", 4).await;
    let texts: Vec<_> =
        received.iter().map(|received| received.json()["data"]["text"].clone()).collect();
    assert_eq!(texts, ["message 0", "message 0", "message 1", "message 2"]);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id"),
        "a retry has the same id"
    );
    let outcome = fixture.transcript("wx-1").await[0].outcomes["fails-once-bot"].clone();
    assert_eq!((outcome.verdict, outcome.attempts), (Verdict::Delivered, 2));
}

pub async fn permanent_failure_is_recorded_and_leg_continues(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "permanent").await;
    fixture.send_webex_message("wx-1", "m-1", "hi").await;
    let conversation =
        fixture.mock.wait_for_requests("/bot", 1).await[0].json()["conversation"].clone();
    let conversation = conversation.as_str().unwrap();
    let code = r#"{"response":[{"code":"7001","description":"Authentication failed"}]}"#;
    fixture.mock.queue_response(200, code);
    for i in 0..2 {
        let event = message_event(&format!("answer {i}"));
        assert_eq!(fixture.send_event("bot", &format!("b-{i}"), conversation, event).await.0, 200);
        fixture.mock.wait_for_requests("/webex", i + 1).await;
    }
    fixture.mock.expect_requests("/webex", 2).await;
    let mut transcript = fixture.transcript("wx-1").await;
    transcript.retain(|record| record.event.body.kind() == "message");
    let outcome = |i: usize| transcript[i].outcomes["permanent-webex"].clone();
    assert_eq!(outcome(1).verdict, Verdict::Permanent);
    let reason = "Webex Connect answered code 7001: Authentication failed";
    assert_eq!(outcome(1).reason.as_deref(), Some(reason));
    assert_eq!(outcome(2).verdict, Verdict::Delivered);
    let receipt_event = fixture.mock.expect_requests("/bot", 2).await[1].json();
    assert_eq!(
        (&receipt_event["type"], &receipt_event["data"]["message"]),
        (&json!("receipt"), &json!("b-0"))
    );
    assert_eq!(
        (&receipt_event["data"]["status"], &receipt_event["data"]["reason"]),
        (&json!("failed"), &json!(reason))
    );
}
