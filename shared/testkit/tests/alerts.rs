//! Operations alerts: what they contain, and which observers receive them.

use serde_json::Value;
use trunkline_core::model::{DeliveryPolicy, EventBody, Role, Route};
use trunkline_runtime::queue::QueueMessage;
use trunkline_testkit::aws::CallRecord;
use trunkline_testkit::{Fault, Reply, TestStack, message};

/// A stack with the observers `watch` and `watch-2`, which receive alerts, and `quiet`, which does not.
async fn watched() -> TestStack {
    let stack = TestStack::with_bot().await;
    for id in ["watch", "watch-2", "quiet"] {
        stack.connect(id, Role::Observer, |_| ()).await;
    }
    subscribe(&stack, &["watch", "watch-2"]).await;
    stack
}

async fn subscribe(stack: &TestStack, observers: &[&str]) {
    let observers: Vec<_> = observers.iter().map(|id| id.parse().unwrap()).collect();
    stack.app.store.put_alert_observers(&observers).await.unwrap();
}

/// Returns names and details of the alerts that a connection received.
fn alerts(stack: &TestStack, connection: &str) -> Vec<(String, Value)> {
    let alert = |call: trunkline_testkit::ToyCall| match call.delivery.event.body {
        EventBody::Opaque { name, raw, .. } => Some((name, raw)),
        _ => None,
    };
    stack.toy.taken(connection).into_iter().filter_map(alert).collect()
}

fn names(stack: &TestStack, connection: &str) -> Vec<String> {
    alerts(stack, connection).into_iter().map(|(name, _)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn failed_delivery_is_reported_to_each_subscriber_and_to_nobody_else() {
    let stack = watched().await;
    stack.toy.always("bot", Reply::Status(400));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    let failed = stack.failed("bot").await.remove(0);
    for observer in ["watch", "watch-2"] {
        let mut found = alerts(&stack, observer);
        assert_eq!(found.len(), 1, "{observer}");
        let (name, detail) = found.remove(0);
        assert_eq!(name, "trunkline.failed");
        assert_eq!(detail["delivery"], failed.delivery.id.as_str());
        assert_eq!(detail["connection"], "bot");
        assert_eq!(detail["conversation"], failed.delivery.conversation.as_str());
        assert_eq!(
            (&detail["attempts"], detail["reason"].as_str()),
            (&1.into(), Some(&*failed.reason))
        );
    }
    assert!(stack.toy.calls("quiet").is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_subscribers_nothing_is_sent() {
    let stack = watched().await;
    subscribe(&stack, &[]).await;
    stack.toy.always("bot", Reply::Status(400));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    assert_eq!(stack.failed("bot").await.len(), 1);
    for observer in ["watch", "watch-2", "quiet"] {
        assert!(stack.toy.calls(observer).is_empty(), "{observer}");
    }
}

#[tokio::test(start_paused = true)]
async fn first_parked_delivery_of_a_leg_is_reported_and_those_behind_it_are_not() {
    let stack = watched().await;
    stack.toy.always("bot", Reply::Status(503));
    for (customer, id) in [("c-1", "m-0"), ("c-1", "m-1"), ("c-1", "m-2"), ("c-2", "m-0")] {
        stack.send("channel", customer, id, message("hi")).await;
    }
    assert_eq!(stack.parked("bot").await.len(), 4);
    assert_eq!(names(&stack, "watch"), ["trunkline.parked", "trunkline.parked"]);
    let conversations: Vec<_> = alerts(&stack, "watch")
        .into_iter()
        .map(|(_, detail)| detail["conversation"].clone())
        .collect();
    assert_ne!(conversations[0], conversations[1]);
}

/// Alerts about a subscriber's own failures would cause further failures.
#[tokio::test(start_paused = true)]
async fn failure_of_a_subscriber_is_not_reported_to_any_subscriber() {
    let stack = watched().await;
    stack.toy.always("bot", Reply::Status(400));
    stack.toy.always("watch", Reply::Status(400));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    assert_eq!(stack.toy.calls("watch").len(), 1);
    assert_eq!(stack.failed("watch").await.len(), 1, "the alert itself waits for an operator");
    assert_eq!(names(&stack, "watch-2"), ["trunkline.failed"], "about the bot only");
}

#[tokio::test(start_paused = true)]
async fn failure_of_an_observer_that_does_not_subscribe_is_reported() {
    let stack = watched().await;
    let observe = |route: &mut Route| route.observers = vec!["quiet".parse().unwrap()];
    stack.route("main", observe).await;
    stack.toy.always("quiet", Reply::Status(400));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    let found = alerts(&stack, "watch");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1["connection"], "quiet");
}

#[tokio::test(start_paused = true)]
async fn subscriber_that_is_not_configured_is_left_out() {
    let stack = watched().await;
    subscribe(&stack, &["gone", "watch"]).await;
    stack.toy.always("bot", Reply::Status(400));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    assert_eq!(names(&stack, "watch"), ["trunkline.failed"]);
    assert!(stack.dead_letters().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn dead_letter_is_reported_with_its_platform_and_reason() {
    let stack = watched().await;
    let platform = "toy".parse().unwrap();
    let message = QueueMessage::raw(platform, "leg".into(), "raw-1".into(), "not JSON".into());
    stack.app.queues.send(message).await.unwrap();
    stack.run_until_idle().await;
    assert!(stack.tick().await);
    stack.run_until_idle().await;
    let letter = stack.dead_letters().await.remove(0);
    let found = alerts(&stack, "watch");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "trunkline.dead_letter");
    assert_eq!(found[0].1["letter"], letter.id.as_str());
    assert_eq!(found[0].1["platform"], "toy");
    assert_eq!(found[0].1["reason"], letter.reason.as_str());
}

#[tokio::test(start_paused = true)]
async fn alert_that_cannot_be_queued_does_not_stop_its_cause() {
    let stack = watched().await;
    let alert = |call: &CallRecord| call.service == "sqs" && call.body.contains("trunkline.failed");
    stack.faults().when(alert, 0, None, Fault::Refuse);
    stack.toy.always("bot", Reply::Status(400));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    assert_eq!(stack.failed("bot").await.len(), 1);
    assert_eq!(stack.toy.calls("bot").len(), 1, "the delivery is not repeated");
    assert!(stack.toy.calls("watch").is_empty());
    assert!(stack.is_at_rest().await);
}

#[tokio::test(start_paused = true)]
async fn exhausted_delivery_is_reported_with_all_its_attempts() {
    let stack = watched().await;
    let delivery =
        DeliveryPolicy { retry: vec![1, 1], breaker_after: 100, ..DeliveryPolicy::default() };
    stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
    stack.toy.always("bot", Reply::Status(503));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    stack.advance(jiff::SignedDuration::from_secs(10)).await;
    assert_eq!(names(&stack, "watch"), ["trunkline.parked", "trunkline.failed"]);
    assert_eq!(alerts(&stack, "watch")[1].1["attempts"], 3);
}
