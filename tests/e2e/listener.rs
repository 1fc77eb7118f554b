//! TWIN's socket listener: replaced and killed during a conversation, without loss.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_tests::{Fixture, ReceivedRequest, TestEnvironment, kill, workers_of_function};
use trunkline_twin_mock::sockets::Sockets;
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24};

use crate::handover::summarize;

const FILE: &str = "
connections:
  NAME-channel:
    platform: webhook
    role: channel
    settings: { message_url: MOCK/channel }
    secrets: { signing: { env: NEW } }
  NAME-twin:
    platform: twin
    role: bot
    settings: <TWIN>
    secrets: { email: { env: EMAIL }, password: { env: PASSWORD } }
routes:
  NAME: { channels: [NAME-channel], bot: NAME-twin }
";

/// Returns what the channel received, without verifications: other tests may verify all connections.
fn messages(fixture: &Fixture<'_>) -> Vec<ReceivedRequest> {
    let mut received = fixture.mock.requests("/channel");
    received.retain(|received| received.json()["type"] != "verification");
    received
}

/// Shows T1, T30.
pub async fn listener_replacement_and_crash_lose_and_repeat_nothing(env: &TestEnvironment) {
    let sockets = Sockets::start(env.http.clone(), 5_000, 5_000).await;
    let twin = Twin24::start(env.http.clone()).await;
    twin.set_socket_control(sockets.control());
    let settings = json!({"answers": "socket", "socket_url": sockets.newer()});
    let others = [
        ("TWIN", twin.settings(&settings).to_string()),
        ("EMAIL", EMAIL.to_owned()),
        ("PASSWORD", PASSWORD.to_owned()),
    ];
    let fixture = Fixture::with_mocks(env, "listener", FILE, &others).await;
    fixture.send_channel_message("c-1", "m-1", "hello").await;
    twin.wait_for_calls(1).await;
    let session = twin.sessions().remove(0);
    sockets.wait_for_joins(&session, 1).await;

    let (began, mut sent, mut killed, mut joined) = (Instant::now(), 0, false, 1);
    // The first listener joins, its successor, and the one after the kill.
    while joined < 3 {
        assert!(began.elapsed() < Duration::from_secs(90), "joined {joined} times");
        twin.bot_says(&session, json!({"body": format!("message {sent}")})).await;
        sent += 1;
        if !killed && joined == 2 {
            let listeners = workers_of_function(env.port(), "TwinListener");
            assert!(!listeners.is_empty(), "no listener is running");
            listeners.into_iter().for_each(kill);
            killed = true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        joined = sockets.counts(&session).await.1;
    }
    println!("listener: replaced and killed within {:?}, {sent} messages", began.elapsed());
    let end = Instant::now() + Duration::from_mins(1);
    while messages(&fixture).len() < sent {
        assert!(Instant::now() < end, "{} of {sent} messages arrived", messages(&fixture).len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Long enough for a repeat to arrive.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let received = messages(&fixture);
    let expected: Vec<_> = (0..sent).map(|i| format!("message {i}")).collect();
    assert_eq!(summarize(&received), expected, "each message once and in order");

    // Without a session, no listener runs.
    twin.expire(&session);
}
