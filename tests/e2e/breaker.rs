//! Breakers: opening, parked deliveries, probes and alerts.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trunkline_runtime::operator::{PendingDelivery, Selection};
use trunkline_tests::{Behaviour, Fixture, ReceivedRequest, TestEnvironment, WEBEX_AND_BOT};

use crate::parked::{operator, waits_for};

/// An observer that receives operations alerts.
const WATCH: &str = "  NAME-watch:
    platform: webhook
    role: observer
    settings: { message_url: WATCH/operations, operations: true }
    secrets: { signing: { env: NEW } }
";

/// Fails one delivery in each of five conversations and waits until the breaker opens.
async fn fail_five_times(fixture: &Fixture<'_>) {
    fixture.mock.set_behaviour(Some(Behaviour::down()));
    for i in 0..5 {
        fixture.send_webex_message(&format!("c-{i}"), "m-0", &format!("c-{i} message 0")).await;
    }
    fixture.mock.wait_for_requests("/bot", 5).await;
    let bot = &fixture.connection("bot").id;
    for _ in 0..100 {
        if fixture.env.stack().store.breaker(bot).await.unwrap().is_open() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the breaker did not open");
}

/// Checks that the messages of each conversation were accepted in order.
fn in_order(fixture: &Fixture<'_>, conversations: usize, messages: usize) {
    let taken: Vec<String> =
        fixture.mock.accepted("/bot").iter().map(ReceivedRequest::text).collect();
    for i in 0..conversations {
        let name = format!("c-{i} ");
        let own: Vec<_> = taken.iter().filter(|text| text.starts_with(&name)).cloned().collect();
        let expected: Vec<_> = (0..messages).map(|m| format!("c-{i} message {m}")).collect();
        assert_eq!(own, expected);
    }
}

async fn count_parked(env: &TestEnvironment, connection: &str) -> usize {
    let waiting = operator(env, |o| async move { o.pending(&Selection::default()).await }).await;
    let ours =
        waiting.iter().filter(|one| one.details().delivery.to.connection.as_str() == connection);
    ours.filter(|one| matches!(one, PendingDelivery::Parked(_))).count()
}

pub async fn opens_after_five_failures_and_closes_after_probe(env: &TestEnvironment) {
    let watch = trunkline_tests::MockPlatform::start().await;
    let watched = WATCH.replace("WATCH", watch.url("").trim_end_matches('/'));
    let file = WEBEX_AND_BOT.replace("routes:", &format!("{watched}routes:"));
    let fixture = Fixture::new(env, "breaker", &file).await;
    fail_five_times(&fixture).await;
    for m in 1..4 {
        for i in 0..5 {
            fixture
                .send_webex_message(
                    &format!("c-{i}"),
                    &format!("m-{m}"),
                    &format!("c-{i} message {m}"),
                )
                .await;
        }
    }
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let parked = count_parked(env, "breaker-bot").await;
        if parked == 20 {
            break;
        }
        assert!(Instant::now() < end, "{parked} of 20 deliveries are parked");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let attempts = fixture.mock.requests("/bot").len();
    assert!((5..=7).contains(&attempts), "only probes are attempted: {attempts}");
    let opened = wait_for_alert(&watch, "trunkline.breaker_opened").await;
    assert_eq!(opened["failures"], json!(5));
    assert!(opened["reason"].as_str().unwrap().contains("503"));
    wait_for_alert(&watch, "trunkline.parked").await;
    let metric = |name: &str| {
        let (value, whose) = (format!("\"{name}\":1"), "\"connection\":\"breaker-bot\"");
        env.log().lines().any(|line| line.contains(&value) && line.contains(whose))
    };
    assert!(
        metric("BreakerOpened") && metric("Parked"),
        "the log contains the metrics of the alarm"
    );

    let back = Instant::now();
    fixture.mock.set_behaviour(None);
    let taken = fixture.mock.wait_for_accepted("/bot", 20, Duration::from_secs(30)).await;
    let first = taken[0].received_at - back;
    println!("breaker: first delivery {first:?} after the receiver recovered");
    assert!(first <= Duration::from_secs(10), "{first:?}");
    in_order(&fixture, 5, 4);
    wait_for_alert(&watch, "trunkline.breaker_closed").await;
    waits_for(env, "breaker-bot", 0).await;
}

/// Returns the detail of the first alert `name` about a connection. The observer also receives alerts
/// about connections of other tests.
pub fn find_alert(received: &[ReceivedRequest], name: &str, connection: &str) -> Option<Value> {
    let mut alerts = received.iter().map(|received| received.json()["data"].take());
    let ours = |data: &Value| data["name"] == name && data["raw"]["connection"] == connection;
    alerts.find(ours).map(|mut data| data["raw"].take())
}

/// Waits for an alert about this test's bot.
async fn wait_for_alert(watch: &trunkline_tests::MockPlatform, name: &str) -> Value {
    for _ in 0..200 {
        if let Some(detail) = find_alert(&watch.requests("/operations"), name, "breaker-bot") {
            return detail;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no alert {name} about breaker-bot among {}", watch.requests("/operations").len());
}
