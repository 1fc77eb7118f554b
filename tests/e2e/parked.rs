//! Parked, failed and dead-lettered deliveries, and operator actions on them.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_core::model::{PlatformId, Verdict};

/// The platform of the tests.
const WEBHOOK: PlatformId = PlatformId::from_static("webhook");

use trunkline_runtime::app::{RandomIdGenerator, SystemClock};
use trunkline_runtime::error::BackendError;
use trunkline_runtime::operator::{OperatorActions, Selection};
use trunkline_tests::{Behaviour, Fixture, TestEnvironment};

/// Runs an operator action as the CLI and the console do.
pub async fn operator<'w, T, F>(
    env: &'w TestEnvironment,
    order: impl FnOnce(OperatorActions<'w>) -> F,
) -> T
where
    F: Future<Output = Result<T, BackendError>>,
{
    let stack = env.stack();
    let operator = OperatorActions {
        store: &stack.store,
        queues: &stack.queues,
        clock: &SystemClock,
        ids: &RandomIdGenerator,
    };
    order(operator).await.unwrap()
}

/// Waits until `count` deliveries to a connection are pending.
pub async fn waits_for(env: &TestEnvironment, connection: &str, count: usize) {
    let selection =
        Selection { connection: Some(connection.parse().unwrap()), ..Selection::default() };
    let mut waiting = usize::MAX;
    for _ in 0..300 {
        let selection = selection.clone();
        waiting =
            operator(env, |o| async move { o.pending(&selection).await.map(|all| all.len()) })
                .await;
        if waiting == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{waiting} deliveries to {connection} are pending, not {count}");
}

async fn trunkline(env: &TestEnvironment, arguments: &[&str]) -> String {
    let output = env.trunkline(arguments, &[]).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub async fn failed_deliveries_are_listed_replayed_and_discarded(env: &TestEnvironment) {
    let policy = "{ retry: [1], breaker_after: 1000 }";
    let fixture = Fixture::with_delivery_policy(env, "poisoned", policy).await;
    fixture.mock.set_behaviour_for("venom", Behaviour::Respond(500, vec![]));
    for (i, text) in ["before", "venom 1", "venom 2", "after"].into_iter().enumerate() {
        fixture.send_webex_message("wx-1", &format!("m-{i}"), text).await;
    }
    let taken = fixture.mock.wait_for_accepted("/bot", 2, Duration::from_secs(30)).await;
    assert_eq!((taken[0].text().as_str(), taken[1].text().as_str()), ("before", "after"));
    let received = fixture.mock.requests("/bot");
    let attempts = received.iter().filter(|received| received.text() == "venom 1").count();
    assert_eq!(attempts, 2, "one attempt and one retry");

    waits_for(env, "poisoned-bot", 2).await;
    let list = ["deliveries", "--connection", "poisoned-bot"];
    let listed = trunkline(env, &[&list[..], &["--json"]].concat()).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    for failed in listed.as_array().unwrap() {
        assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(2)));
        assert!(failed["reason"].as_str().unwrap().contains("500"), "{failed}");
    }
    let table = trunkline(env, &list).await;
    assert!(table.contains("failed") && table.contains("500"), "{table}");
    let dead = operator(env, |o| async move { o.dead_letters().await }).await;
    assert!(dead.iter().all(|letter| !letter.body.contains("poisoned-")), "{dead:?}");

    fixture.mock.clear_behaviour_for_words();
    // Failed deliveries are listed newest first.
    trunkline(env, &["discard", listed[0]["id"].as_str().unwrap()]).await;
    let conversation = received[0].json()["conversation"].as_str().unwrap().to_owned();
    let replay = ["replay", "--conversation", &conversation, "--since", "1h"];
    let stdout = trunkline(env, &replay).await;
    assert!(stdout.contains("1 delivery queued to be sent now"), "{stdout}");
    let taken = fixture.mock.wait_for_accepted("/bot", 3, Duration::from_secs(20)).await;
    assert_eq!(taken[2].text(), "venom 1");
    waits_for(env, "poisoned-bot", 0).await;
    let outcomes = fixture.transcript("wx-1").await;
    let verdict = |index: usize| outcomes[index].outcomes["poisoned-bot"].verdict;
    assert_eq!((verdict(1), verdict(2)), (Verdict::Delivered, Verdict::Discarded));
}

pub async fn unreadable_payload_is_dead_lettered_until_redriven(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "dead").await;
    let queues = env.queue_urls();
    let send = |url: &str, body: &str, id: &str| {
        env.sqs
            .send_message()
            .queue_url(url)
            .message_group_id("dead-letters")
            .message_deduplication_id(id)
            .message_body(body)
            .send()
    };
    send(&queues.outbound(WEBHOOK), "{\"job\":\"dance\"}", "dead-1").await.unwrap();
    let letter = dead_letter(env, "dance").await;
    assert!(letter.contains("the message cannot be read: unknown variant `dance`"), "{letter}");

    assert!(env.log().contains(r#""DeadLettered":1"#), "the alarm's metric is in the log");

    // A valid delivery that the redrive policy moved to the dead-letter queue.
    fixture.send_webex_message("wx-1", "m-0", "hello").await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    let record = fixture.transcript("wx-1").await.remove(0);
    let mut delivery = record.deliveries().next().unwrap();
    delivery.event.id = trunkline_core::model::EventId::from_parts(&["m", "unlucky"]);
    let job = trunkline_core::model::Job::Deliver(Box::new(delivery));
    let body = serde_json::to_string(&job).unwrap();
    send(&queues.dead(WEBHOOK), &body, "dead-2").await.unwrap();
    let letter = dead_letter(env, "unlucky").await;
    assert!(letter.contains("the worker crashed"), "{letter}");
    let stdout = trunkline(env, &["redrive"]).await;
    assert!(stdout.contains("moved back to the queue"), "{stdout}");
    fixture.mock.wait_for_accepted("/bot", 2, Duration::from_secs(20)).await;
    dead_letter(env, "dance").await;
    let all = operator(env, |o| async move { o.dead_letters().await }).await;
    assert!(
        all.iter().all(|letter| !letter.body.contains("unlucky")),
        "the redriven message is no dead letter"
    );
}

/// Waits for a dead letter whose body contains `mark`. Returns the CLI's list of dead letters.
async fn dead_letter(env: &TestEnvironment, mark: &str) -> String {
    for _ in 0..200 {
        // As the schedule does once a minute.
        env.invoke("Scheduler", &serde_json::json!({"detail-type": "Scheduled Event"})).await;
        let letters = operator(env, |o| async move { o.dead_letters().await }).await;
        if letters.iter().any(|letter| letter.body.contains(mark)) {
            return trunkline(env, &["deliveries", "--dead"]).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no dead letter contains {mark}");
}
