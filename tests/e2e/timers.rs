//! A timer on the deployed queues: it fires within 15 seconds after it is due.

use std::time::{Duration, Instant};

use trunkline_tests::{Fixture, MockPlatform, TestEnvironment};

use crate::handover::summarize;

/// Waits for requests on a path, and checks that they arrive within 15 seconds after `seconds`.
async fn in_time(far: &MockPlatform, path: &str, count: usize, since: Instant, seconds: u64) {
    far.wait_for_requests(path, count).await;
    let late = since.elapsed().saturating_sub(Duration::from_secs(seconds));
    assert!(since.elapsed() >= Duration::from_millis(seconds * 1_000 - 600), "too early");
    assert!(late < Duration::from_secs(15), "late by {late:?}");
}

pub async fn unaccepted_handover_returns_to_bot(env: &TestEnvironment) {
    let route = "    handover: { accept_within: 2 }\n";
    let fixture = Fixture::with_desk(env, "accept", route).await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    let since = Instant::now();
    in_time(&fixture.mock, "/bot", 1, since, 2).await;
    let bot = fixture.mock.requests("/bot");
    assert_eq!(bot[0].json()["data"]["reason"], "no agent accepted in time");
    assert_eq!(
        summarize(&fixture.mock.wait_for_requests("/desk", 3).await),
        ["<handover>", "agent", "<close>"]
    );
    let channel = fixture.mock.wait_for_requests("/channel", 2).await;
    assert_eq!(summarize(&channel), ["We look for somebody.", "No agent is available."]);
}
