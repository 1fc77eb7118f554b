//! A connection that is down: its breaker, its parked deliveries, and who sees it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trunkline_shared::operator::{Selection, Waiting};
use trunkline_tests::{Behaviour, Heard, Scene, USUAL, World};

use crate::parked::{operator, waits_for};

/// An observer that asks for reports, beside the usual scene.
const WATCH: &str = "  NAME-watch:
    platform: webhook
    role: observer
    settings: { message_url: WATCH/operations, operations: true }
    secrets: { signing: { env: NEW } }
";

/// A connection fails until its breaker opens: five conversations, one failure each.
async fn fail_five_times(scene: &Scene<'_>) {
    scene.far.always(Some(Behaviour::down()));
    for i in 0..5 {
        scene.customer_writes(&format!("c-{i}"), "m-0", &format!("c-{i} message 0")).await;
    }
    scene.far.hears("/bot", 5).await;
    let bot = &scene.connection("bot").id;
    for _ in 0..100 {
        if scene.world.stack().store.breaker(bot).await.unwrap().is_open() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the breaker did not open");
}

/// Each conversation's messages, in the order in which they were taken.
fn in_order(scene: &Scene<'_>, conversations: usize, messages: usize) {
    let taken: Vec<String> = scene.far.taken("/bot").iter().map(Heard::text).collect();
    for i in 0..conversations {
        let name = format!("c-{i} ");
        let own: Vec<_> = taken.iter().filter(|text| text.starts_with(&name)).cloned().collect();
        let expected: Vec<_> = (0..messages).map(|m| format!("c-{i} message {m}")).collect();
        assert_eq!(own, expected);
    }
}

async fn count_parked(world: &World, connection: &str) -> usize {
    let waiting = operator(world, |o| async move { o.waiting(&Selection::default()).await }).await;
    let ours =
        waiting.iter().filter(|one| one.particulars().0.to.connection.as_str() == connection);
    ours.filter(|one| matches!(one, Waiting::Parked(_))).count()
}

pub async fn five_failures_open_it_and_a_probe_closes_it(world: &World) {
    let watch = trunkline_tests::FarSide::start().await;
    let watched = WATCH.replace("WATCH", watch.url("").trim_end_matches('/'));
    let file = USUAL.replace("routes:", &format!("{watched}routes:"));
    let scene = Scene::of(world, "breaker", &file).await;
    fail_five_times(&scene).await;
    for m in 1..4 {
        for i in 0..5 {
            scene
                .customer_writes(
                    &format!("c-{i}"),
                    &format!("m-{m}"),
                    &format!("c-{i} message {m}"),
                )
                .await;
        }
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let attempts = scene.far.heard("/bot").len();
    assert!((5..=7).contains(&attempts), "only probes are attempted: {attempts}");

    let mut parked = 0;
    for _ in 0..60 {
        parked = count_parked(world, "breaker-bot").await;
        if parked == 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(parked, 20, "all are kept");
    let opened = report(&watch, "trunkline.breaker_opened").await;
    assert_eq!(opened["failures"], json!(5));
    assert!(opened["reason"].as_str().unwrap().contains("503"));
    report(&watch, "trunkline.parked").await;
    let metric = |name: &str| {
        let (value, whose) = (format!("\"{name}\":1"), "\"connection\":\"breaker-bot\"");
        world.log().lines().any(|line| line.contains(&value) && line.contains(whose))
    };
    assert!(metric("BreakerOpened") && metric("Parked"), "the alarm's metrics are in the log");

    let back = Instant::now();
    scene.far.always(None);
    let taken = scene.far.takes("/bot", 20, Duration::from_secs(30)).await;
    let first = taken[0].at - back;
    println!("breaker: first delivery {first:?} after the receiver's return");
    assert!(first <= Duration::from_secs(10), "{first:?}");
    in_order(&scene, 5, 4);
    report(&watch, "trunkline.breaker_closed").await;
    waits_for(world, "breaker-bot", 0).await;
}

pub async fn manual_reactivation_holds_until_verified(world: &World) {
    let scene = Scene::with_policy(world, "manual", "{ reactivation: manual }").await;
    fail_five_times(&scene).await;
    scene.far.always(None);
    scene.far.will_echo_the_challenge();
    tokio::time::sleep(Duration::from_secs(13)).await;
    assert_eq!(scene.far.heard("/bot").len(), 5, "not even a probe");
    scene.customer_writes("c-0", "m-1", "c-0 message 1").await;
    assert_eq!(world.verify(scene.connection("bot")).await.problem, None);
    scene.far.takes("/bot", 7, Duration::from_secs(20)).await;
    let taken = scene.far.taken("/bot");
    let first = taken.iter().map(Heard::text).filter(|text| text.starts_with("c-0"));
    assert_eq!(first.collect::<Vec<_>>(), ["c-0 message 0", "c-0 message 1"]);
    waits_for(world, "manual-bot", 0).await;
}

pub async fn a_connection_that_is_down_does_not_delay_another(world: &World) {
    let down = Scene::usual(world, "is-down").await;
    let up = Scene::usual(world, "is-up").await;
    down.far.always(Some(Behaviour::down()));
    for i in 0..100 {
        down.customer_writes(&format!("c-{i}"), "m-0", "hello").await;
    }
    let mut slowest = Duration::ZERO;
    for i in 0..20 {
        let since = Instant::now();
        up.customer_writes(&format!("c-{i}"), "m-0", "hello").await;
        up.far.hears("/bot", i + 1).await;
        slowest = slowest.max(since.elapsed());
    }
    println!(
        "beside 100 conversations to a connection that is down, the slowest of 20 took {slowest:?}"
    );
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    down.far.always(None);
    waits_for(world, "is-down-bot", 0).await;
    assert_eq!(down.far.taken("/bot").len(), 100);
}

/// The detail of the first report of that name about a connection, if an observer heard of it; other
/// tests' connections are reported to it as well.
pub fn reported(heard: &[Heard], name: &str, connection: &str) -> Option<Value> {
    let mut told = heard.iter().map(|heard| heard.json()["data"].take());
    let ours = |data: &Value| data["name"] == name && data["raw"]["connection"] == connection;
    told.find(ours).map(|mut data| data["raw"].take())
}

/// Waits for a report about this test's bot.
async fn report(watch: &trunkline_tests::FarSide, name: &str) -> Value {
    for _ in 0..200 {
        if let Some(detail) = reported(&watch.heard("/operations"), name, "breaker-bot") {
            return detail;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no report {name} about breaker-bot among {}", watch.heard("/operations").len());
}
