//! What is told of a message: one line each, and one trace through all of them.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_tests::{Scene, World, says};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The functions' lines of a trace so far, oldest first.
async fn lines(world: &World, trace: &str) -> Vec<Value> {
    let found = world.lines(trace).await;
    let read = found.iter().map(|line| serde_json::from_str(line));
    read.map(|line: Result<Value, _>| line.expect("each line is JSON")).collect()
}

pub async fn a_message_is_followed_from_the_webhook_to_the_platforms_answer(world: &World) {
    let scene = Scene::usual(world, "sight").await;
    let began = format!("00-{TRACE}-00f067aa0ba902b7-00");
    let body = trunkline_tests::webex_message("wx-sight", "m-1", "a text that nobody may log");
    let (status, _) = scene.post("webex", body, &[("traceparent".into(), began)]).await;
    assert_eq!(status, 200);
    let heard = scene.far.hears("/bot", 1).await.remove(0);
    let handed_on = heard.header("traceparent").to_owned();
    assert!(handed_on.starts_with(&format!("00-{TRACE}-")), "{handed_on}");

    // A bot that hands the trace on has its answer in it, too.
    let conversation = heard.json()["conversation"].as_str().unwrap().to_owned();
    let mut answer = says("an answer that nobody may log");
    answer["id"] = json!("b-1");
    answer["conversation"] = json!(conversation);
    answer["timestamp"] = json!("2026-03-04T09:15:20Z");
    let body = answer.to_string();
    let now = trunkline_shared::app::Clock::now(&trunkline_shared::app::SystemClock);
    let mut headers =
        trunkline_tests::signing_headers(trunkline_tests::SIGNING[0], "b-1", now, &body);
    headers.push(("traceparent".into(), handed_on));
    assert_eq!(scene.post("bot", body, &headers).await.0, 200);
    scene.far.hears("/webex", 1).await;

    let mut found = Vec::new();
    for _ in 0..100 {
        found = lines(world, TRACE).await;
        if found.len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let gist: Vec<_> = found
        .iter()
        .map(|line| ["outcome", "platform", "connection"].map(|name| line[name].as_str().unwrap()))
        .collect();
    let expected = [
        ["accepted", "webex", "sight-webex"],
        ["delivered", "webhook", "sight-bot"],
        ["accepted", "webhook", "sight-bot"],
        ["delivered", "webex", "sight-webex"],
    ];
    for expected in expected {
        assert!(gist.contains(&expected), "{expected:?} is missing: {gist:?}");
    }
    for line in &found {
        assert_eq!(line["conversation"], conversation.as_str(), "{line}");
        assert_eq!(line["event"], "message");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Trunkline/trunkline");
        assert!(line["ms"].as_i64().is_some_and(|ms| (0..10_000).contains(&ms)), "{line}");
        assert_eq!(line["request"].as_str().map(str::len), Some(36), "{line}");
        assert!(!line.to_string().contains("nobody may log"), "{line}");
        if line["outcome"] == "delivered" {
            assert_eq!(line["status"], 200);
            assert!(line["DeliveryTime"].as_i64().is_some(), "{line}");
        }
    }
    let shown = ["show", "sight-webex", "wx-sight", "--json"];
    let shown = String::from_utf8(world.trunkline(&shown, &[]).await.stdout).unwrap();
    assert_eq!(shown.matches(TRACE).count(), 2, "each event says its trace: {shown}");
    // The trace is told to whoever reads the queue as well, in an attribute.
    let sends = world.tap.bodies("SendMessage", &conversation);
    assert!(
        sends.iter().any(|body| body.contains("traceparent") && body.contains(TRACE)),
        "{sends:?}"
    );
}
