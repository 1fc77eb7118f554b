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

pub async fn failing_message_blocks_leg_for_bounded_time_and_is_replayed(env: &TestEnvironment) {
    let fixture =
        Fixture::with_delivery_policy(env, "poisoned", "{ retry: [1, 1], breaker_after: 1000 }")
            .await;
    fixture.mock.set_behaviour_for("venom", Behaviour::Respond(500, vec![]));
    for (i, text) in ["before", "venom", "after"].into_iter().enumerate() {
        fixture.send_webex_message("wx-1", &format!("m-{i}"), text).await;
    }
    let taken = fixture.mock.wait_for_accepted("/bot", 2, Duration::from_secs(30)).await;
    assert_eq!((taken[0].text().as_str(), taken[1].text().as_str()), ("before", "after"));
    let attempts =
        fixture.mock.requests("/bot").iter().filter(|received| received.text() == "venom").count();
    assert_eq!(attempts, 3, "one attempt and two retries");

    let listed: Value = serde_json::from_str(
        &trunkline(env, &["deliveries", "--connection", "poisoned-bot", "--json"]).await,
    )
    .unwrap();
    let failed = &listed[0];
    assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(3)));
    assert!(failed["reason"].as_str().unwrap().contains("500"), "{failed}");
    let table = trunkline(env, &["deliveries", "--connection", "poisoned-bot"]).await;
    assert!(table.contains("failed") && table.contains("500"), "{table}");

    fixture.mock.clear_behaviour_for_words();
    let id = failed["id"].as_str().unwrap();
    let stdout = trunkline(env, &["replay", id]).await;
    assert!(stdout.contains("1 delivery queued to be sent now"), "{stdout}");
    let taken = fixture.mock.wait_for_accepted("/bot", 3, Duration::from_secs(20)).await;
    assert_eq!(taken[2].text(), "venom");
    waits_for(env, "poisoned-bot", 0).await;
    let outcome = fixture.transcript("wx-1").await[1].outcomes["poisoned-bot"].clone();
    assert_eq!(outcome.verdict, Verdict::Delivered);
}

pub async fn permanent_failure_waits_for_operator_and_is_no_dead_letter(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "refused").await;
    fixture.mock.set_behaviour_for("bad", Behaviour::Respond(422, vec![]));
    for (i, text) in ["bad 0", "good 1", "bad 2", "good 3"].into_iter().enumerate() {
        fixture.send_webex_message("wx-1", &format!("m-{i}"), text).await;
    }
    let received = fixture.mock.expect_requests("/bot", 4).await;
    assert_eq!(
        received.iter().filter(|received| received.accepted).count(),
        2,
        "the leg continued, with one attempt for each message"
    );
    waits_for(env, "refused-bot", 2).await;
    let dead = operator(env, |o| async move { o.dead_letters().await }).await;
    assert!(dead.iter().all(|letter| !letter.body.contains("refused-")), "{dead:?}");

    fixture.mock.clear_behaviour_for_words();
    let conversation = received[0].json()["conversation"].as_str().unwrap().to_owned();
    let stdout =
        trunkline(env, &["replay", "--conversation", &conversation, "--since", "1h"]).await;
    assert!(stdout.contains("2 deliveries"), "{stdout}");
    let taken = fixture.mock.wait_for_accepted("/bot", 4, Duration::from_secs(20)).await;
    assert_eq!((taken[2].text(), taken[3].text()), ("bad 0".into(), "bad 2".into()), "in order");
    waits_for(env, "refused-bot", 0).await;
}

pub async fn discarded_delivery_is_not_sent(env: &TestEnvironment) {
    let fixture =
        Fixture::with_delivery_policy(env, "discarded", "{ retry: [600], breaker_after: 1000 }")
            .await;
    fixture.mock.set_behaviour(Some(Behaviour::down()));
    for i in 0..3 {
        fixture.send_webex_message("wx-1", &format!("m-{i}"), &format!("message {i}")).await;
    }
    waits_for(env, "discarded-bot", 3).await;
    let listed: Value = serde_json::from_str(
        &trunkline(env, &["deliveries", "--connection", "discarded-bot", "--json"]).await,
    )
    .unwrap();
    assert!(
        listed[0]["next_attempt_at"].is_string() && listed[1]["next_attempt_at"].is_null(),
        "{listed}"
    );
    fixture.mock.set_behaviour(None);
    trunkline(env, &["discard", listed[1]["id"].as_str().unwrap()]).await;
    waits_for(env, "discarded-bot", 2).await;
    trunkline(env, &["replay", "--connection", "discarded-bot"]).await;
    let taken = fixture.mock.wait_for_accepted("/bot", 2, Duration::from_secs(20)).await;
    assert_eq!((taken[0].text(), taken[1].text()), ("message 0".into(), "message 2".into()));
    waits_for(env, "discarded-bot", 0).await;
    let outcome = fixture.transcript("wx-1").await[1].outcomes["discarded-bot"].clone();
    assert_eq!(outcome.verdict, Verdict::Discarded);
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
        let letters = operator(env, |o| async move { o.dead_letters().await }).await;
        if letters.iter().any(|letter| letter.body.contains(mark)) {
            return trunkline(env, &["deliveries", "--dead"]).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no dead letter contains {mark}");
}
