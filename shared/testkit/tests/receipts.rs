//! Receipts: the sender of a message learns the outcome under its own id.

use trunkline_core::model::{EventBody, ExternalMessageId, ReceiptStatus, Verdict};
use trunkline_testkit::{Reply, TestStack, message};

fn receipt(message: &str, status: ReceiptStatus) -> EventBody {
    EventBody::Receipt { message: message.into(), target: None, status, reason: None }
}

/// Returns id and status of the last receipt that a connection received.
fn last_receipt(stack: &TestStack, connection: &str) -> (ExternalMessageId, ReceiptStatus) {
    let call = stack.toy.taken(connection).pop().unwrap();
    let EventBody::Receipt { target: Some(target), status, .. } = call.delivery.event.body else {
        panic!("{connection} received {} last", call.summary());
    };
    (target.message, status)
}

/// Whether the last event that a connection received is a receipt that names none of its messages.
fn names_nothing(stack: &TestStack, connection: &str) -> bool {
    let call = stack.toy.taken(connection).pop().unwrap();
    matches!(call.delivery.event.body, EventBody::Receipt { target: None, .. })
}

/// Returns the id of a connection's last delivery.
fn last_delivery(stack: &TestStack, connection: &str) -> String {
    stack.toy.taken(connection).pop().unwrap().delivery.id.as_str().to_owned()
}

#[tokio::test(start_paused = true)]
async fn receipts_reach_the_sender_under_its_own_id() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let (bot, to_bot) = (stack.toy.conversation("bot"), last_delivery(&stack, "bot"));
    stack.send("bot", &bot, "b-1", message("hello")).await;
    let to_channel = last_delivery(&stack, "channel");
    stack.send("channel", "c-1", "r-1", receipt(&to_channel, ReceiptStatus::Read)).await;
    assert_eq!(last_receipt(&stack, "bot"), ("b-1".into(), ReceiptStatus::Read));
    stack.send("bot", &bot, "r-2", receipt(&to_bot, ReceiptStatus::Delivered)).await;
    assert_eq!(last_receipt(&stack, "channel"), ("c-1".into(), ReceiptStatus::Delivered));

    stack.send("channel", "c-1", "c-2", message("agent")).await;
    stack.send("desk", &stack.toy.conversation("desk"), "d-1", message("Hello.")).await;
    let to_channel = last_delivery(&stack, "channel");
    stack.send("channel", "c-1", "r-3", receipt(&to_channel, ReceiptStatus::Read)).await;
    assert_eq!(last_receipt(&stack, "desk"), ("d-1".into(), ReceiptStatus::Read));
}

#[tokio::test(start_paused = true)]
async fn receipt_with_the_platforms_own_id_is_matched() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    stack.toy.once("channel", Reply::AcceptAs("their-7"));
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", message("hello")).await;
    stack.send("channel", "c-1", "r-1", receipt("their-7", ReceiptStatus::Read)).await;
    assert_eq!(last_receipt(&stack, "bot"), ("b-1".into(), ReceiptStatus::Read));
}

/// The owner receives it, without a message of its own.
#[tokio::test(start_paused = true)]
async fn receipt_of_an_unknown_message_names_no_message() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    stack.send("channel", "c-1", "r-1", receipt("dlv_unknown", ReceiptStatus::Read)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi", "<receipt>"]);
    assert!(names_nothing(&stack, "bot"));
}

#[tokio::test(start_paused = true)]
async fn receipt_cannot_name_a_message_of_another_conversation() {
    let stack = TestStack::with_bot().await;
    for customer in ["c-1", "c-2"] {
        stack.send("channel", customer, &format!("m-{customer}"), message("hi")).await;
    }
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", message("for c-2")).await;
    let theirs = last_delivery(&stack, "channel");
    stack.send("channel", "c-1", "r-1", receipt(&theirs, ReceiptStatus::Read)).await;
    assert!(names_nothing(&stack, "bot"));
    stack.send("channel", "c-2", "r-2", receipt(&theirs, ReceiptStatus::Read)).await;
    assert_eq!(last_receipt(&stack, "bot"), ("b-1".into(), ReceiptStatus::Read));
}

#[tokio::test(start_paused = true)]
async fn sender_is_told_that_a_message_failed() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    stack.toy.once("channel", Reply::Status(400));
    stack.send("bot", &bot, "b-1", message("answer 1")).await;
    stack.send("bot", &bot, "b-2", message("answer 2")).await;
    assert_eq!(stack.toy.heard("channel"), ["answer 2"], "the leg continues");
    assert_eq!(last_receipt(&stack, "bot"), ("b-1".into(), ReceiptStatus::Failed));
    let told = stack.toy.taken("bot").pop().unwrap().delivery.event.body;
    let reason = "the platform answered 400 Bad Request";
    assert!(matches!(told, EventBody::Receipt { reason: Some(told), .. } if told == reason));
    let outcome = stack.outcome("channel", "c-1", "answer 1", "channel").await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Permanent);
    assert_eq!(outcome.reason.as_deref(), Some(reason));
}

#[tokio::test(start_paused = true)]
async fn typing_is_forwarded_to_the_other_side() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    stack.send("channel", "c-1", "t-1", EventBody::Typing { active: true }).await;
    assert_eq!(stack.toy.heard("bot"), ["hi", "<typing>"]);
    let bot = stack.toy.conversation("bot");
    stack.send("bot", &bot, "t-2", EventBody::Typing { active: true }).await;
    assert_eq!(stack.toy.heard("channel"), ["<typing>"]);
}
