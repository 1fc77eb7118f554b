//! One log line per step of a message, and one trace across all steps.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_tests::{Fixture, TestEnvironment, message_event};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Returns the log lines of a trace so far, oldest first.
async fn lines(env: &TestEnvironment, trace: &str) -> Vec<Value> {
    let found = env.log_lines_with(trace).await;
    let read = found.iter().map(|line| serde_json::from_str(line));
    read.map(|line: Result<Value, _>| line.expect("each line is JSON")).collect()
}

pub async fn trace_covers_message_end_to_end(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "sight").await;
    let began = format!("00-{TRACE}-00f067aa0ba902b7-00");
    let body = trunkline_tests::webex_message("wx-sight", "m-1", "a text that no log may contain");
    let (status, _) = fixture.post("webex", body, &[("traceparent".into(), began)]).await;
    assert_eq!(status, 200);
    let received = fixture.mock.wait_for_requests("/bot", 1).await.remove(0);
    let handed_on = received.header("traceparent").to_owned();
    assert!(handed_on.starts_with(&format!("00-{TRACE}-")), "{handed_on}");

    // A bot that returns `traceparent` has its reply in the same trace.
    let conversation = received.json()["conversation"].as_str().unwrap().to_owned();
    let mut answer = message_event("an answer that no log may contain");
    answer["id"] = json!("b-1");
    answer["conversation"] = json!(conversation);
    answer["timestamp"] = json!("2026-03-04T09:15:20Z");
    let body = answer.to_string();
    let now = trunkline_runtime::app::Clock::now(&trunkline_runtime::app::SystemClock);
    let mut headers =
        trunkline_tests::signing_headers(trunkline_tests::SIGNING_SECRETS[0], "b-1", now, &body);
    headers.push(("traceparent".into(), handed_on));
    assert_eq!(fixture.post("bot", body, &headers).await.0, 200);
    fixture.mock.wait_for_requests("/webex", 1).await;

    let mut found = Vec::new();
    for _ in 0..100 {
        found = lines(env, TRACE).await;
        if found.len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let summaries: Vec<_> = found
        .iter()
        .map(|line| {
            let metric = ["Accepted", "Delivered"].into_iter().find(|name| line[name] == 1);
            let [platform, connection] = ["platform", "connection"].map(|name| line[name].as_str());
            (metric.unwrap(), platform, connection.unwrap())
        })
        .collect();
    let expected = [
        ("Accepted", None, "sight-webex"),
        ("Delivered", None, "sight-bot"),
        ("Accepted", None, "sight-bot"),
        ("Delivered", None, "sight-webex"),
    ];
    for expected in expected {
        assert!(summaries.contains(&expected), "{expected:?} is missing: {summaries:?}");
    }
    for line in &found {
        assert_eq!(line["trace"], TRACE, "{line}");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Trunkline/trunkline");
        assert!(!line.to_string().contains("no log may contain"), "{line}");
        // The values of a usual message are left out.
        for name in ["event", "outcome", "request", "status"] {
            assert_eq!(line.get(name), None, "{line}");
        }
        if line["Delivered"] == 1 {
            assert!(line["ms"].as_i64().is_some_and(|ms| (0..10_000).contains(&ms)), "{line}");
            assert!(line["DeliveryTime"].as_i64().is_some(), "{line}");
        } else {
            assert_eq!(line["conversation"], conversation.as_str(), "{line}");
        }
    }
    let shown = ["show", "sight-webex", "wx-sight", "--json"];
    let shown = String::from_utf8(env.trunkline(&shown, &[]).await.stdout).unwrap();
    assert_eq!(shown.matches(TRACE).count(), 2, "each event has its trace: {shown}");
    // Queue messages have the trace in an attribute.
    let sends = env.fault_proxy.bodies("SendMessage", &conversation);
    assert!(
        sends.iter().any(|body| body.contains("traceparent") && body.contains(TRACE)),
        "{sends:?}"
    );
}
