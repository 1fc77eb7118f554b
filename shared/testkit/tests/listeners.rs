//! Listeners that succeed each other for hours. Lambda stops a chain of messages after 16 runs of a function.

use aws_lambda_events::event::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::PlatformId;
use trunkline_runtime::app::{App, Clock};
use trunkline_runtime::listener::{acquire_lease, ask_for_successor, ensure_running};
use trunkline_runtime::queue::StartListener;
use trunkline_testkit::TestStack;
use trunkline_testkit::aws::Sqs;
use trunkline_testkit::aws::sqs::QueueConfig;

const TOY: PlatformId = PlatformId::from_static("toy");
const LISTEN_QUEUE: &str = "test-toy-listen";
/// How long a listener runs, and how long before its end it asks for a successor.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
const OVERLAP: SignedDuration = SignedDuration::from_secs(150);
/// How often a listener renews its lease of 12 seconds.
const RENEWAL: SignedDuration = SignedDuration::from_secs(10);

/// A listener's run, with the message of its successor.
struct Run {
    id: String,
    started: Timestamp,
    ended: Timestamp,
    successor: Option<SqsMessage>,
}

fn next_start(sqs: &Sqs) -> Option<SqsMessage> {
    let message = sqs.poll(LISTEN_QUEUE, 1, false).pop()?;
    // The poller deletes it when the run ends, which the test does not wait for.
    sqs.acknowledge(LISTEN_QUEUE, &message);
    Some(message)
}

/// Holds the lease until a successor is started or the time is up, while the other functions run.
async fn hold_lease(stack: &TestStack, app: &App, message: &SqsMessage) -> Run {
    let id = message.message_id.clone().unwrap();
    let start: StartListener = serde_json::from_str(message.body.as_deref().unwrap()).unwrap();
    assert!(acquire_lease(app, TOY, &id, start.predecessor.as_deref()).await.unwrap());
    let started = app.clock.now();
    let (mut asked, mut successor) = (false, None);
    while successor.is_none() && app.clock.now() < started + LIFETIME {
        stack.advance(RENEWAL).await;
        assert!(acquire_lease(app, TOY, &id, None).await.unwrap(), "the lease is still held");
        if !asked && app.clock.now() >= started + LIFETIME - OVERLAP {
            ask_for_successor(app, TOY, &id).await.unwrap();
            asked = true;
        }
        successor = next_start(&stack.sqs);
    }
    Run { id, started, ended: app.clock.now(), successor }
}

#[tokio::test(start_paused = true)]
async fn listeners_succeed_each_other_for_six_hours_without_a_gap() {
    let stack = TestStack::with_bot().await;
    let config = QueueConfig { visibility_timeout: 960, ..QueueConfig::default() };
    stack.sqs.create(LISTEN_QUEUE, config);
    let begin = stack.clock.now();
    ensure_running(&stack.app, TOY).await.unwrap();
    let mut message = next_start(&stack.sqs).unwrap();
    let mut runs: Vec<Run> = Vec::new();
    while stack.clock.now() < begin + SignedDuration::from_hours(6) {
        let run = stack
            .run_listener("toy-listener", &message, async |app| {
                hold_lease(&stack, app, &message).await
            })
            .await;
        let run = run.unwrap_or_else(|| panic!("Lambda refuses listener {}", runs.len() + 1));
        message = run.successor.clone().expect("a successor starts before the time is up");
        runs.push(run);
    }
    assert!(runs.len() > 24, "{}", runs.len());
    for pair in runs.windows(2) {
        assert_eq!(pair[0].ended, pair[1].started, "{} and {}", pair[0].id, pair[1].id);
    }
    assert_eq!(stack.refused_runs(), 0);
}
