//! Batches of queue messages: what an outbound function returns to the queue, and how messages are sent.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use jiff::SignedDuration;
use trunkline_core::model::{Job, LegId, PlatformId};
use trunkline_runtime::app::Clock;
use trunkline_runtime::outbound::receive_batch;
use trunkline_runtime::queue::{Depth, MAX_MESSAGE, QueueError, QueueMessage};
use trunkline_testkit::aws::{CallRecord, Invocation, Lineage};
use trunkline_testkit::{Fault, Reply, TestStack, message};

const TOY: PlatformId = PlatformId::from_static("toy");
const QUEUE: &str = "test-toy-outbound.fifo";

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Queues a customer's messages, whose texts are also their ids: the customer and a number.
async fn queue(stack: &TestStack, customer: &str, number: usize) {
    for i in 0..number {
        let text = format!("{customer}-{i}");
        stack.accept("channel", customer, &text, message(&text)).await;
    }
}

/// Receives the messages of `groups` groups, up to ten of each.
fn receive(stack: &TestStack, groups: usize) -> Vec<SqsMessage> {
    (0..groups).flat_map(|_| stack.sqs.poll(QUEUE, 10, true)).collect()
}

/// Invokes the outbound function with a batch, within a time limit. Returns the positions of the messages
/// that go back to the queue.
async fn invoke(stack: &TestStack, batch: &[SqsMessage], limit: SignedDuration) -> Vec<usize> {
    let deadline = stack.clock.now() + limit;
    let invocation = Invocation::new(1, "toy-outbound", Lineage::default());
    let work = receive_batch(&stack.app, &stack.toy, batch.to_vec(), deadline);
    let failures = invocation.run(work).await.unwrap().batch_item_failures;
    let position = |id: &String| batch.iter().position(|one| one.message_id.as_ref() == Some(id));
    failures.iter().map(|failure| position(&failure.item_identifier).unwrap()).collect()
}

/// Refuses to store the outcome of the delivery of the message with this text.
fn refuse_outcome(stack: &TestStack, text: &'static str) {
    let outcome = move |call: &CallRecord| {
        ["UpdateItem", "BatchExecuteStatement"].contains(&call.operation.as_str())
            && call.body.contains(&format!("m:{text}\""))
    };
    stack.faults().when(outcome, 0, None, Fault::Refuse);
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_leg_are_processed_in_order() {
    let stack = TestStack::with_bot().await;
    queue(&stack, "c-1", 10).await;
    let batch = receive(&stack, 1);
    assert_eq!(batch.len(), 10);
    assert!(invoke(&stack, &batch, seconds(30)).await.is_empty());
    let expected: Vec<String> = (0..10).map(|i| format!("c-1-{i}")).collect();
    assert_eq!(stack.toy.heard("bot"), expected);
}

#[tokio::test(start_paused = true)]
async fn internal_error_returns_the_message_and_those_behind_it_on_its_leg_only() {
    let stack = TestStack::with_bot().await;
    queue(&stack, "c-1", 4).await;
    queue(&stack, "c-2", 2).await;
    refuse_outcome(&stack, "c-1-1");
    let batch = receive(&stack, 2);
    assert_eq!(batch.len(), 6);
    assert_eq!(invoke(&stack, &batch, seconds(30)).await, [1, 2, 3]);
    let mut heard = stack.toy.heard("bot");
    heard.sort();
    assert_eq!(heard, ["c-1-0", "c-1-1", "c-2-0", "c-2-1"]);
}

#[tokio::test(start_paused = true)]
async fn returned_messages_wait_longer_each_time() {
    let stack = TestStack::with_bot().await;
    queue(&stack, "c-1", 2).await;
    refuse_outcome(&stack, "c-1-0");
    for delay in [1, 2, 5, 10, 30, 60, 60] {
        let batch = receive(&stack, 1);
        assert_eq!(batch.len(), 2);
        assert_eq!(invoke(&stack, &batch, seconds(30)).await, [0, 1]);
        let now = stack.clock.now();
        for message in stack.sqs.messages(QUEUE) {
            let left = message.visible_at.duration_since(now);
            assert!(left <= seconds(delay) && left > seconds(delay - 1), "{delay}: {left:?}");
        }
        stack.clock.advance(seconds(delay));
    }
}

#[tokio::test(start_paused = true)]
async fn invocation_without_time_sends_nothing() {
    let stack = TestStack::with_bot().await;
    queue(&stack, "c-1", 2).await;
    let batch = receive(&stack, 1);
    assert_eq!(invoke(&stack, &batch, SignedDuration::ZERO).await, [0, 1]);
    assert!(stack.toy.calls("bot").is_empty());
}

/// A delivery takes at most 5 seconds, and Trunkline needs 2: the last one starts within 23 seconds.
#[tokio::test(start_paused = true)]
async fn slow_leg_returns_what_does_not_fit_into_the_invocation() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Slow(Duration::from_secs(4)));
    queue(&stack, "c-1", 10).await;
    let batch = receive(&stack, 1);
    let start = stack.clock.now();
    assert_eq!(invoke(&stack, &batch, seconds(30)).await, [6, 7, 8, 9]);
    assert!(stack.clock.now().duration_since(start) < seconds(28));
    assert_eq!(stack.toy.heard("bot").len(), 6);
}

/// SQS hands out the next messages of a leg only when the batch ends, that is, with its slowest leg.
#[tokio::test(start_paused = true)]
async fn slow_leg_holds_up_the_others_of_its_batch_for_two_seconds_only() {
    let stack = TestStack::with_bot().await;
    stack.toy.for_word("bot", "slow", Reply::Slow(Duration::from_millis(1_500)));
    queue(&stack, "slow", 5).await;
    queue(&stack, "fast", 5).await;
    let batch = receive(&stack, 2);
    assert_eq!(invoke(&stack, &batch, seconds(30)).await, [2, 3, 4]);
    let heard = stack.toy.heard("bot");
    assert_eq!(heard.iter().filter(|text| text.starts_with("fast")).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn unreadable_message_is_moved_away_and_the_next_one_is_processed() {
    let stack = TestStack::with_bot().await;
    let leg = LegId { key: stack.key("channel", "c-1"), connection: "bot".parse().unwrap() };
    let raw = QueueMessage::raw(TOY, leg.message_group(), "raw".into(), "not JSON".into());
    stack.app.queues.send(raw).await.unwrap();
    queue(&stack, "c-1", 1).await;
    let batch = receive(&stack, 1);
    assert_eq!(batch.len(), 2);
    assert!(invoke(&stack, &batch, seconds(30)).await.is_empty());
    assert_eq!(stack.toy.heard("bot"), ["c-1-0"]);
    let dead = stack.sqs.messages("test-toy-dead.fifo");
    assert_eq!((dead.len(), dead[0].body.as_str()), (1, "not JSON"));
    assert_eq!(dead[0].group, Some(leg.message_group()));
}

#[tokio::test(start_paused = true)]
async fn unreadable_message_goes_back_if_the_dead_letter_queue_refuses_it() {
    let stack = TestStack::with_bot().await;
    let raw = QueueMessage::raw(TOY, "leg".into(), "raw".into(), "not JSON".into());
    stack.app.queues.send(raw).await.unwrap();
    stack.faults().at("sqs", "SendMessage", 1, Fault::Refuse);
    let batch = receive(&stack, 1);
    assert_eq!(invoke(&stack, &batch, seconds(30)).await, [0]);
    assert!(stack.sqs.messages("test-toy-dead.fifo").is_empty());
}

/// Jobs about a conversation that was erased, or a delivery that was discarded, are done.
#[tokio::test(start_paused = true)]
async fn jobs_about_deliveries_that_no_longer_exist_are_done() {
    let stack = TestStack::with_bot().await;
    let leg = LegId { key: stack.key("channel", "c-1"), connection: "bot".parse().unwrap() };
    let gone = LegId { connection: "gone".parse().unwrap(), ..leg.clone() };
    let reason = trunkline_core::model::DrainReason::Released;
    let jobs = [
        Job::Drain { leg: leg.clone(), reason },
        Job::Discard { leg, seq: 7 },
        Job::ReleaseHeld { leg: gone },
        Job::ReconcileRegistration { connection: "gone".parse().unwrap() },
    ];
    for (index, job) in jobs.iter().enumerate() {
        let group = "leg".to_owned();
        stack.app.queues.enqueue(TOY, group, index.to_string(), job).await.unwrap();
    }
    let batch = receive(&stack, 1);
    assert_eq!(batch.len(), 4);
    assert!(invoke(&stack, &batch, seconds(30)).await.is_empty());
    assert!(stack.sqs.messages("test-toy-dead.fifo").is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_of_mixed_sizes_share_calls_up_to_the_limits() {
    let stack = TestStack::with_bot().await;
    let sizes = [100_000, 100_000, 100_000, 10, MAX_MESSAGE, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let message = |(index, size): (usize, &usize)| {
        let (group, id) = (format!("group-{index:02}"), index.to_string());
        QueueMessage::raw(TOY, group, id, "x".repeat(*size))
    };
    let messages: Vec<_> = sizes.iter().enumerate().map(message).collect();
    let before = stack.aws().number_of_calls();
    let invocation = Invocation::new(1, "toy-inbound", Lineage::default());
    invocation.run(stack.app.queues.send_all(messages)).await.unwrap().unwrap();
    let calls: Vec<_> = stack.aws().calls().split_off(before);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let (one, several) = ("SendMessage", "SendMessageBatch");
    assert_eq!(operations, [several, several, one, several, one]);
    let stored = stack.sqs.messages(QUEUE);
    assert_eq!(stored.iter().map(|one| one.body.len()).collect::<Vec<_>>(), sizes);
    assert!(stored.windows(2).all(|two| two[0].group < two[1].group));
}

#[tokio::test(start_paused = true)]
async fn repeated_send_stores_each_message_once() {
    let stack = TestStack::with_bot().await;
    let messages = || {
        let numbers = (0..12).map(|i| i.to_string());
        numbers.map(|id| QueueMessage::raw(TOY, format!("g-{id}"), id, "{}".into())).collect()
    };
    stack.faults().at("sqs", "SendMessageBatch", 2, Fault::Refuse);
    let send = || Invocation::new(1, "toy-inbound", Lineage::default());
    let failed = send().run(stack.app.queues.send_all(messages())).await.unwrap();
    assert!(matches!(failed, Err(QueueError::Unavailable { platform: TOY, .. })), "{failed:?}");
    assert_eq!(stack.sqs.messages(QUEUE).len(), 10, "the first batch");
    send().run(stack.app.queues.send_all(messages())).await.unwrap().unwrap();
    assert_eq!(stack.sqs.messages(QUEUE).len(), 12);
}

#[tokio::test(start_paused = true)]
async fn text_with_characters_that_sqs_rejects_is_delivered_unchanged() {
    let stack = TestStack::with_bot().await;
    let text = "a\u{ffff}b\u{fffe}c\u{0}d\u{1b}";
    stack.send("channel", "c-1", "m-0", message(text)).await;
    assert_eq!(stack.toy.heard("bot"), [text]);
}

#[tokio::test(start_paused = true)]
async fn depth_counts_waiting_received_and_dead_messages() {
    let stack = TestStack::with_bot().await;
    queue(&stack, "c-1", 1).await;
    assert_eq!(receive(&stack, 1).len(), 1);
    queue(&stack, "c-2", 3).await;
    let letter = QueueMessage::raw(TOY, "leg".into(), "dead".into(), "{}".into());
    stack.app.queues.send_to_dlq(letter, "because").await.unwrap();
    let depth = stack.app.queues.depth(TOY).await.unwrap();
    assert_eq!(depth, Depth { waiting: 3, in_flight: 1, dead: 1 });
}

#[tokio::test(start_paused = true)]
async fn platform_without_a_queue_is_not_deployed() {
    let stack = TestStack::with_bot().await;
    let fax = PlatformId::from_static("fax");
    stack.app.queues.check_deployed(TOY).await.unwrap();
    let letter = QueueMessage::raw(fax, "leg".into(), "1".into(), "{}".into());
    for error in [
        stack.app.queues.check_deployed(fax).await.unwrap_err(),
        stack.app.queues.depth(fax).await.unwrap_err(),
        stack.app.queues.send(letter).await.unwrap_err(),
    ] {
        assert!(matches!(error, QueueError::NotDeployed(platform) if platform == fax), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn legs_and_outcomes_that_the_table_does_not_process_are_asked_for_again() {
    for operation in ["BatchGetItem", "BatchExecuteStatement"] {
        let stack = TestStack::with_bot().await;
        for customer in ["c-1", "c-2", "c-3", "c-4", "c-5"] {
            queue(&stack, customer, 1).await;
        }
        let batch = receive(&stack, 5);
        stack.faults().at("dynamodb", operation, 1, Fault::Unprocessed);
        assert_eq!(invoke(&stack, &batch, seconds(30)).await, Vec::<usize>::new(), "{operation}");
        let calls = stack.aws().calls();
        let repeated = calls.iter().filter(|call| call.operation == operation).count();
        assert!(repeated >= 1, "{operation}");
        let mut heard = stack.toy.heard("bot");
        heard.sort();
        assert_eq!(heard, ["c-1-0", "c-2-0", "c-3-0", "c-4-0", "c-5-0"], "{operation}");
        for customer in ["c-1", "c-2", "c-3", "c-4", "c-5"] {
            let id = format!("{customer}-0");
            let outcome = stack.outcome("channel", customer, &id, "bot").await;
            assert!(outcome.is_some(), "{operation}: {customer}");
        }
    }
}
