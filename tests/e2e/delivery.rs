//! What becomes of a delivery that does not arrive at first.

use serde_json::json;
use trunkline_shared::model::Verdict;
use trunkline_tests::{Scene, World};

pub async fn a_receiver_that_fails_once_gets_it_again_in_order(world: &World) {
    let scene = Scene::usual(world, "fails-once").await;
    scene.far.will_answer(503, "busy");
    for i in 0..3 {
        scene.customer_writes("wx-1", &format!("m-{i}"), &format!("message {i}")).await;
    }
    let heard = scene.far.hears_only("/bot", 4).await;
    let texts: Vec<_> = heard.iter().map(|heard| heard.json()["data"]["text"].clone()).collect();
    assert_eq!(texts, ["message 0", "message 0", "message 1", "message 2"]);
    assert_eq!(
        heard[0].header("webhook-id"),
        heard[1].header("webhook-id"),
        "a repeat can be told"
    );
    let outcome = scene.transcript("wx-1").await[0].outcomes["fails-once-bot"].clone();
    assert_eq!((outcome.verdict, outcome.attempts), (Verdict::Delivered, 2));
}

pub async fn a_permanent_failure_is_recorded_and_the_leg_goes_on(world: &World) {
    let scene = Scene::usual(world, "permanent").await;
    scene.customer_writes("wx-1", "m-1", "hi").await;
    let conversation = scene.far.hears("/bot", 1).await[0].json()["conversation"].clone();
    let conversation = conversation.as_str().unwrap();
    let code = r#"{"response":[{"code":"7001","description":"Authentication failed"}]}"#;
    scene.far.will_answer(200, code);
    for i in 0..2 {
        let says = json!({"type": "message", "data": {"text": format!("answer {i}")}});
        assert_eq!(scene.sends("bot", &format!("b-{i}"), conversation, says).await.0, 200);
        scene.far.hears("/webex", i + 1).await;
    }
    scene.far.hears_only("/webex", 2).await;
    let mut transcript = scene.transcript("wx-1").await;
    transcript.retain(|record| record.event.body.kind() == "message");
    let outcome = |i: usize| transcript[i].outcomes["permanent-webex"].clone();
    assert_eq!(outcome(1).verdict, Verdict::Permanent);
    let reason = "Webex Connect answered code 7001: Authentication failed";
    assert_eq!(outcome(1).reason.as_deref(), Some(reason));
    assert_eq!(outcome(2).verdict, Verdict::Delivered);
    let told = scene.far.hears_only("/bot", 2).await[1].json();
    assert_eq!((&told["type"], &told["data"]["message"]), (&json!("receipt"), &json!("b-0")));
    assert_eq!(
        (&told["data"]["status"], &told["data"]["reason"]),
        (&json!("failed"), &json!(reason))
    );
}
