//! The operations of the SQS API (`AmazonSQS`, JSON protocol). Each function names its page of the SQS API
//! reference; its rules are from there if nothing else is said.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use trunkline_core::model::digest;

use super::queue::{Message, Queue, QueueConfig};
use super::{ARNS, SqsError, State, URLS, error, system_attributes};

/// Maximum size of a message and of a batch, in bytes. `SendMessage`, `MessageBody`.
const MAX_BYTES: usize = 1_048_576;
/// Maximum number of messages of a batch. `SendMessageBatch`, `ReceiveMessage`.
const MAX_BATCH: usize = 10;
/// Maximum delay, in seconds. `SendMessage`, `DelaySeconds`.
const MAX_DELAY: i64 = 900;
/// Maximum visibility timeout, in seconds. `ChangeMessageVisibility`.
const MAX_VISIBILITY: i64 = 43_200;

type SqsResult = Result<Value, SqsError>;

fn invalid(message: impl Into<String>) -> SqsError {
    error("InvalidParameterValue", message)
}

impl State {
    pub(super) fn perform(&mut self, operation: &str, asked: &Value, now: Timestamp) -> SqsResult {
        match operation {
            "CreateQueue" => self.create_queue(asked),
            "GetQueueUrl" => self.get_queue_url(asked),
            "GetQueueAttributes" => self.get_queue_attributes(asked, now),
            "SendMessage" => self.send_message(asked, now),
            "SendMessageBatch" => self.send_message_batch(asked, now),
            "ReceiveMessage" => self.receive_message(asked, now),
            "DeleteMessage" => self.delete_message(asked),
            "DeleteMessageBatch" => self.delete_message_batch(asked),
            "ChangeMessageVisibility" => self.change_message_visibility(asked, now),
            other => Err(error("InvalidAction", format!("the emulated SQS has no {other}"))),
        }
    }

    /// Returns the name of the queue that a request is for.
    fn name(&self, asked: &Value) -> Result<String, SqsError> {
        let url = asked["QueueUrl"].as_str().unwrap_or_default();
        let name = url.strip_prefix(URLS).unwrap_or_default();
        if self.queues.contains_key(name) {
            return Ok(name.to_owned());
        }
        Err(error("QueueDoesNotExist", "The specified queue does not exist."))
    }

    fn queue(&mut self, asked: &Value) -> Result<&mut Queue, SqsError> {
        let name = self.name(asked)?;
        self.queues.get_mut(&name).ok_or_else(|| error("QueueDoesNotExist", name))
    }

    /// `CreateQueue`, with the attributes of [`QueueConfig`]. A queue that exists is kept.
    fn create_queue(&mut self, asked: &Value) -> SqsResult {
        let name = asked["QueueName"].as_str().unwrap_or_default().to_owned();
        let config = config(&asked["Attributes"])?;
        if config.fifo != name.strip_suffix(".fifo").is_some() {
            return Err(invalid("The name of a FIFO queue, and of no other, ends in '.fifo'."));
        }
        self.queues.entry(name.clone()).or_insert_with(|| Queue::new(config));
        Ok(json!({"QueueUrl": format!("{URLS}{name}")}))
    }

    /// `GetQueueUrl`, by the name of the queue.
    fn get_queue_url(&mut self, asked: &Value) -> SqsResult {
        let url = format!("{URLS}{}", asked["QueueName"].as_str().unwrap_or_default());
        self.name(&json!({"QueueUrl": url}))?;
        Ok(json!({"QueueUrl": url}))
    }

    /// `GetQueueAttributes`. The numbers of messages are exact here, and approximate on AWS.
    fn get_queue_attributes(&mut self, asked: &Value, now: Timestamp) -> SqsResult {
        let name = self.name(asked)?;
        let queue = self.queue(asked)?;
        let (mut visible, mut in_flight, mut delayed) = (0, 0, 0);
        for message in &queue.messages {
            let counter = match (message.visible_at <= now, &message.receipt) {
                (true, _) => &mut visible,
                (false, Some(_)) => &mut in_flight,
                (false, None) => &mut delayed,
            };
            *counter += 1;
        }
        let mut known = Map::new();
        let mut set = |name: &str, value: String| known.insert(name.to_owned(), json!(value));
        set("QueueArn", format!("{ARNS}{name}"));
        set("ApproximateNumberOfMessages", visible.to_string());
        set("ApproximateNumberOfMessagesNotVisible", in_flight.to_string());
        set("ApproximateNumberOfMessagesDelayed", delayed.to_string());
        set("VisibilityTimeout", queue.config.visibility_timeout.to_string());
        set("DelaySeconds", queue.config.delay_seconds.to_string());
        if queue.config.fifo {
            set("FifoQueue", "true".into());
        }
        let wanted = names(&asked["AttributeNames"]);
        known.retain(|name, _| wanted.iter().any(|wanted| wanted == "All" || wanted == name));
        Ok(json!({"Attributes": known}))
    }

    /// `SendMessage`: one message within the size limit.
    fn send_message(&mut self, asked: &Value, now: Timestamp) -> SqsResult {
        let name = self.name(asked)?;
        let size = size(asked);
        if size > MAX_BYTES {
            let limit = format!(
                "One or more parameters are invalid. Message must be shorter than {MAX_BYTES} bytes."
            );
            return Err(invalid(limit));
        }
        self.send(&name, asked, now)
    }

    /// `SendMessageBatch`: the limits of the batch fail the call, those of a message fail its entry.
    fn send_message_batch(&mut self, asked: &Value, now: Timestamp) -> SqsResult {
        let name = self.name(asked)?;
        let entries = batch_entries(asked)?;
        if entries.iter().map(size).sum::<usize>() > MAX_BYTES {
            let limit = format!("Batch requests cannot be longer than {MAX_BYTES} bytes.");
            return Err(error("BatchRequestTooLong", limit));
        }
        let mut results = BatchResults::default();
        for entry in &entries {
            let sent = self.send(&name, entry, now);
            results.add(entry, sent);
        }
        Ok(results.into_answer())
    }

    fn send(&mut self, name: &str, asked: &Value, now: Timestamp) -> SqsResult {
        let Some(queue) = self.queues.get(name) else {
            return Err(error("QueueDoesNotExist", name));
        };
        let mut message = new_message(&queue.config, asked, now)?;
        message.id = self.issue("message");
        message.sequence = self.issued;
        let fifo = message.group.is_some();
        let queue = self.queues.get_mut(name).ok_or_else(|| error("QueueDoesNotExist", name))?;
        let (id, sequence) = queue.add(message, now);
        let mut answer = json!({"MessageId": id});
        if fifo {
            answer["SequenceNumber"] = json!(format!("{sequence:020}"));
        }
        Ok(answer)
    }

    /// `ReceiveMessage`, as a short poll: `WaitTimeSeconds` is ignored.
    fn receive_message(&mut self, asked: &Value, now: Timestamp) -> SqsResult {
        let name = self.name(asked)?;
        let limit = asked["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if !(1..=MAX_BATCH).contains(&limit) {
            return Err(invalid("MaxNumberOfMessages must be between 1 and 10."));
        }
        let mut system = names(&asked["AttributeNames"]);
        system.extend(names(&asked["MessageSystemAttributeNames"]));
        let custom = names(&asked["MessageAttributeNames"]);
        let wants = |wanted: &[String], name: &str| {
            wanted.iter().any(|wanted| wanted == "All" || wanted == ".*" || wanted == name)
        };
        let visibility = asked["VisibilityTimeout"].as_i64();
        let mut messages = Vec::new();
        for message in self.receive(&name, limit, false, visibility, now) {
            let mut attributes = system_attributes(&message);
            attributes.retain(|name, _| wants(&system, name));
            let mut own = message.attributes;
            own.retain(|name, _| wants(&custom, name));
            messages.push(json!({
                "MessageId": message.id,
                "ReceiptHandle": message.receipt,
                "Body": message.body,
                "Attributes": attributes,
                "MessageAttributes": own,
            }));
        }
        Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
    }

    /// `DeleteMessage`. A message that is gone is deleted successfully. Assumption: so is one whose handle
    /// has expired, as on standard queues; FIFO queues may refuse it.
    fn delete_message(&mut self, asked: &Value) -> SqsResult {
        let name = self.name(asked)?;
        self.delete(&name, asked["ReceiptHandle"].as_str().unwrap_or_default());
        Ok(json!({}))
    }

    /// `DeleteMessageBatch`: every entry succeeds.
    fn delete_message_batch(&mut self, asked: &Value) -> SqsResult {
        let name = self.name(asked)?;
        let mut results = BatchResults::default();
        for entry in &batch_entries(asked)? {
            self.delete(&name, entry["ReceiptHandle"].as_str().unwrap_or_default());
            results.add(entry, Ok(json!({})));
        }
        Ok(results.into_answer())
    }

    /// `ChangeMessageVisibility`: counts from now, and 0 makes the message visible at once.
    fn change_message_visibility(&mut self, asked: &Value, now: Timestamp) -> SqsResult {
        let seconds = asked["VisibilityTimeout"].as_i64().unwrap_or(-1);
        if !(0..=MAX_VISIBILITY).contains(&seconds) {
            return Err(invalid("VisibilityTimeout must be between 0 and 43200 seconds."));
        }
        let receipt = asked["ReceiptHandle"].as_str().unwrap_or_default();
        let found = self.queue(asked)?.by_receipt(receipt);
        let message = found.ok_or_else(|| invalid("The receipt handle is not valid."))?;
        if message.visible_at <= now {
            return Err(error("MessageNotInflight", "The message is not in flight."));
        }
        message.visible_at = now + SignedDuration::from_secs(seconds);
        Ok(json!({}))
    }
}

/// Builds a message, without its id and number.
fn new_message(config: &QueueConfig, asked: &Value, now: Timestamp) -> Result<Message, SqsError> {
    let text = |name: &str| asked[name].as_str().map(str::to_owned);
    let body = text("MessageBody").unwrap_or_default();
    if body.is_empty() {
        return Err(error("MissingParameter", "The request must contain a message body."));
    }
    if !body.chars().all(is_accepted) {
        return Err(error("InvalidMessageContents", "The message contains invalid characters."));
    }
    let delay = asked["DelaySeconds"].as_i64();
    if delay.is_some_and(|delay| !(0..=MAX_DELAY).contains(&delay)) {
        return Err(invalid("DelaySeconds must be between 0 and 900 seconds."));
    }
    let (mut group, mut deduplication) = (text("MessageGroupId"), text("MessageDeduplicationId"));
    if config.fifo {
        // `SendMessage`, `DelaySeconds`: on a FIFO queue only the queue has a delay.
        if delay.is_some_and(|delay| delay > 0) {
            return Err(invalid("A FIFO queue has no delay per message."));
        }
        if group.is_none() {
            return Err(error("MissingParameter", "The request must contain a MessageGroupId."));
        }
        if deduplication.is_none() && config.content_based_deduplication {
            deduplication = Some(digest(&[&body]));
        }
        if deduplication.is_none() {
            return Err(invalid("The queue requires a MessageDeduplicationId."));
        }
    } else {
        // Assumption: fair queues are not emulated, so a group has no effect.
        (group, deduplication) = (None, None);
    }
    let delay = delay.unwrap_or(config.delay_seconds);
    Ok(Message {
        sequence: 0,
        id: String::new(),
        body,
        attributes: asked["MessageAttributes"].as_object().cloned().unwrap_or_default(),
        group,
        deduplication_id: deduplication,
        sent_at: now,
        first_received_at: None,
        receive_count: 0,
        visible_at: now + SignedDuration::from_secs(delay),
        receipt: None,
    })
}

/// Whether SQS accepts a character in a body. `SendMessage`, `MessageBody`; that others fail the call is
/// an assumption, for the documentation has said both.
fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The size of a message: its body and its attributes' names, types and values.
/// Source: SQS guide, "Amazon SQS message metadata".
fn size(asked: &Value) -> usize {
    let attributes = asked["MessageAttributes"].as_object();
    let sizes = attributes.into_iter().flatten().map(|(name, value)| {
        let length = |member: &str| value[member].as_str().unwrap_or_default().len();
        name.len() + length("DataType") + length("StringValue") + length("BinaryValue")
    });
    asked["MessageBody"].as_str().unwrap_or_default().len() + sizes.sum::<usize>()
}

fn names(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Returns the entries of a batch, after checking their number and ids.
fn batch_entries(asked: &Value) -> Result<Vec<Value>, SqsError> {
    let entries = asked["Entries"].as_array().cloned().unwrap_or_default();
    if entries.is_empty() {
        return Err(error("EmptyBatchRequest", "The batch request contains no entries."));
    }
    if entries.len() > MAX_BATCH {
        let limit = "Maximum number of entries per request are 10.";
        return Err(error("TooManyEntriesInBatchRequest", limit));
    }
    let mut ids: Vec<&str> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    let plain = |id: &&str| {
        let accepted = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=80).contains(&id.len()) && id.chars().all(accepted)
    };
    if !ids.iter().all(plain) {
        return Err(error("InvalidBatchEntryId", "The Id of a batch entry is not valid."));
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(error(
            "BatchEntryIdsNotDistinct",
            "Two or more batch entries have the same Id.",
        ));
    }
    Ok(entries)
}

#[derive(Debug, Default)]
struct BatchResults {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl BatchResults {
    fn add(&mut self, entry: &Value, result: SqsResult) {
        match result {
            Ok(mut answer) => {
                answer["Id"] = entry["Id"].clone();
                self.successful.push(answer);
            }
            Err(SqsError { code, message }) => self.failed.push(json!({
                "Id": entry["Id"], "Code": code, "Message": message, "SenderFault": true,
            })),
        }
    }

    fn into_answer(self) -> Value {
        json!({"Successful": self.successful, "Failed": self.failed})
    }
}

/// Reads the attributes of `CreateQueue`; others than those of [`QueueConfig`] are ignored.
fn config(attributes: &Value) -> Result<QueueConfig, SqsError> {
    let text = |name: &str| attributes[name].as_str();
    let number = |name: &str, default: i64| match text(name) {
        None => Ok(default),
        Some(value) => value.parse().map_err(|_| invalid(format!("{name} is not a number"))),
    };
    let defaults = QueueConfig::default();
    let redrive = match text("RedrivePolicy") {
        None => None,
        Some(policy) => {
            let policy: Value =
                serde_json::from_str(policy).map_err(|_| invalid("RedrivePolicy is not JSON"))?;
            let limit = &policy["maxReceiveCount"];
            let limit = limit.as_u64().or_else(|| limit.as_str()?.parse().ok());
            let arn = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
            let dead = arn.strip_prefix(ARNS).unwrap_or_default().to_owned();
            Some((dead, u32::try_from(limit.unwrap_or(1)).unwrap_or(u32::MAX)))
        }
    };
    Ok(QueueConfig {
        fifo: text("FifoQueue") == Some("true"),
        visibility_timeout: number("VisibilityTimeout", defaults.visibility_timeout)?,
        delay_seconds: number("DelaySeconds", defaults.delay_seconds)?,
        content_based_deduplication: text("ContentBasedDeduplication") == Some("true"),
        deduplicates_by_group: text("DeduplicationScope") == Some("messageGroup"),
        redrive,
    })
}
