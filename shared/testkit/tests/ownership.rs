//! Exactly one owner, and conversations that end and begin again.

use futures_util::future::join_all;
use jiff::SignedDuration;
use trunkline_core::model::{AgentLocation, EventBody, Owner, Phase};
use trunkline_testkit::{Fault, TestStack, close, handover, message};

#[tokio::test(start_paused = true)]
async fn message_after_the_end_starts_a_new_conversation() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-1", message("hi")).await;
    let first = stack.toy.conversation("bot");
    for _ in 0..2 {
        stack.send("bot", &first, "b-1", close("done")).await;
    }
    let late = stack.try_send("bot", &first, "b-2", message("and another thing")).await;
    assert_eq!((late.status, late.code()), (409, "conversation_closed"));
    stack.send("channel", "c-1", "m-2", message("hello again")).await;
    let second = stack.toy.conversation("bot");
    assert_ne!(second, first);
    let conversation = stack.conversation("channel", "c-1").await;
    assert_eq!((conversation.phase, conversation.version), (Phase::Open, 3));
    stack.send("bot", &second, "b-3", message("welcome back")).await;
    assert_eq!(stack.toy.heard("channel"), ["<close>", "welcome back"]);
    assert_eq!(stack.toy.conversation("channel"), "c-1");
}

#[tokio::test(start_paused = true)]
async fn open_conversation_does_not_expire() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-1", message("hello")).await;
    let before = stack.conversation("channel", "c-1").await;
    let leg = stack.transcript("channel", "c-1").await[0].deliveries().next().unwrap().leg();
    let (first, _) = stack.app.store.leg_and_breaker(&leg).await.unwrap();
    // A month later what would expire is written again, once.
    stack.skip(SignedDuration::from_hours(30 * 24)).await;
    for i in 2..4 {
        stack.send("channel", "c-1", &format!("m-{i}"), message(&format!("later {i}"))).await;
    }
    let after = stack.conversation("channel", "c-1").await;
    assert_eq!((after.id, after.version), (before.id, before.version + 1));
    let (renewed, _) = stack.app.store.leg_and_breaker(&leg).await.unwrap();
    assert!(renewed.touched_at > first.touched_at);
}

/// The customer's message and the bot's handover arrive together, and each is routed to one owner.
#[tokio::test(start_paused = true)]
async fn message_that_races_a_handover_reaches_exactly_one_owner() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    let asks = [stack.event("bot", &bot, "b-1", handover("asked"))];
    let says = [stack.event("channel", "c-1", "m-1", message("are you there?"))];
    let calls = [stack.post("bot", &asks), stack.post("channel", &says)];
    let answers = join_all(calls).await;
    assert!(answers.iter().all(trunkline_testkit::CallResponse::is_success), "{answers:?}");
    stack.run_until_idle().await;
    let heard = |connection| {
        stack.toy.heard(connection).iter().filter(|text| *text == "are you there?").count()
    };
    assert_eq!(heard("bot") + heard("desk"), 1);
    let conversation = stack.conversation("channel", "c-1").await;
    assert_eq!(conversation.owner(), Owner::Desk);
    assert_eq!(conversation.handover.unwrap().location, AgentLocation::Desk);
}

/// Two handovers at the same time are one.
#[tokio::test(start_paused = true)]
async fn concurrent_handovers_open_one_session_at_the_desk() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    let asks = [stack.event("bot", &bot, "b-1", handover("asked"))];
    let keyword = [stack.event("channel", "c-1", "m-1", message("agent"))];
    join_all([stack.post("bot", &asks), stack.post("channel", &keyword)]).await;
    stack.run_until_idle().await;
    let desk = stack.toy.heard("desk");
    assert_eq!(desk.iter().filter(|text| *text == "<handover>").count(), 1, "{desk:?}");
}

/// Another writer of the conversation makes the decision outdated, and it is made again.
#[tokio::test(start_paused = true)]
async fn conflicts_while_the_owner_changes_are_decided_again() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    for _ in 0..3 {
        stack.faults().at("dynamodb", "TransactWriteItems", 1, Fault::TransactionConflict);
    }
    stack.send("channel", "c-1", "m-1", message("agent")).await;
    assert_eq!(stack.conversation("channel", "c-1").await.owner(), Owner::Desk);
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "agent"]);
    stack.send("desk", &stack.toy.conversation("desk"), "d-1", EventBody::Accept).await;
}
