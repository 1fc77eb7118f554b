//! What waits for a person, and what a person does about it.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_shared::app::{RandomIds, SystemClock};
use trunkline_shared::model::{Platform, Verdict};
use trunkline_shared::operator::{Operator, OrderError, Selection};
use trunkline_tests::{Behaviour, Scene, World};

/// Gives an order as the command and the console do.
pub async fn operator<'w, T, F>(world: &'w World, order: impl FnOnce(Operator<'w>) -> F) -> T
where
    F: Future<Output = Result<T, OrderError>>,
{
    let stack = world.stack();
    let operator = Operator {
        store: &stack.store,
        queues: &stack.queues,
        clock: &SystemClock,
        ids: &RandomIds,
    };
    order(operator).await.unwrap()
}

/// Waits until so many deliveries to a connection wait.
pub async fn waits_for(world: &World, connection: &str, count: usize) {
    let selection =
        Selection { connection: Some(connection.parse().unwrap()), ..Selection::default() };
    let mut waiting = usize::MAX;
    for _ in 0..300 {
        let selection = selection.clone();
        waiting =
            operator(world, |o| async move { o.waiting(&selection).await.map(|all| all.len()) })
                .await;
        if waiting == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{waiting} deliveries to {connection} wait, not {count}");
}

async fn trunkline(world: &World, arguments: &[&str]) -> String {
    let output = world.trunkline(arguments, &[]).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub async fn a_poisoned_message_holds_its_leg_for_a_bounded_time_and_is_replayed(world: &World) {
    let scene =
        Scene::with_policy(world, "poisoned", "{ retry: [1, 1], breaker_after: 1000 }").await;
    scene.far.poisoned_by("venom", Behaviour::Answers(500, vec![]));
    for (i, text) in ["before", "venom", "after"].into_iter().enumerate() {
        scene.customer_writes("wx-1", &format!("m-{i}"), text).await;
    }
    let taken = scene.far.takes("/bot", 2, Duration::from_secs(30)).await;
    assert_eq!((taken[0].text().as_str(), taken[1].text().as_str()), ("before", "after"));
    let attempts = scene.far.heard("/bot").iter().filter(|heard| heard.text() == "venom").count();
    assert_eq!(attempts, 3, "once, and twice again");

    let listed: Value = serde_json::from_str(
        &trunkline(world, &["deliveries", "--connection", "poisoned-bot", "--json"]).await,
    )
    .unwrap();
    let failed = &listed[0];
    assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(3)));
    assert!(failed["reason"].as_str().unwrap().contains("500"), "{failed}");
    let table = trunkline(world, &["deliveries", "--connection", "poisoned-bot"]).await;
    assert!(table.contains("failed") && table.contains("500"), "{table}");

    scene.far.healed();
    let id = failed["id"].as_str().unwrap();
    let said = trunkline(world, &["replay", id]).await;
    assert!(said.contains("1 delivery ordered to be sent now"), "{said}");
    let taken = scene.far.takes("/bot", 3, Duration::from_secs(20)).await;
    assert_eq!(taken[2].text(), "venom");
    waits_for(world, "poisoned-bot", 0).await;
    let outcome = scene.transcript("wx-1").await[1].outcomes["poisoned-bot"].clone();
    assert_eq!(outcome.verdict, Verdict::Delivered);
}

pub async fn a_permanent_failure_waits_for_a_person_and_never_is_a_dead_letter(world: &World) {
    let scene = Scene::usual(world, "refused").await;
    scene.far.poisoned_by("bad", Behaviour::Answers(422, vec![]));
    for (i, text) in ["bad 0", "good 1", "bad 2", "good 3"].into_iter().enumerate() {
        scene.customer_writes("wx-1", &format!("m-{i}"), text).await;
    }
    let heard = scene.far.hears_only("/bot", 4).await;
    assert_eq!(
        heard.iter().filter(|heard| heard.taken).count(),
        2,
        "the leg went on, each tried once"
    );
    waits_for(world, "refused-bot", 2).await;
    let dead = operator(world, |o| async move { o.dead_letters().await }).await;
    assert!(dead.iter().all(|letter| !letter.body.contains("refused-")), "{dead:?}");

    scene.far.healed();
    let conversation = heard[0].json()["conversation"].as_str().unwrap().to_owned();
    let said =
        trunkline(world, &["replay", "--conversation", &conversation, "--since", "1h"]).await;
    assert!(said.contains("2 deliveries"), "{said}");
    let taken = scene.far.takes("/bot", 4, Duration::from_secs(20)).await;
    assert_eq!(
        (taken[2].text(), taken[3].text()),
        ("bad 0".into(), "bad 2".into()),
        "in their order"
    );
    waits_for(world, "refused-bot", 0).await;
}

pub async fn what_is_discarded_is_not_sent(world: &World) {
    let scene =
        Scene::with_policy(world, "discarded", "{ retry: [600], breaker_after: 1000 }").await;
    scene.far.always(Some(Behaviour::down()));
    for i in 0..3 {
        scene.customer_writes("wx-1", &format!("m-{i}"), &format!("message {i}")).await;
    }
    waits_for(world, "discarded-bot", 3).await;
    let listed: Value = serde_json::from_str(
        &trunkline(world, &["deliveries", "--connection", "discarded-bot", "--json"]).await,
    )
    .unwrap();
    assert!(listed[0]["due"].is_string() && listed[1]["due"].is_null(), "{listed}");
    scene.far.always(None);
    trunkline(world, &["discard", listed[1]["id"].as_str().unwrap()]).await;
    waits_for(world, "discarded-bot", 2).await;
    trunkline(world, &["replay", "--connection", "discarded-bot"]).await;
    let taken = scene.far.takes("/bot", 2, Duration::from_secs(20)).await;
    assert_eq!((taken[0].text(), taken[1].text()), ("message 0".into(), "message 2".into()));
    waits_for(world, "discarded-bot", 0).await;
    let outcome = scene.transcript("wx-1").await[1].outcomes["discarded-bot"].clone();
    assert_eq!(outcome.verdict, Verdict::Discarded);
}

pub async fn a_payload_that_no_worker_can_handle_is_a_dead_letter_until_redriven(world: &World) {
    let scene = Scene::usual(world, "dead").await;
    let queues = &world.stack().facts.queues;
    let send = |url: &str, body: &str, id: &str| {
        world
            .sqs
            .send_message()
            .queue_url(url)
            .message_group_id("dead-letters")
            .message_deduplication_id(id)
            .message_body(body)
            .send()
    };
    send(&queues.outbound[&Platform::Webhook], "{\"job\":\"dance\"}", "dead-1").await.unwrap();
    let letter = dead_letter(world, "dance").await;
    assert!(letter.contains("it cannot be read: unknown variant `dance`"), "{letter}");

    assert!(world.log().contains(r#""DeadLettered":1"#), "the alarm's metric is in the log");

    // One that only had bad luck: it stands in the dead-letter queue as the redrive policy puts it there.
    scene.customer_writes("wx-1", "m-0", "hello").await;
    scene.far.hears("/bot", 1).await;
    let record = scene.transcript("wx-1").await.remove(0);
    let mut delivery = record.deliveries().next().unwrap();
    delivery.event.id = trunkline_shared::model::EventId::from_parts(&["m", "unlucky"]);
    let job = trunkline_shared::model::Job::Deliver(Box::new(delivery));
    let body = serde_json::to_string(&job).unwrap();
    send(&queues.dead[&Platform::Webhook], &body, "dead-2").await.unwrap();
    let letter = dead_letter(world, "unlucky").await;
    assert!(letter.contains("the worker died of it"), "{letter}");
    let said = trunkline(world, &["redrive"]).await;
    assert!(said.contains("put back into its queue"), "{said}");
    scene.far.takes("/bot", 2, Duration::from_secs(20)).await;
    dead_letter(world, "dance").await;
    let all = operator(world, |o| async move { o.dead_letters().await }).await;
    assert!(all.iter().all(|letter| !letter.body.contains("unlucky")), "it is one no more");
}

/// The list of dead letters, once it has one with `mark` in its body.
async fn dead_letter(world: &World, mark: &str) -> String {
    for _ in 0..200 {
        let letters = operator(world, |o| async move { o.dead_letters().await }).await;
        if letters.iter().any(|letter| letter.body.contains(mark)) {
            return trunkline(world, &["deliveries", "--dead"]).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no dead letter with {mark}");
}
