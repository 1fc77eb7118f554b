//! A stack without some platforms, and queues that no worker reads.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use trunkline::config::{ReadOptions, read};
use trunkline_config::apply::{ApplyError, ApplyTarget, apply};
use trunkline_core::model::{DrainReason, Job, PlatformId, ScheduledTask};
use trunkline_demo::{CONFIGURATION, DemoSecrets};
use trunkline_registry::{PLATFORMS, TRAITS};
use trunkline_runtime::app::App;
use trunkline_runtime::queue::{QueueError, Queues};
use trunkline_scheduler::{AbsentPlatforms, check_queues, run_task};
use trunkline_tests::{Fixture, ShiftedClock, TestEnvironment};

/// Returns an [`App`] on the deployed table and on the queues of a stack that has only the queues of these
/// platforms.
async fn app_with(env: &TestEnvironment, stack: &str, platforms: &[PlatformId]) -> App {
    let create = |kind: String| {
        let queue = env.sqs.create_queue().queue_name(format!("{stack}-{kind}"));
        let queue = match kind.split_once('.') {
            Some(_) => queue.attributes("FifoQueue".into(), "true"),
            None => queue,
        };
        async move { queue.send().await.unwrap().queue_url.unwrap() }
    };
    let tasks = create("tasks".into()).await;
    for platform in platforms {
        create(format!("{platform}-outbound.fifo")).await;
        create(format!("{platform}-dead.fifo")).await;
    }
    let queues = Queues::new(env.sqs.clone(), tasks.parse().unwrap());
    App { queues, ..env.app(Arc::new(ShiftedClock::ahead_by(SignedDuration::ZERO)), None) }
}

pub async fn connection_of_missing_platform_is_refused(env: &TestEnvironment) {
    let app = app_with(env, "few", &[PlatformId::from_static("webhook")]).await;
    let options = ReadOptions { platforms: PLATFORMS, secrets: &DemoSecrets, allow_local: true };
    let desired = read(CONFIGURATION, options).unwrap();
    let target = ApplyTarget {
        platforms: PLATFORMS,
        store: &app.store,
        secrets: &app.secrets,
        queues: &app.queues,
    };
    let mut applied = 0;
    let refused = apply(target, &desired, |_| applied += 1).await.unwrap_err();
    assert!(matches!(refused, ApplyError::NotDeployed(_)), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("nothing was applied") && text.contains("=yes"), "{text}");
    assert_eq!(applied, 0);

    assert!(app.queues.check_deployed(PlatformId::from_static("webhook")).await.is_ok());
    let missing = app.queues.depth(PlatformId::from_static("webex")).await.unwrap_err();
    assert!(
        matches!(missing, QueueError::NotDeployed(id) if id == PlatformId::from_static("webex")),
        "{missing}"
    );
    // A task for a missing platform must not be repeated for ever.
    let fixture = Fixture::webex_and_bot(env, "few").await;
    fixture.send_webex_message("wx-1", "m-1", "hello").await;
    let leg = fixture.transcript("wx-1").await[0].deliveries().next().unwrap().leg();
    let job = Job::Drain { leg: leg.clone(), reason: DrainReason::Due };
    let sent =
        app.queues.enqueue(PlatformId::from_static("cm"), "g".into(), "1".into(), &job).await;
    assert!(
        matches!(sent, Err(QueueError::NotDeployed(id)) if id == PlatformId::from_static("cm")),
        "{sent:?}"
    );
    let at = app.clock.now();
    run_task(&app, ScheduledTask::DrainLeg { platform: PlatformId::from_static("cm"), leg, at })
        .await
        .unwrap();
}

pub async fn queue_without_worker_is_stalled_until_it_is_read(env: &TestEnvironment) {
    let app = app_with(env, "stalled", &[PlatformId::from_static("webhook")]).await;
    let absent = AbsentPlatforms::default();
    let job = Job::Verify { connection: "any".parse().unwrap(), challenge: "1".into() };
    app.queues
        .enqueue(PlatformId::from_static("webhook"), "g".into(), "1".into(), &job)
        .await
        .unwrap();
    check_queues(&app, &absent, TRAITS).await.unwrap();
    let stalled = app.store.stalled_queues().await.unwrap();
    assert!(stalled.contains_key(&PlatformId::from_static("webhook")), "{stalled:?}");

    // The queue has a worker as soon as the message is in flight.
    let url = env.sqs.get_queue_url().queue_name("stalled-webhook-outbound.fifo").send().await;
    let url = url.unwrap().queue_url.unwrap();
    env.sqs.receive_message().queue_url(url).visibility_timeout(60).send().await.unwrap();
    check_queues(&app, &absent, TRAITS).await.unwrap();
    assert_eq!(
        app.store.stalled_queues().await.unwrap().get(&PlatformId::from_static("webhook")),
        None
    );
}

pub async fn schedule_reports_the_queues(env: &TestEnvironment) {
    env.invoke("Scheduler", &json!({"detail-type": "Scheduled Event"})).await;
    let mut found = Vec::new();
    for _ in 0..100 {
        found = env.log_lines_with("DeadLettersUnread").await;
        if !found.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let line: Value = serde_json::from_str(found.first().unwrap()).unwrap();
    assert!(line["DeadLettersUnread"].is_u64(), "{line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert!(directives.iter().all(|each| each["Namespace"] == "Trunkline/trunkline"), "{line}");
}
