//! Timers: each fires within 15 seconds after it is due.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_core::model::{Owner, Participation};
use trunkline_tests::{Behaviour, Fixture, MockPlatform, TestEnvironment, message_event};

use crate::handover::{conversation, summarize};

/// Waits for requests on a path, and checks that they arrive within 15 seconds after `seconds`.
async fn in_time(far: &MockPlatform, path: &str, count: usize, since: Instant, seconds: u64) {
    far.wait_for_requests(path, count).await;
    let late = since.elapsed().saturating_sub(Duration::from_secs(seconds));
    assert!(since.elapsed() >= Duration::from_millis(seconds * 1_000 - 600), "too early");
    assert!(late < Duration::from_secs(15), "late by {late:?}");
}

pub async fn unaccepted_handover_returns_to_bot(env: &TestEnvironment) {
    let route = "    handover: { accept_within: 3 }\n";
    let fixture = Fixture::with_desk(env, "accept", route).await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    let since = Instant::now();
    in_time(&fixture.mock, "/bot", 1, since, 3).await;
    let bot = fixture.mock.requests("/bot");
    assert_eq!(bot[0].json()["data"]["reason"], "no agent accepted in time");
    assert_eq!(
        summarize(&fixture.mock.wait_for_requests("/desk", 3).await),
        ["<handover>", "agent", "<close>"]
    );
    let channel = fixture.mock.wait_for_requests("/channel", 2).await;
    assert_eq!(summarize(&channel), ["We look for somebody.", "No agent is available."]);
    fixture.send_channel_message("c-1", "c-2", "well then").await;
    assert_eq!(
        summarize(&fixture.mock.expect_requests("/bot", 2).await),
        ["<handback>", "well then"]
    );

    // An agent who accepts in time keeps the conversation.
    fixture.send_channel_message("c-2", "c-3", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 5).await);
    assert_eq!(
        fixture.send_event("desk", "d-1", &desk_conversation, json!({"type": "accept"})).await.0,
        200
    );
    tokio::time::sleep(Duration::from_secs(7)).await;
    let held = fixture.conversation("channel", "c-2").await;
    assert_eq!(held.participation(Owner::Desk), Participation::Active);
}

pub async fn idle_agent_closes_conversation(env: &TestEnvironment) {
    let route = "    handover: { agent_idle: 4, if_unanswered: close }\n";
    let fixture = Fixture::with_desk(env, "idle", route).await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
    assert_eq!(
        fixture.send_event("desk", "d-1", &desk_conversation, message_event("Hello.")).await.0,
        200
    );
    // The agent has answered everything, so no timer fires.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(
        fixture.conversation("channel", "c-1").await.participation(Owner::Desk),
        Participation::Active
    );
    fixture.send_channel_message("c-1", "c-2", "A question?").await;
    let since = Instant::now();
    in_time(&fixture.mock, "/desk", 4, since, 4).await;
    let event = fixture.mock.requests("/desk")[3].json();
    assert_eq!(event["data"]["reason"], "the agent did not answer in time");
    assert!(
        !fixture.conversation("channel", "c-1").await.is_open(),
        "the route closes unanswered conversations"
    );
}

pub async fn session_ttl_closes_conversation(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "silence", "    session_ttl: 4\n").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let first = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    fixture.send_channel_message("c-1", "c-2", "hello?").await;
    let since = Instant::now();
    in_time(&fixture.mock, "/bot", 3, since, 4).await;
    assert_eq!(summarize(&fixture.mock.requests("/bot")), ["hi", "hello?", "<close>"]);
    fixture.send_channel_message("c-1", "c-3", "back again").await;
    assert_ne!(conversation(&fixture.mock.wait_for_requests("/bot", 4).await), first);
}

pub async fn bot_outage_hands_over_with_undelivered_messages(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "bot-down", "    bot_down_after: 3\n").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    fixture.mock.set_behaviour_for(&bot_conversation, Behaviour::down());
    let since = Instant::now();
    fixture.send_channel_message("c-1", "c-2", "are you there?").await;
    // Two failures, one second apart, open the breaker. Three seconds later the desk takes over.
    in_time(&fixture.mock, "/desk", 1, since, 4).await;
    let handover = fixture.mock.requests("/desk")[0].json();
    assert_eq!(handover["data"]["reason"], "the bot is unreachable");
    let lines = handover["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(lines, ["hi", "are you there?"], "the transcript includes the waiting message");
    fixture.send_channel_message("c-1", "c-3", "anybody?").await;
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/desk", 2).await)[1], "anybody?");

    // The bot recovers and receives the waiting message, but no longer owns the conversation.
    fixture.mock.clear_behaviour_for_words();
    fixture.mock.wait_for_accepted("/bot", 2, Duration::from_secs(40)).await;
    let (status, refused) =
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("Here I am!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
}

pub async fn slow_bot_ack_does_not_hand_over(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "slow-ack", "    bot_down_after: 1\n").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    // The bot responds after six seconds, which counts as a failure.
    fixture.mock.set_behaviour(Some(Behaviour::Delay(Duration::from_secs(6))));
    fixture.send_channel_message("c-1", "c-2", "one").await;
    fixture.mock.wait_for_requests("/bot", 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    fixture.mock.set_behaviour(None);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(fixture.mock.requests("/desk").is_empty());
    assert_eq!(fixture.conversation("channel", "c-1").await.owner(), Owner::Bot);
    assert_eq!(
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("Here.")).await.0,
        200
    );
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/channel", 1).await), ["Here."]);
}
