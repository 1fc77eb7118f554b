//! Workers that die at named points, and a table or queue that refuses.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use trunkline_shared::inbound::take;
use trunkline_tests::{Ahead, Behaviour, Fault, Heard, Scene, World, webex_message};

/// Marks the record of what became of a delivery; the counts for the plots name connections as well.
const RECORD: &str = "outcomes.#target&";

fn texts(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(Heard::text).collect()
}

/// The texts in the order of their first arrival.
fn first_arrivals(heard: &[Heard]) -> Vec<String> {
    let mut seen = HashSet::new();
    texts(heard).into_iter().filter(|text| seen.insert(text.clone())).collect()
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("message {i}")).collect()
}

/// Writes as Webex Connect does: until it is answered 200.
async fn write_until_accepted(scene: &Scene<'_>, customer: &str, count: usize) {
    for i in 0..count {
        let body = webex_message(customer, &format!("m-{i}"), &format!("message {i}"));
        for attempt in 0.. {
            if scene.post("webex", body.clone(), &[]).await.0 == 200 {
                break;
            }
            assert!(attempt < 20, "message {i} is never accepted");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

pub async fn killed_after_the_send_and_before_the_record(world: &World) {
    let scene = Scene::usual(world, "kill-record").await;
    write_until_accepted(&scene, "wx-1", 1).await;
    scene.far.hears("/bot", 1).await;
    scene.settled("webex", "wx-1").await;
    let recorded = format!("{RECORD}kill-record-");
    world.tap.will(Fault::Kill, "UpdateItem", &recorded, 0, 1);
    let body = webex_message("wx-1", "m-1", "message 1");
    assert_eq!(scene.post("webex", body, &[]).await.0, 200);
    let body = webex_message("wx-1", "m-2", "message 2");
    assert_eq!(scene.post("webex", body, &[]).await.0, 200);
    let heard = scene.far.takes("/bot", 4, Duration::from_mins(1)).await;
    assert_eq!(world.tap.has_yet_to(&recorded), 0);
    assert_eq!(first_arrivals(&heard), numbered(3), "nothing lost, nothing out of order");
    let repeated: Vec<_> = heard.iter().filter(|heard| heard.text() == "message 1").collect();
    assert_eq!(repeated.len(), 2, "the one that was sent and not recorded comes again");
    assert_eq!(repeated[0].header("webhook-id"), repeated[1].header("webhook-id"));
}

pub async fn killed_after_the_write_and_before_the_queue(world: &World) {
    let scene = Scene::usual(world, "kill-enqueue").await;
    write_until_accepted(&scene, "wx-1", 1).await;
    scene.far.hears("/bot", 1).await;
    world.tap.will(Fault::Kill, "SendMessage", "kill-enqueue-", 0, 1);
    let body = webex_message("wx-1", "m-1", "message 1");
    assert_ne!(scene.post("webex", body.clone(), &[]).await.0, 200, "it was not accepted");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.far.heard("/bot").len(), 1, "and it was not queued");
    // Webex Connect sends it again six minutes later, by the clock that intake is given; and once more.
    let app = world.app(Arc::new(Ahead::of_now(SignedDuration::from_mins(6))), None);
    let written = scene.transcript("wx-1").await.remove(1);
    assert!(take(&app, scene.connection("webex"), written.event).await.unwrap().duplicate);
    assert_eq!(scene.post("webex", body, &[]).await.0, 200);
    assert_eq!(texts(&scene.far.hears_only("/bot", 2).await), numbered(2));
}

pub async fn killed_in_the_middle_of_a_drain(world: &World) {
    let scene =
        Scene::with_policy(world, "kill-drain", "{ retry: [2, 2, 2], breaker_after: 1000 }").await;
    scene.far.always(Some(Behaviour::down()));
    write_until_accepted(&scene, "wx-1", 6).await;
    scene.far.hears("/bot", 1).await;
    let delivered = format!("{RECORD}delivered&kill-drain-");
    // The worker dies after the second was sent and recorded, before it is taken out of what is parked;
    // and the next one after it sent the fourth, before it is recorded.
    world.tap.will(Fault::Kill, "TransactWriteItems", "Delete&kill-drain-", 1, 1);
    world.tap.will(Fault::Kill, "UpdateItem", &delivered, 3, 1);
    scene.far.always(None);
    // While it drains, more arrives.
    for i in 6..8 {
        let body = webex_message("wx-1", &format!("m-{i}"), &format!("message {i}"));
        assert_eq!(scene.post("webex", body, &[]).await.0, 200);
    }
    scene.far.takes("/bot", 9, Duration::from_mins(1)).await;
    nothing_waits(&scene).await;
    let heard = scene.far.taken("/bot");
    assert_eq!(world.tap.has_yet_to("Delete&kill-drain-"), 0);
    assert_eq!(world.tap.has_yet_to(&delivered), 0);
    assert_eq!(first_arrivals(&heard), numbered(8));
    assert_eq!(heard.len(), 9, "only the one that was not recorded comes again");
}

pub async fn killed_between_closing_the_breaker_and_releasing_what_is_parked(world: &World) {
    let scene = Scene::usual(world, "kill-release").await;
    scene.far.always(Some(Behaviour::down()));
    for i in 0..8 {
        scene.customer_writes(&format!("c-{i}"), "m-0", "hello").await;
    }
    crate::parked::waits_for(world, "kill-release-bot", 8).await;
    // The first note is left in case; the worker dies as it leaves the second.
    world.tap.will(Fault::Kill, "SendMessage", "release&kill-release-bot", 1, 1);
    scene.far.always(None);
    scene.far.takes("/bot", 8, Duration::from_secs(40)).await;
    assert_eq!(world.tap.has_yet_to("release&kill-release-bot"), 0);
    nothing_waits(&scene).await;
}

pub async fn killed_between_parking_and_leaving_the_note(world: &World) {
    let scene =
        Scene::with_policy(world, "kill-note", "{ retry: [3, 3], breaker_after: 1000 }").await;
    scene.far.always(Some(Behaviour::down()));
    world.tap.will(Fault::Kill, "SendMessage", "wake&kill-note-bot", 0, 1);
    write_until_accepted(&scene, "wx-1", 2).await;
    scene.far.hears("/bot", 1).await;
    scene.far.always(None);
    let heard = scene.far.takes("/bot", 2, Duration::from_secs(50)).await;
    assert_eq!(world.tap.has_yet_to("wake&kill-note-bot"), 0);
    assert_eq!(first_arrivals(&heard), numbered(2));
    nothing_waits(&scene).await;
}

pub async fn a_table_and_a_queue_that_refuse_for_a_while(world: &World) {
    let scene = Scene::usual(world, "refuses").await;
    write_until_accepted(&scene, "wx-1", 1).await;
    scene.far.hears("/bot", 1).await;
    // More often than the SDK tries by itself, on each way.
    for operation in ["GetItem", "PutItem", "SendMessage", "BatchGetItem", "UpdateItem"] {
        world.tap.will(Fault::Refuse, operation, "refuses-", 0, 4);
    }
    write_until_accepted(&scene, "wx-1", 6).await;
    let mut arrived = Vec::new();
    for _ in 0..600 {
        arrived = first_arrivals(&scene.far.taken("/bot"));
        if arrived.len() == 6 && world.tap.has_yet_to("refuses-") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(arrived, numbered(6));
    assert_eq!(world.tap.has_yet_to("refuses-"), 0);
}

pub async fn a_connection_that_breaks_after_the_message_was_taken(world: &World) {
    let scene = Scene::with_policy(world, "cuts", "{ retry: [1, 1, 1] }").await;
    scene.far.poisoned_by("message 1", Behaviour::Cuts);
    write_until_accepted(&scene, "wx-1", 2).await;
    scene.far.hears("/bot", 2).await;
    scene.far.healed();
    write_until_accepted(&scene, "wx-1", 3).await;
    let heard = scene.far.takes("/bot", 4, Duration::from_secs(30)).await;
    assert_eq!(first_arrivals(&heard), numbered(3));
    let once_more = heard.iter().filter(|heard| heard.text() == "message 1").count();
    assert!(once_more >= 2, "nobody knew that it was heard");
}

pub async fn a_receiver_that_resets_connections(world: &World) {
    let scene = Scene::with_policy(world, "resets", "{ retry: [1, 1, 1, 1, 1] }").await;
    write_until_accepted(&scene, "wx-1", 1).await;
    scene.far.hears("/bot", 1).await;
    scene.far.resets(true);
    write_until_accepted(&scene, "wx-1", 4).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.far.heard("/bot").len(), 1, "nothing gets through");
    scene.far.resets(false);
    let heard = scene.far.takes("/bot", 4, Duration::from_secs(30)).await;
    assert_eq!(texts(&heard), numbered(4), "nothing was heard, so nothing comes twice");
}

pub async fn a_receiver_that_is_too_slow_gets_it_again_as_often_as_is_set(world: &World) {
    let scene = Scene::with_policy(world, "slow", "{ retry: [1, 1, 1], retry_unknown: 1 }").await;
    scene.far.poisoned_by("message 0", Behaviour::Slow(Duration::from_secs(7)));
    write_until_accepted(&scene, "wx-1", 2).await;
    let heard = scene.far.takes("/bot", 3, Duration::from_secs(40)).await;
    assert_eq!(texts(&heard), ["message 0", "message 0", "message 1"]);
    let failed = world.stack().store.failed(&scene.connection("bot").id, None, 10).await.unwrap();
    assert_eq!((failed.len(), failed[0].attempts), (1, 2));
    assert!(failed[0].reason.contains("no answer within 5 seconds"), "{}", failed[0].reason);
}

pub async fn a_receiver_that_asks_to_wait_is_left_alone_so_long(world: &World) {
    let scene = Scene::with_policy(world, "retry-after", "{ retry: [1, 1] }").await;
    let wait = vec![("retry-after", "4".to_owned())];
    scene.far.always(Some(Behaviour::Answers(429, wait)));
    write_until_accepted(&scene, "wx-1", 1).await;
    let first = scene.far.hears("/bot", 1).await[0].at;
    scene.far.always(None);
    let second = scene.far.hears("/bot", 2).await[1].at;
    let waited = second - first;
    assert!(waited >= Duration::from_secs(4) && waited < Duration::from_secs(20), "{waited:?}");
}

/// Nothing is left parked on the scene's bot.
async fn nothing_waits(scene: &Scene<'_>) {
    let store = &scene.world.stack().store;
    for _ in 0..100 {
        let bot = &scene.connection("bot").id;
        if store.parked_legs(bot, None, 10).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("something stays parked");
}
