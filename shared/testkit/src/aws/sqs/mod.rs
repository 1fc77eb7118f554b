//! SQS on a manual clock: standard and FIFO queues, as far as Trunkline uses them.
//!
//! The rules name the page of the AWS documentation that they follow, or are marked as an assumption. The
//! end-to-end test `sqs_contract` runs the same script on this and on another emulator.

mod api;
pub mod contract;
mod queue;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use trunkline_runtime::app::Clock;

pub use queue::{Message, QueueConfig};

use super::{AwsRequest, AwsResponse, AwsService, json_operation, json_response};
use queue::Queue;

/// Prefix of queue URLs.
const URLS: &str = "http://sqs.test.local/000000000000/";
/// Prefix of queue ARNs.
const ARNS: &str = "arn:aws:sqs:us-east-1:000000000000:";

/// The emulated queues.
#[derive(Debug)]
pub struct Sqs {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, Queue>,
    /// Number of messages and receipts so far.
    issued: u64,
}

/// Why a call fails: the error's code and message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SqsError {
    code: &'static str,
    message: String,
}

fn error(code: &'static str, message: impl Into<String>) -> SqsError {
    SqsError { code, message: message.into() }
}

impl SqsError {
    /// Source: SQS guide, "Amazon SQS error responses": the JSON protocol names the shape in `__type`, and
    /// the header has the code of the older query protocol.
    fn response(&self) -> AwsResponse {
        let body = json!({
            "__type": format!("com.amazonaws.sqs#{}", self.code),
            "message": self.message,
        });
        let query_code = match self.code {
            "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
            "MessageNotInflight" => "AWS.SimpleQueueService.MessageNotInflight",
            "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
            "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            "BatchRequestTooLong" => "AWS.SimpleQueueService.BatchRequestTooLong",
            "InvalidBatchEntryId" => "AWS.SimpleQueueService.InvalidBatchEntryId",
            other => other,
        };
        let mut response = json_response(400, body.to_string());
        let header = format!("{query_code};Sender").parse().unwrap();
        response.headers_mut().insert("x-amzn-query-error", header);
        response
    }
}

impl Sqs {
    /// Starts without queues.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Creates a queue.
    pub fn create(&self, name: &str, config: QueueConfig) {
        self.state.lock().unwrap().queues.insert(name.to_owned(), Queue::new(config));
    }

    /// Returns the URL of a queue.
    pub fn url(name: &str) -> String {
        format!("{URLS}{name}")
    }

    /// Returns the messages of a queue, also those that are delayed or in flight, in the order in which
    /// they were sent.
    pub fn messages(&self, queue: &str) -> Vec<Message> {
        self.state.lock().unwrap().queues[queue].messages.clone()
    }

    /// Receives a batch as Lambda's poller does: up to `limit` messages, of a FIFO queue those of one group
    /// only if `one_group`.
    pub fn poll(&self, queue: &str, limit: usize, one_group: bool) -> Vec<SqsMessage> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        let received = state.receive(queue, limit, one_group, None, now);
        received.iter().map(|message| lambda_record(queue, message)).collect()
    }

    /// Deletes a message that [`Sqs::poll`] returned.
    pub fn acknowledge(&self, queue: &str, message: &SqsMessage) {
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        self.state.lock().unwrap().delete(queue, receipt);
    }

    /// Returns the next time at which a message of any queue becomes visible.
    pub fn next_visible(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let state = self.state.lock().unwrap();
        state.queues.values().filter_map(|queue| queue.next_visible_after(now)).min()
    }

    /// Returns the queue whose available message was sent first, among those whose name `wanted` accepts.
    pub fn next_queue(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let now = self.clock.now();
        let state = self.state.lock().unwrap();
        let first = |queue: &Queue| {
            let index = queue.available(1, true, now).into_iter().next()?;
            let message = &queue.messages[index];
            Some((message.visible_at, message.sequence))
        };
        let named = state.queues.iter().filter(|(name, _)| wanted(name));
        let available = named.filter_map(|(name, queue)| Some((first(queue)?, name)));
        available.min().map(|(_, name)| name.clone())
    }
}

impl State {
    fn issue(&mut self, prefix: &str) -> String {
        self.issued += 1;
        format!("{prefix}-{:08}", self.issued)
    }

    /// Hands out messages and moves those that were received too often to the dead-letter queue.
    ///
    /// Source: SQS guide, "Using dead-letter queues": a message moves when its receive count exceeds
    /// `maxReceiveCount`. Assumption: this happens when it would be received once more.
    fn receive(
        &mut self,
        name: &str,
        limit: usize,
        one_group: bool,
        visibility: Option<i64>,
        now: Timestamp,
    ) -> Vec<Message> {
        self.redrive(name, now);
        let Some(queue) = self.queues.get(name) else { return Vec::new() };
        let seconds = visibility.unwrap_or(queue.config.visibility_timeout);
        let mut received = Vec::new();
        for index in queue.available(limit, one_group, now) {
            let receipt = self.issue("receipt");
            let Some(queue) = self.queues.get_mut(name) else { break };
            let message = &mut queue.messages[index];
            message.receive_count += 1;
            message.first_received_at.get_or_insert(now);
            message.visible_at = now + SignedDuration::from_secs(seconds);
            message.receipt = Some(receipt);
            received.push(message.clone());
        }
        received
    }

    fn redrive(&mut self, name: &str, now: Timestamp) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some((dead, limit)) = queue.config.redrive.clone() else { return };
        // A moved message may unblock the next of its group, which may be due to move as well.
        loop {
            let Some(queue) = self.queues.get_mut(name) else { return };
            if queue.messages.iter().all(|message| message.receive_count < limit) {
                return;
            }
            let available = queue.available(usize::MAX, false, now);
            let spent =
                available.into_iter().find(|index| queue.messages[*index].receive_count >= limit);
            let Some(index) = spent else { return };
            let mut message = queue.messages.remove(index);
            message.receipt = None;
            message.visible_at = now;
            if let Some(dead) = self.queues.get_mut(&dead) {
                dead.add(message, now);
            }
        }
    }

    fn delete(&mut self, name: &str, receipt: &str) -> bool {
        let Some(queue) = self.queues.get_mut(name) else { return false };
        let before = queue.messages.len();
        queue.messages.retain(|message| message.receipt.as_deref() != Some(receipt));
        queue.messages.len() < before
    }
}

/// Returns the system attributes of a received message.
fn system_attributes(message: &Message) -> Map<String, Value> {
    let millis = |at: Timestamp| json!(at.as_millisecond().to_string());
    let mut attributes = Map::new();
    attributes.insert("SentTimestamp".into(), millis(message.sent_at));
    attributes.insert("ApproximateReceiveCount".into(), json!(message.receive_count.to_string()));
    if let Some(at) = message.first_received_at {
        attributes.insert("ApproximateFirstReceiveTimestamp".into(), millis(at));
    }
    if let Some(group) = &message.group {
        attributes.insert("MessageGroupId".into(), json!(group));
    }
    if let Some(id) = &message.deduplication_id {
        attributes.insert("MessageDeduplicationId".into(), json!(id));
        attributes.insert("SequenceNumber".into(), json!(format!("{:020}", message.sequence)));
    }
    attributes
}

/// Returns a message in the format in which Lambda passes it to a function.
///
/// Source: Lambda guide, "Using Lambda with Amazon SQS".
fn lambda_record(queue: &str, message: &Message) -> SqsMessage {
    let attribute = |value: &Value| {
        json!({"stringValue": value["StringValue"], "dataType": value["DataType"],
            "stringListValues": [], "binaryListValues": []})
    };
    let attributes: Map<String, Value> =
        message.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    let record = json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("{ARNS}{queue}"),
        "awsRegion": "us-east-1",
    });
    serde_json::from_value(record).unwrap()
}

impl AwsService for Sqs {
    fn name(&self) -> &'static str {
        "sqs"
    }

    fn operation(&self, request: &AwsRequest) -> Option<String> {
        json_operation("AmazonSQS", request)
    }

    fn call(&self, operation: &str, request: &AwsRequest) -> AwsResponse {
        let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let mut state = self.state.lock().unwrap();
        match state.perform(operation, &asked, self.clock.now()) {
            Ok(answer) => json_response(200, answer.to_string()),
            Err(error) => error.response(),
        }
    }

    fn throttled(&self) -> AwsResponse {
        error("RequestThrottled", "The request was denied due to request throttling.").response()
    }

    fn failed(&self) -> AwsResponse {
        let mut response =
            error("InternalError", "We encountered an internal error. Please try again.")
                .response();
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}
