//! Parked and failed deliveries, and the actions of operators on them.

use jiff::SignedDuration;
use trunkline_core::model::{DeliveryPolicy, Role, Verdict};
use trunkline_runtime::app::Clock;
use trunkline_runtime::operator::Selection;
use trunkline_testkit::{Reply, TestStack, message};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A stack whose bot has this retry schedule and a breaker that never opens.
async fn with_retries(retry: &[u32]) -> TestStack {
    let stack = TestStack::with_bot().await;
    let delivery =
        DeliveryPolicy { retry: retry.to_vec(), breaker_after: 1_000, ..DeliveryPolicy::default() };
    stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
    stack
}

async fn send_all(stack: &TestStack, texts: &[&str]) {
    for (i, text) in texts.iter().enumerate() {
        stack.send("channel", "c-1", &format!("m-{i}"), message(text)).await;
    }
}

fn all() -> Selection {
    Selection::default()
}

#[tokio::test(start_paused = true)]
async fn retries_four_times_within_an_hour_then_waits_for_an_operator() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(503));
    stack.send("channel", "c-1", "m-0", message("hello")).await;
    for (attempts, wait) in [(1, 2.0), (2, 30.0), (3, 600.0), (4, 2_700.0)] {
        let parked = stack.parked("bot").await;
        assert_eq!((parked.len(), parked[0].attempts), (1, attempts));
        let due = parked[0].next_attempt_at.unwrap();
        let last = stack.toy.calls("bot").pop().unwrap().at;
        let planned = due.duration_since(last).as_secs_f64();
        assert!((wait * 0.8..=wait * 1.2).contains(&planned), "{attempts}: {planned}");
        // A task is at most a second late, because SQS delays by whole seconds.
        stack.advance(due.duration_since(stack.clock.now()) - seconds(1)).await;
        assert_eq!(stack.toy.calls("bot").len(), usize::try_from(attempts).unwrap(), "too early");
        stack.advance(seconds(2)).await;
        assert_eq!(stack.toy.calls("bot").len(), usize::try_from(attempts).unwrap() + 1);
    }
    assert!(stack.parked("bot").await.is_empty());
    let failed = stack.failed("bot").await;
    assert_eq!((failed.len(), failed[0].attempts), (1, 5));
    assert!(failed[0].reason.contains("503"), "{}", failed[0].reason);
    assert!(stack.breaker("bot").await.is_open(), "five failures in a row open the breaker");
    stack.advance(SignedDuration::from_hours(3)).await;
    assert_eq!(stack.toy.calls("bot").len(), 5, "there are no further attempts");
}

#[tokio::test(start_paused = true)]
async fn failed_delivery_is_retried_before_later_ones_with_the_same_id() {
    let stack = TestStack::with_bot().await;
    stack.toy.once("bot", Reply::Status(503));
    send_all(&stack, &["message 0", "message 1", "message 2"]).await;
    assert_eq!(stack.toy.calls("bot").len(), 1, "the others wait behind the first");
    stack.advance(seconds(4)).await;
    let calls = stack.toy.calls("bot");
    let summaries: Vec<_> = calls.iter().map(trunkline_testkit::ToyCall::summary).collect();
    assert_eq!(summaries, ["message 0", "message 0", "message 1", "message 2"]);
    assert_eq!(calls[0].delivery.id, calls[1].delivery.id);
    let outcome = stack.outcome("channel", "c-1", "message 0", "bot").await.unwrap();
    assert_eq!((outcome.verdict, outcome.attempts), (Verdict::Delivered, 2));
}

#[tokio::test(start_paused = true)]
async fn failing_message_blocks_its_leg_for_its_schedule_only() {
    let stack = with_retries(&[1, 1]).await;
    stack.toy.for_word("bot", "venom", Reply::Status(500));
    send_all(&stack, &["before", "venom", "after"]).await;
    stack.send("channel", "c-2", "m-0", message("other")).await;
    assert_eq!(stack.toy.heard("bot"), ["before", "other"], "no other conversation waits");
    stack.advance(seconds(5)).await;
    assert_eq!(stack.toy.heard("bot"), ["before", "other", "after"]);
    let venom = |call: &&trunkline_testkit::ToyCall| call.summary() == "venom";
    assert_eq!(stack.toy.calls("bot").iter().filter(venom).count(), 3, "one and two retries");
    let failed = stack.failed("bot").await;
    assert_eq!((failed.len(), failed[0].attempts), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn replayed_failure_is_sent_and_forgotten() {
    let stack = with_retries(&[1]).await;
    stack.toy.for_word("bot", "venom", Reply::Status(500));
    send_all(&stack, &["venom"]).await;
    stack.advance(seconds(3)).await;
    let delivery = Some(stack.failed("bot").await[0].delivery.id.clone());
    stack.toy.for_word("bot", "venom", None);
    let selection = Selection { delivery, ..all() };
    assert_eq!(stack.app.operator_actions().replay(&selection).await.unwrap(), 1);
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["venom"]);
    assert!(stack.failed("bot").await.is_empty());
    let outcome = stack.outcome("channel", "c-1", "venom", "bot").await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Delivered);
}

#[tokio::test(start_paused = true)]
async fn permanent_failure_does_not_block_the_leg_and_is_no_dead_letter() {
    let stack = TestStack::with_bot().await;
    stack.toy.for_word("bot", "bad", Reply::Status(422));
    send_all(&stack, &["bad 0", "good 1", "bad 2", "good 3"]).await;
    assert_eq!(stack.toy.calls("bot").len(), 4, "one attempt for each");
    assert_eq!(stack.toy.heard("bot"), ["good 1", "good 3"]);
    assert_eq!(stack.failed("bot").await.len(), 2);
    assert!(stack.dead_letters().await.is_empty());

    stack.toy.for_word("bot", "bad", None);
    assert_eq!(stack.app.operator_actions().replay(&all()).await.unwrap(), 2);
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot")[2..], ["bad 0", "bad 2"], "in order");
    assert!(stack.failed("bot").await.is_empty());
}

/// Some platforms report times in seconds.
#[tokio::test(start_paused = true)]
async fn failures_with_one_timestamp_are_replayed_in_the_order_of_their_failure() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(422));
    let texts = ["a", "b", "c", "d", "e"];
    let events = texts.map(|text| stack.event("channel", "c-1", text, message(text)));
    for event in events {
        assert!(stack.post("channel", &[event]).await.is_success());
        stack.run_until_idle().await;
    }
    stack.toy.always("bot", None);
    stack.app.operator_actions().replay(&all()).await.unwrap();
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), texts);
}

#[tokio::test(start_paused = true)]
async fn discarded_delivery_is_not_sent() {
    let stack = with_retries(&[600]).await;
    stack.toy.always("bot", Reply::Status(503));
    send_all(&stack, &["message 0", "message 1", "message 2"]).await;
    let parked = stack.parked("bot").await;
    assert!(parked[0].next_attempt_at.is_some() && parked[1].next_attempt_at.is_none());
    stack.toy.always("bot", None);
    let selection = Selection { delivery: Some(parked[1].delivery.id.clone()), ..all() };
    stack.app.operator_actions().discard(&selection).await.unwrap();
    stack.run_until_idle().await;
    assert_eq!(stack.parked("bot").await.len(), 2);
    stack.app.operator_actions().replay(&all()).await.unwrap();
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["message 0", "message 2"]);
    let outcome = stack.outcome("channel", "c-1", "message 1", "bot").await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Discarded);
    assert_eq!(stack.accounting().await.discarded, 1);
}

#[tokio::test(start_paused = true)]
async fn suspended_connection_keeps_everything_in_order() {
    let stack = TestStack::with_bot().await;
    stack.connect("bot", Role::Bot, |bot| bot.suspended = true).await;
    send_all(&stack, &["one", "two"]).await;
    stack.advance(SignedDuration::from_hours(3)).await;
    stack.tick().await;
    stack.run_until_idle().await;
    assert!(stack.toy.calls("bot").is_empty());
    assert_eq!(stack.parked("bot").await.len(), 2);
    stack.connect("bot", Role::Bot, |bot| bot.suspended = false).await;
    stack.app.operator_actions().replay(&all()).await.unwrap();
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_the_platform_extends_the_delay() {
    for (asked, wait) in [("120", 120), ("120, 120", 120), ("60.5", 61), ("a date", 600)] {
        let stack = TestStack::with_bot().await;
        let in_ten_minutes = stack.app.clock.now() + seconds(600);
        let asked = match asked {
            "a date" => in_ten_minutes.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            other => other.to_owned(),
        };
        stack.toy.once("bot", Reply::RetryAfter(asked));
        send_all(&stack, &["hello"]).await;
        stack.advance(seconds(wait - 2)).await;
        assert_eq!(stack.toy.calls("bot").len(), 1, "{wait}");
        stack.advance(seconds(3)).await;
        assert_eq!(stack.toy.heard("bot"), ["hello"], "{wait}");
    }
}

/// Shows input 19.
#[tokio::test(start_paused = true)]
async fn a_status_that_the_connection_retries_is_treated_like_an_outage() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(404));
    send_all(&stack, &["lost"]).await;
    assert_eq!(stack.failed("bot").await.len(), 1, "404 is permanent by default");
    stack.connect("bot", Role::Bot, |bot| bot.delivery.retry_statuses = [404].into()).await;
    for text in ["one", "two", "three"] {
        stack.send("channel", "c-1", text, message(text)).await;
    }
    stack.advance(seconds(20)).await;
    assert_eq!(stack.parked("bot").await.len(), 3);
    stack.toy.always("bot", Reply::Accept);
    stack.advance(seconds(20)).await;
    assert_eq!(stack.toy.heard("bot"), ["one", "two", "three"], "in order");
    assert_eq!(stack.failed("bot").await.len(), 1);
}

/// Shows input 19.
#[tokio::test(start_paused = true)]
async fn a_status_that_the_connection_retries_opens_the_breaker_and_tells_the_operator() {
    let stack = TestStack::with_bot().await;
    stack.connect("bot", Role::Bot, |bot| bot.delivery.retry_statuses = [404].into()).await;
    stack.toy.always("bot", Reply::Status(404));
    for customer in ["c-1", "c-2", "c-3", "c-4", "c-5"] {
        stack.send("channel", customer, customer, message(customer)).await;
    }
    stack.advance(seconds(2)).await;
    let breaker = stack.app.store.breaker(&"bot".parse().unwrap()).await.unwrap();
    assert!(breaker.is_open(), "{breaker:?}");
    stack.toy.always("bot", Reply::Accept);
    stack.advance(seconds(60)).await;
    let mut heard = stack.toy.heard("bot");
    heard.sort();
    assert_eq!(heard, ["c-1", "c-2", "c-3", "c-4", "c-5"]);
}

#[tokio::test(start_paused = true)]
async fn unknown_outcomes_are_retried_as_often_as_configured() {
    let stack = with_retries(&[1, 1, 1]).await;
    stack.connect("bot", Role::Bot, |bot| bot.delivery.retry_unknown = Some(1)).await;
    stack.toy.always("bot", Reply::LoseAnswer);
    send_all(&stack, &["hello"]).await;
    stack.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(stack.toy.calls("bot").len(), 2, "one retry");
    assert_eq!(stack.failed("bot").await.len(), 1);
}
