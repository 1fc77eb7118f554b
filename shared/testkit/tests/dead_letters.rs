//! Dead letters: queue messages that Trunkline's own functions could not process.

use jiff::SignedDuration;
use trunkline_core::model::{Job, PlatformId};
use trunkline_runtime::queue::QueueMessage;
use trunkline_testkit::{Fault, TestStack, message};

const LEG: &str = "some-leg";

async fn enqueue(stack: &TestStack, body: &str) {
    let (group, body) = (LEG.to_owned(), body.to_owned());
    let message = QueueMessage::raw(PlatformId::from_static("toy"), group, "raw-1".into(), body);
    stack.app.queues.send(message).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn unreadable_message_is_stored_with_its_reason() {
    let stack = TestStack::with_bot().await;
    enqueue(&stack, r#"{"job":"dance"}"#).await;
    stack.run_until_idle().await;
    assert!(stack.tick().await);
    let letters = stack.dead_letters().await;
    assert_eq!((letters.len(), letters[0].group.as_str()), (1, LEG));
    let reason = &letters[0].reason;
    assert!(reason.contains("the message cannot be read: unknown variant `dance`"), "{reason}");
    // After a redrive it is a dead letter again, and not two.
    assert_eq!(stack.app.operator_actions().redrive(None).await.unwrap(), 1);
    stack.run_until_idle().await;
    assert!(stack.tick().await);
    assert_eq!(stack.dead_letters().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn crashing_message_is_a_dead_letter_after_twenty_receives_and_can_be_redriven() {
    let stack = TestStack::with_bot().await;
    let outbound = |call: &trunkline_testkit::aws::CallRecord| call.function == "toy-outbound";
    stack.faults().when(outbound, 0, None, Fault::CrashBefore);
    stack.accept("channel", "c-1", "m-1", message("hello")).await;
    stack.advance(SignedDuration::from_secs(45 * 19)).await;
    assert!(stack.dead_letters().await.is_empty(), "nineteen receives");
    assert_eq!(stack.accounting().await.queued, 1);
    // It is received once more and moves to the dead-letter queue, which the next tick reads.
    stack.advance(SignedDuration::from_secs(2 * 45)).await;
    assert!(stack.tick().await);
    let letters = stack.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("crashed"), "{}", letters[0].reason);
    assert!(matches!(serde_json::from_str(&letters[0].body), Ok(Job::Deliver(_))));
    assert_eq!(stack.accounting().await.dead, 1);

    stack.faults().clear();
    assert_eq!(stack.app.operator_actions().redrive(None).await.unwrap(), 1);
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["hello"]);
    assert!(stack.dead_letters().await.is_empty());
}

/// The message is received again after 1, 2, 5, 10, 30 and 60 seconds.
#[tokio::test(start_paused = true)]
async fn table_that_is_down_delays_deliveries_without_a_dead_letter() {
    let stack = TestStack::with_bot().await;
    stack.accept("channel", "c-1", "m-1", message("hello")).await;
    let outbound = |call: &trunkline_testkit::aws::CallRecord| {
        call.function == "toy-outbound" && call.service == "dynamodb"
    };
    stack.faults().when(outbound, 0, None, Fault::Refuse);
    stack.advance(SignedDuration::from_mins(10)).await;
    assert!(stack.toy.calls("bot").is_empty());
    stack.faults().clear();
    stack.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(stack.toy.heard("bot"), ["hello"]);
    assert!(stack.dead_letters().await.is_empty());
}

/// A dead letter is stored under the id of its queue message, so storing it twice stores one.
#[tokio::test(start_paused = true)]
async fn crash_while_a_dead_letter_is_stored_does_not_lose_or_double_it() {
    let calls = [("sqs", "ReceiveMessage"), ("dynamodb", "PutItem"), ("sqs", "DeleteMessage")];
    for (service, operation) in calls {
        for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::LoseAnswer, Fault::Throttle] {
            let stack = TestStack::with_bot().await;
            enqueue(&stack, "not JSON").await;
            stack.run_until_idle().await;
            stack.faults().at(service, operation, 1, fault);
            assert!(!stack.tick().await, "{operation}, {fault:?}");
            stack.advance(SignedDuration::from_mins(2)).await;
            assert_eq!(stack.dead_letters().await.len(), 1, "{operation}, {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_tick_stores_all_dead_letters_of_an_outage() {
    let stack = TestStack::with_bot().await;
    for number in 0..95 {
        let (group, id) = (format!("leg-{}", number % 7), format!("raw-{number}"));
        let platform = PlatformId::from_static("toy");
        let message = QueueMessage::raw(platform, group, id, format!("not JSON {number}"));
        stack.app.queues.send(message).await.unwrap();
    }
    stack.run_until_idle().await;
    assert!(stack.dead_letters().await.is_empty());
    assert!(stack.tick().await);
    assert_eq!(stack.dead_letters().await.len(), 95);
}
