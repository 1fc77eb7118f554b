//! Duplicates of calls and of queue messages.

use futures_util::future::join_all;
use jiff::SignedDuration;
use trunkline_core::model::{Job, Resend};
use trunkline_testkit::{Fault, TestStack, message};

/// Shows W18, S3.
#[tokio::test(start_paused = true)]
async fn concurrent_calls_with_one_event_deliver_it_once() {
    let stack = TestStack::with_bot().await;
    // The customer `old` has an open conversation already, `new` has none.
    stack.send("channel", "old", "m-0", message("first")).await;
    for customer in ["old", "new"] {
        let text = format!("the same of {customer}");
        let events = [stack.event("channel", customer, "m-1", message(&text))];
        let answers = join_all((0..5).map(|_| stack.post("channel", &events))).await;
        assert!(answers.iter().all(trunkline_testkit::CallResponse::is_success), "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| answer.is_duplicate()).count(), 4);
    }
    stack.run_until_idle().await;
    let calls = stack.toy.calls("bot");
    let summaries: Vec<_> = calls.iter().map(trunkline_testkit::ToyCall::summary).collect();
    assert_eq!(summaries, ["first", "the same of old", "the same of new"]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_first_messages_create_one_conversation() {
    let stack = TestStack::with_bot().await;
    let mut calls = Vec::new();
    for i in 0..4 {
        let text = format!("hi {i}");
        calls.push([stack.event("channel", "c-1", &format!("m-{i}"), message(&text))]);
    }
    let answers = join_all(calls.iter().map(|events| stack.post("channel", events))).await;
    let first = answers[0].conversation();
    assert!(!first.is_empty() && answers.iter().all(|answer| answer.conversation() == first));
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot").len(), 4);
}

/// Shows W18, S3.
#[tokio::test(start_paused = true)]
async fn duplicate_is_dropped_after_the_queue_has_forgotten_it() {
    let stack = TestStack::with_bot().await;
    let events = [stack.event("channel", "c-1", "m-1", message("hello"))];
    stack.post("channel", &events).await;
    stack.run_until_idle().await;
    stack.clock.advance(SignedDuration::from_mins(6));
    assert!(stack.post("channel", &events).await.is_duplicate());
    stack.run_until_idle().await;
    assert_eq!(stack.toy.calls("bot").len(), 1);

    // A delivery that is in the queue again, as after a crash of the function that answered a duplicate.
    let record = stack.transcript("channel", "c-1").await.remove(0);
    let mut delivery = record.deliveries().next().unwrap();
    delivery.resend = Resend::AfterDuplicate;
    let (platform, group) = (delivery.to.platform, delivery.leg().message_group());
    let job = Job::Deliver(Box::new(delivery));
    stack.app.queues.enqueue(platform, group, "six-minutes-later".into(), &job).await.unwrap();
    stack.run_until_idle().await;
    assert_eq!(stack.toy.calls("bot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn queue_message_that_was_processed_is_not_sent_again() {
    let stack = TestStack::with_bot().await;
    stack.accept("channel", "c-1", "m-1", message("hello")).await;
    // The worker records the outcome and crashes before the message is deleted.
    stack.faults().at("dynamodb", "UpdateItem", 1, Fault::CrashAfter);
    stack.run_until_idle().await;
    stack.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(stack.toy.calls("bot").len(), 1);
    assert_eq!(stack.accounting().await.queued, 0);
}

#[tokio::test(start_paused = true)]
async fn duplicate_queues_what_a_crash_left_unqueued() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-0", message("first")).await;
    let events = [stack.event("channel", "c-1", "m-1", message("lost?"))];
    stack.faults().at("sqs", "SendMessage", 1, Fault::CrashBefore);
    assert_eq!(stack.post("channel", &events).await.status, 502);
    stack.run_until_idle().await;
    assert_eq!(stack.accounting().await.lost.len(), 1, "stored, and not queued");
    for _ in 0..2 {
        assert!(stack.post("channel", &events).await.is_duplicate());
    }
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["first", "lost?"]);
    assert_eq!(stack.toy.calls("bot").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_queue_is_answered_with_503_and_the_repeat_succeeds() {
    let stack = TestStack::with_bot().await;
    let events = [stack.event("channel", "c-1", "m-1", message("hello"))];
    for fault in [Fault::Refuse, Fault::Throttle, Fault::LoseAnswer] {
        stack.faults().at("sqs", "SendMessage", 1, fault);
        assert_eq!(stack.post("channel", &events).await.status, 503, "{fault:?}");
    }
    assert!(stack.post("channel", &events).await.is_success());
    stack.run_until_idle().await;
    assert_eq!(stack.toy.calls("bot").len(), 1);
}
