//! Long work does not need a long chain of messages, which Lambda would stop. The testkit refuses a function's 17th
//! run in a chain, and counts refusals.

use std::time::Duration;

use jiff::SignedDuration;
use trunkline_core::model::{DeliveryPolicy, Event, Reactivation, Role};
use trunkline_runtime::operator::Selection;
use trunkline_runtime::store::DUE_PARTITIONS;
use trunkline_testkit::{Reply, TestStack, message};

/// How long each AWS call takes: 5 to 15 ms on AWS.
const LATENCY: Duration = Duration::from_millis(10);
/// How many events a caller sends in one call.
const PER_CALL: usize = 100;

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Sends the messages `0`, `1` … of one customer.
async fn send_numbered(stack: &TestStack, count: usize) {
    let numbers: Vec<usize> = (0..count).collect();
    for call in numbers.chunks(PER_CALL) {
        let event =
            |n: &usize| stack.event("channel", "c-1", &format!("m-{n}"), message(&n.to_string()));
        let events: Vec<Event> = call.iter().map(event).collect();
        assert!(stack.post("channel", &events).await.is_success());
        stack.run_until_idle().await;
    }
}

/// Returns the number of tasks that wait in the table.
async fn waiting_tasks(stack: &TestStack) -> usize {
    let mut count = 0;
    for partition in 0..DUE_PARTITIONS {
        let (tasks, _) =
            stack.app.store.due_tasks(partition, jiff::Timestamp::MAX, None).await.unwrap();
        count += tasks.len();
    }
    count
}

#[tokio::test(start_paused = true)]
async fn timer_of_a_day_waits_in_the_table() {
    let stack = TestStack::with_desk(|policy| policy.session_ttl = Some(86_400)).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    assert_eq!((waiting_tasks(&stack).await, stack.scheduled_tasks()), (1, 0));
    stack.advance(SignedDuration::from_hours(24) - SignedDuration::from_secs(2)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
    stack.advance(SignedDuration::from_secs(4)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi", "<close>"]);
    assert_eq!((waiting_tasks(&stack).await, stack.scheduled_tasks()), (0, 0));
    assert_eq!(stack.refused_runs(), 0);
}

/// A timer that activity moves again and again is a chain, although each task is soon due.
#[tokio::test(start_paused = true)]
async fn timer_that_moves_for_a_day_fires_after_the_silence() {
    let stack = TestStack::with_desk(|policy| policy.session_ttl = Some(300)).await;
    for n in 0..360 {
        let id = format!("c-{n}");
        stack.send("channel", "c-1", &id, message(&id)).await;
        stack.advance(minutes(4)).await;
    }
    assert!(stack.conversation("channel", "c-1").await.is_open());
    stack.advance(minutes(3)).await;
    assert!(!stack.conversation("channel", "c-1").await.is_open());
    assert_eq!(stack.refused_runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn breaker_that_is_open_for_two_hours_is_probed() {
    let stack = TestStack::with_bot().await;
    outage_of_legs(&stack, 5).await;
    assert!(stack.breaker("bot").await.is_open());
    let calls = || stack.toy.calls("bot").len();
    stack.advance(minutes(30)).await;
    let before = calls();
    stack.advance(minutes(10)).await;
    assert!((74..=76).contains(&(calls() - before)), "every 8 seconds: {}", calls() - before);
    stack.advance(minutes(40)).await;
    let before = calls();
    stack.advance(minutes(40)).await;
    assert!((47..=49).contains(&(calls() - before)), "every 50 seconds: {}", calls() - before);
    stack.toy.always("bot", None);
    stack.advance(minutes(1)).await;
    assert_eq!(stack.toy.heard("bot").len(), 5);
    assert_eq!(stack.refused_runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn five_thousand_deliveries_of_a_leg_are_drained_in_order() {
    let stack = TestStack::with_bot().await;
    stack.connect("bot", Role::Bot, |bot| bot.suspended = true).await;
    send_numbered(&stack, 5_000).await;
    assert_eq!(stack.parked("bot").await.len(), 5_000);
    stack.connect("bot", Role::Bot, |bot| bot.suspended = false).await;
    stack.aws().manners().set_latency(LATENCY);
    stack.app.operator_actions().replay(&Selection::default()).await.unwrap();
    stack.advance(minutes(20)).await;
    let expected: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    assert_eq!(stack.toy.heard("bot"), expected);
    assert_eq!(stack.refused_runs(), 0);
    assert!(stack.dead_letters().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn three_thousand_legs_are_released() {
    let stack = TestStack::with_bot().await;
    outage_of_legs(&stack, 3_000).await;
    stack.toy.always("bot", None);
    stack.advance(minutes(2)).await;
    assert_eq!(stack.toy.heard("bot").len(), 3_000);
    assert_eq!(stack.refused_runs(), 0);
    assert!(stack.is_at_rest().await);
}

/// Transactions of ten workers that park deliveries to one connection have no item in common.
#[tokio::test(start_paused = true)]
async fn outage_parks_a_thousand_legs_without_a_conflict() {
    let stack = TestStack::with_bot().await;
    let manual = |delivery: &mut DeliveryPolicy| delivery.reactivation = Reactivation::Manual;
    stack.connect("bot", Role::Bot, |bot| manual(&mut bot.delivery)).await;
    stack.mix_groups();
    stack.aws().manners().set_latency(LATENCY);
    outage_of_legs(&stack, 1_000).await;
    assert_eq!(stack.parked("bot").await.len(), 1_000);
    let attempted = stack.toy.calls("bot").len();
    let mut ids: Vec<_> = stack.toy.calls("bot").into_iter().map(|call| call.delivery.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), attempted, "no call is repeated");
    assert!(stack.dead_letters().await.is_empty());
}

/// Fails the first delivery to the bot in each of these conversations.
async fn outage_of_legs(stack: &TestStack, count: usize) {
    stack.toy.always("bot", Reply::Status(503));
    for i in 0..count {
        stack.accept("channel", &format!("c-{i:04}"), "m-0", message("hello")).await;
    }
    stack.run_until_idle().await;
}
