//! Draining: parked deliveries are sent in order.

use std::time::Duration;

use jiff::SignedDuration;
use trunkline_core::model::{DeliveryPolicy, Role};
use trunkline_runtime::app::Clock;
use trunkline_testkit::{Fault, Reply, TestStack, message};

/// A stack whose bot is retried after two seconds, as often as needed, and whose breaker never opens.
async fn patient() -> TestStack {
    let stack = TestStack::with_bot().await;
    let delivery =
        DeliveryPolicy { retry: vec![2; 100], breaker_after: 10_000, ..DeliveryPolicy::default() };
    stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
    stack
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("message {i:03}")).collect()
}

async fn send_numbered(stack: &TestStack, range: std::ops::Range<usize>) {
    for i in range {
        let text = format!("message {i:03}");
        stack.send("channel", "c-1", &format!("m-{i}"), message(&text)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn drains_several_pages_in_order() {
    let stack = patient().await;
    stack.toy.always("bot", Reply::Status(503));
    send_numbered(&stack, 0..60).await;
    assert_eq!(stack.parked("bot").await.len(), 60);
    stack.toy.always("bot", None);
    stack.advance(SignedDuration::from_secs(4)).await;
    assert_eq!(stack.toy.heard("bot"), numbered(60));
    assert!(stack.parked("bot").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_during_a_drain_stay_behind_the_parked_ones() {
    let stack = patient().await;
    stack.toy.always("bot", Reply::Status(503));
    send_numbered(&stack, 0..5).await;
    stack.toy.always("bot", None);
    // One message per step, so that later ones are accepted while the leg is drained.
    stack.set_batch_size(1);
    stack.toy.once("bot", Reply::Accept);
    stack.toy.once("bot", Reply::Status(503));
    stack.advance(SignedDuration::from_secs(3)).await;
    assert!(!stack.parked("bot").await.is_empty());
    send_numbered(&stack, 5..8).await;
    stack.advance(SignedDuration::from_secs(10)).await;
    assert_eq!(stack.toy.heard("bot"), numbered(8));
}

/// A drain that does not fit into an invocation continues in the next.
#[tokio::test(start_paused = true)]
async fn slow_platform_is_drained_in_several_invocations() {
    let stack = patient().await;
    stack.toy.always("bot", Reply::Status(503));
    send_numbered(&stack, 0..20).await;
    stack.toy.always("bot", Reply::Slow(Duration::from_secs(4)));
    let began = stack.clock.now();
    stack.advance(SignedDuration::from_secs(3)).await;
    assert_eq!(stack.toy.heard("bot"), numbered(20));
    assert!(stack.clock.now().duration_since(began) >= SignedDuration::from_secs(80));
    let drains = |function: &str| {
        let calls = stack.aws().calls();
        let own = calls.iter().filter(|call| call.function == function);
        own.map(|call| call.invocation).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(drains("toy-outbound") >= 20 + 3, "no invocation exceeds its time limit");
}

#[tokio::test(start_paused = true)]
async fn crash_during_a_drain_repeats_one_delivery_at_most() {
    let stack = patient().await;
    stack.toy.always("bot", Reply::Status(503));
    send_numbered(&stack, 0..6).await;
    stack.toy.always("bot", None);
    let before = stack.toy.calls("bot").len();
    // The worker sends the third and crashes before it records the outcome.
    let drained = |call: &trunkline_testkit::aws::CallRecord| {
        call.function == "toy-outbound" && call.body.contains("outcomes.#target")
    };
    stack.faults().when(drained, 2, Some(1), Fault::CrashBefore);
    stack.advance(SignedDuration::from_secs(4)).await;
    assert_eq!(stack.toy.heard("bot"), numbered(3));
    stack.advance(SignedDuration::from_secs(50)).await;
    assert_eq!(stack.toy.heard("bot"), numbered(6));
    assert_eq!(stack.toy.calls("bot").len() - before, 7, "one was sent twice");
}

#[tokio::test(start_paused = true)]
async fn sweep_restores_a_lost_drain() {
    let stack = patient().await;
    stack.toy.once("bot", Reply::Status(503));
    send_numbered(&stack, 0..3).await;
    stack.drop_scheduled_tasks();
    stack.advance(SignedDuration::from_mins(1)).await;
    stack.tick().await;
    stack.run_until_idle().await;
    assert!(stack.toy.heard("bot").is_empty(), "not overdue yet");
    stack.advance(SignedDuration::from_mins(2)).await;
    stack.tick().await;
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), numbered(3));
}
