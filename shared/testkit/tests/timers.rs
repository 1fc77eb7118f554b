//! Timers of conversations.

use std::time::Duration;

use jiff::SignedDuration;
use trunkline_core::model::{EventBody, OnClose, Owner, Participation, Role};
use trunkline_testkit::{Reply, TestStack, message};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Returns the reason of the last event that a connection received, if it is one with a reason.
fn reason(stack: &TestStack, connection: &str) -> Option<String> {
    match stack.toy.taken(connection).pop()?.delivery.event.body {
        EventBody::Handover { reason, .. }
        | EventBody::Handback { reason, .. }
        | EventBody::Close { reason } => reason,
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn unaccepted_handover_returns_to_the_bot() {
    let stack = TestStack::with_desk(|policy| policy.accept_within = Some(30)).await;
    stack.send("channel", "c-1", "c-1", message("agent")).await;
    // One second has passed, in which the transcript for the desk settled.
    stack.advance(seconds(28)).await;
    assert!(stack.toy.heard("bot").is_empty(), "too early");
    stack.advance(seconds(2)).await;
    assert_eq!(stack.toy.heard("bot"), ["<handback>"]);
    assert_eq!(reason(&stack, "bot").as_deref(), Some("no agent accepted in time"));
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "agent", "<close>"]);
    assert_eq!(stack.toy.heard("channel"), ["We look for somebody.", "No agent is available."]);
    stack.send("channel", "c-1", "c-2", message("well then")).await;
    assert_eq!(stack.toy.heard("bot"), ["<handback>", "well then"]);
}

#[tokio::test(start_paused = true)]
async fn accepted_handover_stays_at_the_desk() {
    let stack = TestStack::with_desk(|policy| policy.accept_within = Some(30)).await;
    stack.send("channel", "c-1", "c-1", message("agent")).await;
    let desk = stack.toy.conversation("desk");
    stack.advance(seconds(28)).await;
    stack.send("desk", &desk, "d-1", EventBody::Accept).await;
    stack.advance(SignedDuration::from_hours(1)).await;
    let conversation = stack.conversation("channel", "c-1").await;
    assert_eq!(conversation.participation(Owner::Desk), Participation::Active);
    assert!(stack.toy.heard("bot").is_empty());
}

#[tokio::test(start_paused = true)]
async fn idle_agent_loses_the_conversation() {
    let stack = TestStack::with_desk(|policy| {
        policy.agent_idle = Some(60);
        policy.if_unanswered = OnClose::Close;
    })
    .await;
    stack.send("channel", "c-1", "c-1", message("agent")).await;
    let desk = stack.toy.conversation("desk");
    stack.send("desk", &desk, "d-1", message("Hello.")).await;
    // The agent has answered everything, so the timer does not fire.
    stack.advance(seconds(600)).await;
    let conversation = stack.conversation("channel", "c-1").await;
    assert_eq!(conversation.participation(Owner::Desk), Participation::Active);
    stack.send("channel", "c-1", "c-2", message("A question?")).await;
    stack.advance(seconds(59)).await;
    assert!(stack.conversation("channel", "c-1").await.is_open(), "too early");
    stack.advance(seconds(3)).await;
    assert_eq!(reason(&stack, "desk").as_deref(), Some("the agent did not answer in time"));
    assert!(!stack.conversation("channel", "c-1").await.is_open());
}

#[tokio::test(start_paused = true)]
async fn silence_closes_the_conversation() {
    let stack = TestStack::with_desk(|policy| policy.session_ttl = Some(600)).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let first = stack.toy.conversation("bot");
    stack.advance(seconds(400)).await;
    stack.send("channel", "c-1", "c-2", message("hello?")).await;
    stack.advance(seconds(599)).await;
    assert!(stack.conversation("channel", "c-1").await.is_open(), "each message extends it");
    stack.advance(seconds(3)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi", "hello?", "<close>"]);
    stack.send("channel", "c-1", "c-3", message("back again")).await;
    assert_ne!(stack.toy.conversation("bot"), first);
}

#[tokio::test(start_paused = true)]
async fn bot_outage_hands_over_with_the_undelivered_messages() {
    let stack = TestStack::with_desk(|policy| policy.bot_down_after = Some(30)).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    stack.toy.always("bot", Reply::Status(503));
    stack.send("channel", "c-1", "c-2", message("are you there?")).await;
    // Two failures open the breaker, and thirty seconds later the desk takes over.
    stack.advance(seconds(29)).await;
    assert!(stack.toy.heard("desk").is_empty(), "too early");
    stack.advance(seconds(15)).await;
    assert_eq!(stack.toy.heard("desk"), ["<handover>"]);
    assert_eq!(reason(&stack, "desk").as_deref(), Some("the bot is unreachable"));
    let call = stack.toy.taken("desk").remove(0);
    let transcript = call.delivery.event.body.transcript().unwrap();
    let lines: Vec<_> = transcript.entries.iter().map(|one| one.content.text.clone()).collect();
    assert_eq!(lines, [Some("hi".into()), Some("are you there?".into())]);
    stack.send("channel", "c-1", "c-3", message("anybody?")).await;
    assert_eq!(stack.toy.heard("desk")[1], "anybody?");

    // The bot recovers and receives the message that waited, but no longer owns the conversation.
    stack.toy.always("bot", None);
    stack.advance(seconds(10)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi", "are you there?"]);
    let refused = stack.try_send("bot", &bot, "b-1", message("Here I am!")).await;
    assert_eq!((refused.status, refused.code()), (409, "not_owner"));
}

#[tokio::test(start_paused = true)]
async fn slow_acknowledgement_of_the_bot_is_no_handover() {
    let stack = TestStack::with_desk(|policy| policy.bot_down_after = Some(1)).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    // The answer after six seconds is not seen, which is a failure.
    stack.toy.once("bot", Reply::Slow(Duration::from_secs(6)));
    stack.send("channel", "c-1", "c-2", message("one")).await;
    stack.advance(seconds(60)).await;
    assert!(stack.toy.calls("desk").is_empty());
    assert_eq!(stack.conversation("channel", "c-1").await.owner(), Owner::Bot);
    stack.send("bot", &bot, "b-1", message("Here.")).await;
    assert_eq!(stack.toy.heard("channel"), ["Here."]);
}

/// Shows S4.
#[tokio::test(start_paused = true)]
async fn held_events_are_released_in_the_order_of_their_own_time() {
    let stack = TestStack::with_bot().await;
    stack.connect("channel", Role::Channel, |channel| channel.reorder_window = Some(3)).await;
    let first = stack.event("channel", "c-1", "c-1", message("first"));
    stack.clock.advance(SignedDuration::from_millis(500));
    let second = stack.event("channel", "c-1", "c-2", message("second"));
    for event in [second, first] {
        assert!(stack.post("channel", &[event]).await.is_success());
    }
    stack.run_until_idle().await;
    assert!(stack.toy.calls("bot").is_empty());
    stack.advance(seconds(4)).await;
    assert_eq!(stack.toy.heard("bot"), ["first", "second"]);
}
