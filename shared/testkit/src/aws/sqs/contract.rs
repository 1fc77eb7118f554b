//! A script of SQS operations whose result must be the same on every implementation of SQS.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};

/// Runs the script on new queues whose names start with `prefix`. Returns what happened, one line for each
/// observation. It takes a few seconds of the client's time.
pub async fn run(sqs: &Client, prefix: &str) -> Vec<String> {
    let mut script = Script { sqs, prefix, trace: Vec::new() };
    script.order_and_blocking().await;
    script.deduplication().await;
    script.visibility_and_redrive().await;
    script.standard_queue().await;
    script.batches().await;
    script.refusals().await;
    script.trace
}

struct Script<'a> {
    sqs: &'a Client,
    prefix: &'a str,
    trace: Vec<String>,
}

type Attributes<'a> = &'a [(QueueAttributeName, &'a str)];

const FIFO: (QueueAttributeName, &str) = (QueueAttributeName::FifoQueue, "true");

impl Script<'_> {
    fn note(&mut self, what: &str, value: impl Debug) {
        self.trace.push(format!("{what}: {value:?}"));
    }

    async fn create(&self, name: &str, attributes: Attributes<'_>) -> String {
        let attributes: HashMap<QueueAttributeName, String> =
            attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        let name = format!("{}-{name}", self.prefix);
        let call = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes));
        call.send().await.unwrap().queue_url.unwrap()
    }

    /// Sends to a FIFO queue and returns the message's id.
    async fn send(&self, queue: &str, group: &str, id: &str, body: &str) -> String {
        let call = self.sqs.send_message().queue_url(queue).message_body(body);
        let call = call.message_group_id(group).message_deduplication_id(id);
        call.send().await.unwrap().message_id.unwrap()
    }

    async fn receive(&self, queue: &str, limit: i32) -> Vec<Message> {
        let call = self.sqs.receive_message().queue_url(queue).max_number_of_messages(limit);
        let call = call.message_system_attribute_names(MessageSystemAttributeName::All);
        let received = call.message_attribute_names("All").send().await.unwrap();
        received.messages.unwrap_or_default()
    }

    /// Receives until something is there, for up to three seconds.
    async fn wait(&self, queue: &str) -> Vec<Message> {
        for _ in 0..30 {
            let received = self.receive(queue, 10).await;
            if !received.is_empty() {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Vec::new()
    }

    async fn delete(&self, queue: &str, message: &Message) {
        let receipt = message.receipt_handle.clone().unwrap();
        self.sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.unwrap();
    }

    async fn set_visibility(&self, queue: &str, message: &Message, seconds: i32) {
        let receipt = message.receipt_handle.clone().unwrap();
        let call = self.sqs.change_message_visibility().queue_url(queue).receipt_handle(receipt);
        call.visibility_timeout(seconds).send().await.unwrap();
    }

    async fn order_and_blocking(&mut self) {
        let queue = self.create("order.fifo", &[FIFO]).await;
        for (group, id) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2"), ("a", "a3")] {
            self.send(&queue, group, id, id).await;
        }
        let received = self.receive(&queue, 10).await;
        for group in ["a", "b"] {
            let own = received.iter().filter(|message| group_of(message) == group);
            self.note(group, own.map(body).collect::<Vec<_>>());
        }
        let in_group = |id: &str| received.iter().find(|message| body(message) == id);
        self.send(&queue, "a", "a4", "a4").await;
        self.note("while in flight", bodies(&self.receive(&queue, 10).await));
        for id in ["a1", "a2"] {
            if let Some(message) = in_group(id) {
                self.delete(&queue, message).await;
            }
        }
        self.note("while the last of the group is", bodies(&self.receive(&queue, 10).await));
        if let Some(message) = in_group("a3") {
            self.delete(&queue, message).await;
        }
        self.note("after the group", bodies(&self.receive(&queue, 10).await));
    }

    async fn deduplication(&mut self) {
        let queue = self.create("dedup.fifo", &[FIFO]).await;
        let first = self.send(&queue, "a", "1", "first").await;
        let again = self.send(&queue, "a", "1", "again").await;
        self.note("the repeat has the first's id", first == again);
        self.note("in another group", self.send(&queue, "b", "1", "other group").await == first);
        let received = self.receive(&queue, 10).await;
        self.note("received once", bodies(&received));
        for message in &received {
            self.delete(&queue, message).await;
        }
        self.send(&queue, "a", "1", "after the delete").await;
        self.note("after the delete", bodies(&self.receive(&queue, 10).await));

        let by_group = (QueueAttributeName::DeduplicationScope, "messageGroup");
        let limit = (QueueAttributeName::FifoThroughputLimit, "perMessageGroupId");
        let queue = self.create("scope.fifo", &[FIFO, by_group, limit]).await;
        self.send(&queue, "a", "1", "in a").await;
        self.send(&queue, "b", "1", "in b").await;
        let mut both = bodies(&self.receive(&queue, 10).await);
        both.sort();
        self.note("scope of a group", both);

        let content = (QueueAttributeName::ContentBasedDeduplication, "true");
        let queue = self.create("content.fifo", &[FIFO, content]).await;
        for body in ["same", "same", "different"] {
            let call = self.sqs.send_message().queue_url(&queue).message_body(body);
            call.message_group_id("a").send().await.unwrap();
        }
        self.note("content", bodies(&self.receive(&queue, 10).await));
    }

    async fn visibility_and_redrive(&mut self) {
        let dead = self.create("dead.fifo", &[FIFO]).await;
        let call = self.sqs.get_queue_attributes().queue_url(&dead);
        let call = call.attribute_names(QueueAttributeName::QueueArn);
        let arns = call.send().await.unwrap().attributes.unwrap();
        let arn = &arns[&QueueAttributeName::QueueArn];
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"3"}}"#);
        let redrive = (QueueAttributeName::RedrivePolicy, policy.as_str());
        let timeout = (QueueAttributeName::VisibilityTimeout, "1");
        let queue = self.create("redrive.fifo", &[FIFO, timeout, redrive]).await;
        self.send(&queue, "a", "1", "one").await;
        self.send(&queue, "a", "2", "two").await;
        let received = self.receive(&queue, 1).await;
        self.note("first", described(&received));
        self.set_visibility(&queue, &received[0], 0).await;
        let received = self.receive(&queue, 1).await;
        self.note("visible again at once", described(&received));
        self.note("after the timeout", described(&self.wait(&queue).await));
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.note("after the limit", described(&self.receive(&queue, 1).await));
        let dead = self.wait(&dead).await;
        self.note("dead letter", bodies(&dead));
        self.note("its group", dead.iter().map(group_of).collect::<Vec<_>>());
    }

    async fn standard_queue(&mut self) {
        let queue = self.create("standard", &[]).await;
        let text = MessageAttributeValue::builder().data_type("String").string_value("because");
        let call = self.sqs.send_message().queue_url(&queue).message_body("now");
        call.message_attributes("reason", text.build().unwrap()).send().await.unwrap();
        let call = self.sqs.send_message().queue_url(&queue).message_body("later");
        call.delay_seconds(1).send().await.unwrap();
        let received = self.receive(&queue, 10).await;
        self.note("at once", bodies(&received));
        let reason = received[0].message_attributes.as_ref().map(|known| &known["reason"]);
        self.note("attribute", reason.and_then(MessageAttributeValue::string_value));
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let call = self.sqs.get_queue_attributes().queue_url(&queue);
        let call = call.set_attribute_names(Some(wanted.to_vec()));
        let sizes = call.send().await.unwrap().attributes.unwrap();
        self.note("sizes", wanted.map(|name| sizes.get(&name).cloned()));
        self.note("after the delay", bodies(&self.wait(&queue).await));
    }

    async fn batches(&mut self) {
        let queue = self.create("batch.fifo", &[FIFO]).await;
        let entry = |id: &str, deduplication: &str, body: &str| {
            let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(body);
            let entry = entry.message_group_id("a").message_deduplication_id(deduplication);
            entry.build().unwrap()
        };
        let send = async |entries: Vec<SendMessageBatchRequestEntry>| {
            let call = self.sqs.send_message_batch().queue_url(&queue);
            let sent = call.set_entries(Some(entries)).send().await;
            sent.map(|sent| (sent.successful.len(), sent.failed.len())).map_err(|why| code(&why))
        };
        let numbered =
            |count: usize| (0..count).map(|i| i.to_string()).map(|i| entry(&i, &i, &i)).collect();
        let results = [
            send(numbered(10)).await,
            send(numbered(11)).await,
            send(vec![entry("x", "x", "x"), entry("x", "y", "y")]).await,
            send(Vec::new()).await,
        ];
        self.note("batches", results);
        self.note("in order", bodies(&self.receive(&queue, 10).await));
    }

    async fn refusals(&mut self) {
        let fifo = self.create("refusals.fifo", &[FIFO]).await;
        let standard = self.create("refusals", &[]).await;
        let missing = standard.replace("refusals", "missing");
        let body = |queue: &str| self.sqs.send_message().queue_url(queue).message_body("x");
        let refused = [
            body(&missing).send().await,
            body(&fifo).message_deduplication_id("1").send().await,
            body(&fifo).message_group_id("a").send().await,
        ];
        let codes: Vec<_> = refused.iter().map(|one| one.as_ref().err().map(code)).collect();
        self.note("refused", codes);
    }
}

fn body(message: &Message) -> &str {
    message.body.as_deref().unwrap_or_default()
}

fn bodies(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| body(message).to_owned()).collect()
}

fn attribute(message: &Message, name: &MessageSystemAttributeName) -> String {
    let known = message.attributes.as_ref();
    known.and_then(|known| known.get(name)).cloned().unwrap_or_default()
}

fn group_of(message: &Message) -> String {
    attribute(message, &MessageSystemAttributeName::MessageGroupId)
}

/// Returns the body and the receive count of each message.
fn described(messages: &[Message]) -> Vec<String> {
    let count = |m: &Message| attribute(m, &MessageSystemAttributeName::ApproximateReceiveCount);
    messages.iter().map(|m| format!("{} ({})", body(m), count(m))).collect()
}

/// Returns the code of an error, without its namespace.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    error.code().unwrap_or("none").rsplit(['.', '#']).next().unwrap_or_default().to_owned()
}
