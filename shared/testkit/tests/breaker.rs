//! Breakers: opening, probes, closing, and the alerts about them.

use jiff::SignedDuration;
use serde_json::Value;
use trunkline_core::model::{EventBody, Reactivation, Role};
use trunkline_runtime::app::Clock;
use trunkline_testkit::{Reply, TestStack, message};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Fails one delivery to the bot in each of five conversations.
async fn fail_five_times(stack: &TestStack) {
    stack.toy.always("bot", Reply::Status(503));
    for i in 0..5 {
        let (customer, text) = (format!("c-{i}"), format!("c-{i} message 0"));
        stack.send("channel", &customer, "m-0", message(&text)).await;
    }
}

/// Adds the observer `watch`, which receives operations alerts.
async fn watch(stack: &TestStack) {
    stack.connect("watch", Role::Observer, |_| ()).await;
    stack.app.store.put_alert_observers(&["watch".parse().unwrap()]).await.unwrap();
}

/// Returns the detail of the first alert with this name.
fn alert(stack: &TestStack, name: &str) -> Option<Value> {
    stack.toy.taken("watch").into_iter().find_map(|call| match call.delivery.event.body {
        EventBody::Opaque { name: found, raw, .. } if found == name => Some(raw),
        _ => None,
    })
}

#[tokio::test(start_paused = true)]
async fn opens_after_five_failures() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(503));
    for i in 0..4 {
        stack.send("channel", &format!("c-{i}"), "m-0", message("hello")).await;
    }
    assert!(!stack.breaker("bot").await.is_open());
    stack.send("channel", "c-4", "m-0", message("hello")).await;
    assert!(stack.breaker("bot").await.is_open());
}

#[tokio::test(start_paused = true)]
async fn success_resets_the_number_of_failures() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(503));
    for i in 0..4 {
        stack.send("channel", &format!("c-{i}"), "m-0", message("hello")).await;
    }
    stack.toy.always("bot", None);
    stack.send("channel", "c-4", "m-0", message("hello")).await;
    assert_eq!(stack.breaker("bot").await.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn attempts_only_probes_while_it_is_open() {
    let stack = TestStack::with_bot().await;
    fail_five_times(&stack).await;
    for m in 1..4 {
        for i in 0..5 {
            let text = format!("c-{i} message {m}");
            stack.send("channel", &format!("c-{i}"), &format!("m-{m}"), message(&text)).await;
        }
    }
    assert_eq!(stack.toy.calls("bot").len(), 5, "nothing is attempted");
    assert_eq!(stack.parked("bot").await.len(), 20);
    // The first probe is after 5 seconds, the second after 13.
    for (wait, calls) in [(4, 5), (2, 6), (6, 6), (2, 7)] {
        stack.advance(seconds(wait)).await;
        assert_eq!(stack.toy.calls("bot").len(), calls, "{wait}");
    }
    assert!(stack.parked("bot").await.iter().all(|parked| parked.attempts <= 1));
}

#[tokio::test(start_paused = true)]
async fn successful_probe_releases_every_leg_in_order_within_ten_seconds() {
    let stack = TestStack::with_bot().await;
    fail_five_times(&stack).await;
    for m in 1..4 {
        for i in 0..5 {
            let text = format!("c-{i} message {m}");
            stack.send("channel", &format!("c-{i}"), &format!("m-{m}"), message(&text)).await;
        }
    }
    stack.advance(SignedDuration::from_mins(7)).await;
    let recovered_at = stack.clock.now();
    stack.toy.always("bot", None);
    stack.advance(seconds(10)).await;
    let taken = stack.toy.taken("bot");
    assert!(taken[0].at.duration_since(recovered_at) <= seconds(10));
    let heard = stack.toy.heard("bot");
    assert_eq!(heard.len(), 20);
    for i in 0..5 {
        let prefix = format!("c-{i} ");
        let own: Vec<_> = heard.iter().filter(|text| text.starts_with(&prefix)).collect();
        let expected: Vec<_> = (0..4).map(|m| format!("c-{i} message {m}")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
    assert!(!stack.breaker("bot").await.is_open());
    assert!(stack.parked("bot").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn parked_deliveries_flow_within_a_minute_after_two_hours() {
    let stack = TestStack::with_bot().await;
    fail_five_times(&stack).await;
    stack.advance(SignedDuration::from_hours(2)).await;
    stack.toy.always("bot", None);
    stack.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(stack.toy.heard("bot").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn sends_alerts_when_it_opens_and_closes() {
    let stack = TestStack::with_bot().await;
    watch(&stack).await;
    fail_five_times(&stack).await;
    let opened = alert(&stack, "trunkline.breaker_opened").unwrap();
    assert_eq!((&opened["connection"], &opened["failures"]), (&"bot".into(), &5.into()));
    assert!(opened["reason"].as_str().unwrap().contains("503"), "{opened}");
    assert!(alert(&stack, "trunkline.parked").is_some());
    assert!(alert(&stack, "trunkline.breaker_closed").is_none());
    stack.toy.always("bot", None);
    stack.advance(seconds(10)).await;
    assert_eq!(alert(&stack, "trunkline.breaker_closed").unwrap()["connection"], "bot");
}

#[tokio::test(start_paused = true)]
async fn manual_reactivation_waits_for_a_verification() {
    let stack = TestStack::with_bot().await;
    let manual = |delivery: &mut trunkline_core::model::DeliveryPolicy| {
        delivery.reactivation = Reactivation::Manual;
    };
    stack.connect("bot", Role::Bot, |bot| manual(&mut bot.delivery)).await;
    fail_five_times(&stack).await;
    stack.toy.always("bot", None);
    stack.advance(SignedDuration::from_hours(2)).await;
    stack.tick().await;
    stack.run_until_idle().await;
    assert_eq!(stack.toy.calls("bot").len(), 5, "no probe");
    stack.send("channel", "c-0", "m-1", message("c-0 message 1")).await;
    assert_eq!(stack.verify("bot").await.problem, None);
    stack.run_until_idle().await;
    let heard = stack.toy.heard("bot");
    let first: Vec<_> = heard.iter().filter(|text| text.starts_with("c-0")).collect();
    assert_eq!(first, ["c-0 message 0", "c-0 message 1"]);
    assert_eq!(heard.len(), 6);
    assert!(stack.parked("bot").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_connection_that_is_down_does_not_delay_another() {
    let stack = TestStack::with_bot().await;
    stack.connect("other-bot", Role::Bot, |_| ()).await;
    stack.route("other", |route| route.bot = Some("other-bot".parse().unwrap())).await;
    let route = Some("other".parse().unwrap());
    stack.connect("other-channel", Role::Channel, |channel| channel.route = route).await;
    stack.toy.always("bot", Reply::Silent);
    for i in 0..20 {
        stack.accept("channel", &format!("c-{i}"), "m-0", message("hello")).await;
    }
    stack.accept("other-channel", "o-1", "m-0", message("hello")).await;
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("other-bot"), ["hello"]);
    let attempts = stack.toy.calls("bot").len();
    assert!(attempts <= 5, "the breaker opens after five of 20: {attempts}");
    stack.toy.always("bot", None);
    stack.advance(seconds(10)).await;
    assert_eq!(stack.toy.heard("bot").len(), 20);
}

/// The probe chain is scheduled before the breaker opens, and the sweep restores one that is lost.
#[tokio::test(start_paused = true)]
async fn sweep_restores_a_lost_probe() {
    let stack = TestStack::with_bot().await;
    fail_five_times(&stack).await;
    stack.drop_scheduled_tasks();
    stack.toy.always("bot", None);
    stack.advance(SignedDuration::from_mins(1)).await;
    assert!(stack.toy.heard("bot").is_empty());
    stack.advance(SignedDuration::from_mins(2)).await;
    stack.tick().await;
    stack.advance(seconds(3)).await;
    assert_eq!(stack.toy.heard("bot").len(), 5);
}
