//! The SQS queues: one outbound FIFO queue per platform with one message group per leg, the dead-letter
//! queues, the delayed queue of scheduled tasks, and the queues that start listeners.

mod chain;
mod charset;
mod dead_letters;
mod message;
mod urls;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::chain::{CHAIN_ATTRIBUTE, Chain};
pub use self::dead_letters::DeadMessage;
pub use self::message::QueueMessage;
use self::message::{Attributes, batches, text_attribute};
pub use self::urls::{InvalidTasksQueue, QueueUrls};
use crate::error::Cause;
use trunkline_core::model::{Delivery, Job, PlatformId, ScheduledTask};

/// Maximum size of a message, in bytes (SQS now accepts more; smaller messages cost less).
pub const MAX_MESSAGE: usize = 256 * 1024;

/// Message attribute with the reason why a message is in a dead-letter queue.
pub const REASON_ATTRIBUTE: &str = "reason";

/// Message attribute with the trace of a message (W3C Trace Context).
pub const TRACE_ATTRIBUTE: &str = "traceparent";

/// The maximum delay of an SQS message. Source: SQS API reference, `SendMessage`.
pub const MAX_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// The maximum number of messages that one call sends. Source: SQS API reference, `SendMessageBatch`.
const MAX_ENTRIES: usize = 10;

/// Why a message was not queued.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// The call to a platform's queue failed.
    #[error("the call to the {platform} queue failed: {cause}")]
    Unavailable {
        platform: PlatformId,
        /// Error of the AWS SDK, or the code and message of a rejected entry.
        #[source]
        cause: Cause,
    },
    /// The message is too large. Permanent.
    #[error("a message of {size} bytes exceeds the queue's limit of {MAX_MESSAGE} bytes")]
    TooLarge {
        /// Size of the message, in bytes.
        size: usize,
    },
    /// The stack has no queue for the platform. Permanent until the platform is deployed.
    #[error(
        "the stack does not have the platform {0}: deploy it with the parameter {parameter}=yes",
        parameter = deploying_parameter(*.0)
    )]
    NotDeployed(PlatformId),
    /// The call to the tasks queue failed.
    #[error("cannot schedule a task: {cause}")]
    Tasks {
        /// Error of the AWS SDK.
        #[source]
        cause: Cause,
    },
    /// The job or task cannot be serialized as JSON.
    #[error("cannot serialize a queue message: {cause}")]
    Serialize {
        #[source]
        cause: Cause,
    },
}

/// Returns the template's parameter that deploys a platform, for example `PlatformWebex`.
fn deploying_parameter(platform: PlatformId) -> String {
    let (first, rest) = platform.as_str().split_at(1);
    format!("Platform{}{rest}", first.to_ascii_uppercase())
}

/// The message that starts a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartListener {
    /// The listener that it replaces, which runs until the new one has the lease; `None` for a first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<String>,
}

/// Client of the stack's SQS queues.
#[derive(Debug, Clone)]
pub struct Queues {
    sqs: aws_sdk_sqs::Client,
    urls: Arc<QueueUrls>,
    chain: Chain,
}

impl Queues {
    /// Creates a client for the queues at these URLs.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, urls: QueueUrls) -> Self {
        Self { sqs, urls: Arc::new(urls), chain: Chain::default() }
    }

    /// The chain of messages that the running invocation belongs to.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Returns the attributes of a message that is sent now: its trace and its chain.
    fn attributes(&self, message: &QueueMessage) -> Option<Attributes> {
        let mut attributes = message.attributes();
        if let Some(chain) = self.chain_attribute() {
            attributes.get_or_insert_default().insert(CHAIN_ATTRIBUTE.to_owned(), chain);
        }
        attributes
    }

    fn chain_attribute(&self) -> Option<MessageAttributeValue> {
        let runs = Some(self.chain.runs()).filter(|runs| *runs > 0)?;
        text_attribute(&runs.to_string())
    }

    /// Builds the queue message of a delivery. A separate step, so that a delivery that does not fit is
    /// found before its event is accepted.
    ///
    /// # Errors
    /// If the message is too large.
    pub fn delivery_message(delivery: Delivery) -> Result<QueueMessage, QueueError> {
        let (platform, group, id) =
            (delivery.to.platform, delivery.leg().message_group(), delivery.id.clone().into());
        QueueMessage::new(platform, group, id, &Job::Deliver(Box::new(delivery)))
    }

    /// Queues any other job. Its `id` must be new: SQS drops a message whose id it has seen.
    pub async fn enqueue(
        &self,
        platform: PlatformId,
        group: String,
        id: String,
        job: &Job,
    ) -> Result<(), QueueError> {
        self.send(QueueMessage::new(platform, group, id, job)?).await
    }

    /// Sends a message and returns when SQS has stored it.
    pub async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let url = self.urls.outbound(message.platform);
        self.send_fifo(&url, message, None).await
    }

    /// Sends messages of one platform and of different groups, and returns when SQS has stored all.
    ///
    /// # Errors
    /// If SQS did not store all of them. Sending all again is safe: SQS drops ids that it has seen.
    pub async fn send_all(&self, messages: Vec<QueueMessage>) -> Result<(), QueueError> {
        for batch in batches(messages) {
            match <[QueueMessage; 1]>::try_from(batch) {
                Ok([only]) => self.send(only).await?,
                Err(several) => self.send_batch(several).await?,
            }
        }
        Ok(())
    }

    async fn send_batch(&self, messages: Vec<QueueMessage>) -> Result<(), QueueError> {
        let Some(platform) = messages.first().map(QueueMessage::platform) else { return Ok(()) };
        let mut call = self.sqs.send_message_batch().queue_url(self.urls.outbound(platform));
        for (index, message) in messages.into_iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .set_message_attributes(self.attributes(&message))
                .set_message_system_attributes(message.system_attributes())
                .message_group_id(message.group)
                .message_deduplication_id(message.id)
                .message_body(message.body)
                .build();
            let invalid = |error| QueueError::Unavailable { platform, cause: Cause::new(error) };
            call = call.entries(entry.map_err(invalid)?);
        }
        let sent = call.send().await.map_err(|error| failed(platform, error))?;
        refused_entry(&sent)
            .map_or(Ok(()), |cause| Err(QueueError::Unavailable { platform, cause }))
    }

    /// Moves a message that cannot be processed to the platform's dead-letter queue.
    pub async fn send_to_dlq(&self, message: QueueMessage, reason: &str) -> Result<(), QueueError> {
        let url = self.urls.dead(message.platform);
        self.send_fifo(&url, message, Some(reason)).await
    }

    async fn send_fifo(
        &self,
        url: &str,
        message: QueueMessage,
        reason: Option<&str>,
    ) -> Result<(), QueueError> {
        let platform = message.platform;
        let mut call = self
            .sqs
            .send_message()
            .queue_url(url)
            .set_message_attributes(self.attributes(&message))
            .set_message_system_attributes(message.system_attributes());
        if let Some(reason) =
            reason.and_then(|reason| text_attribute(&charset::replace_unsupported(reason)))
        {
            call = call.message_attributes(REASON_ATTRIBUTE, reason);
        }
        call.message_body(message.body)
            .message_group_id(message.group)
            .message_deduplication_id(message.id)
            .send()
            .await
            .map_err(|error| failed(platform, error))?;
        Ok(())
    }

    /// Puts a task into the delayed queue of tasks. One that is more than [`MAX_DELAY`] ahead arrives early: see
    /// [`schedule`](crate::schedule::schedule).
    pub async fn send_task(&self, task: &ScheduledTask, now: Timestamp) -> Result<(), QueueError> {
        self.sqs
            .send_message()
            .queue_url(self.urls.tasks())
            .delay_seconds(delay_seconds(task, now))
            .message_body(task_body(task)?)
            .set_message_attributes(self.chain_attributes())
            .send()
            .await
            .map_err(|error| QueueError::Tasks { cause: Cause::sdk(error) })?;
        Ok(())
    }

    /// Puts tasks into the delayed queue, ten in a call.
    ///
    /// # Errors
    /// If SQS did not store all of them. Sending all again is safe: a task that runs twice does nothing.
    pub async fn send_tasks(
        &self,
        tasks: &[ScheduledTask],
        now: Timestamp,
    ) -> Result<(), QueueError> {
        let failed = |cause: Cause| QueueError::Tasks { cause };
        for batch in tasks.chunks(MAX_ENTRIES) {
            let mut call = self.sqs.send_message_batch().queue_url(self.urls.tasks());
            for (index, task) in batch.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .delay_seconds(delay_seconds(task, now))
                    .set_message_attributes(self.chain_attributes())
                    .message_body(task_body(task)?);
                call = call.entries(entry.build().map_err(|error| failed(Cause::new(error)))?);
            }
            let sent = call.send().await.map_err(|error| failed(Cause::sdk(error)))?;
            refused_entry(&sent).map_or(Ok(()), |cause| Err(failed(cause)))?;
        }
        Ok(())
    }

    fn chain_attributes(&self) -> Option<Attributes> {
        Some(HashMap::from([(CHAIN_ATTRIBUTE.to_owned(), self.chain_attribute()?)]))
    }

    /// Starts a listener for a platform.
    pub async fn start_listener(
        &self,
        platform: PlatformId,
        start: &StartListener,
    ) -> Result<(), QueueError> {
        let url = self.urls.listen(platform);
        let body = serde_json::to_string(start)
            .map_err(|e| QueueError::Serialize { cause: Cause::new(e) })?;
        let call = self.sqs.send_message().queue_url(url).message_body(body);
        let call = call.set_message_attributes(self.chain_attributes());
        call.send().await.map_err(|error| failed(platform, error))?;
        Ok(())
    }

    /// Sets the visibility timeout of a received message: SQS hands it out again after `seconds`.
    pub async fn change_visibility(
        &self,
        platform: PlatformId,
        receipt: &str,
        seconds: u16,
    ) -> Result<(), QueueError> {
        self.sqs
            .change_message_visibility()
            .queue_url(self.urls.outbound(platform))
            .receipt_handle(receipt)
            .visibility_timeout(i32::from(seconds))
            .send()
            .await
            .map_err(|error| failed(platform, error))?;
        Ok(())
    }

    /// Returns the approximate number of messages in a platform's queues.
    pub async fn depth(&self, platform: PlatformId) -> Result<Depth, QueueError> {
        let (outbound, dead) = (self.urls.outbound(platform), self.urls.dead(platform));
        let (waiting, dead) =
            tokio::try_join!(self.sizes(platform, &outbound), self.sizes(platform, &dead))?;
        Ok(Depth { waiting: waiting.0, in_flight: waiting.1, dead: dead.0 + dead.1 })
    }

    /// Checks that the stack has the queues of a platform.
    ///
    /// # Errors
    /// [`QueueError::NotDeployed`] if it has not, [`QueueError::Unavailable`] if SQS does not answer.
    pub async fn check_deployed(&self, platform: PlatformId) -> Result<(), QueueError> {
        self.sizes(platform, &self.urls.outbound(platform)).await.map(|_| ())
    }

    async fn sizes(&self, platform: PlatformId, url: &str) -> Result<(u64, u64), QueueError> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let request = self.sqs.get_queue_attributes().queue_url(url);
        let response = request.attribute_names(Waiting).attribute_names(InFlight).send().await;
        let response = response.map_err(|error| failed(platform, error))?;
        let size = |name| {
            let value = response.attributes.as_ref().and_then(|known| known.get(&name));
            value.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        Ok((size(Waiting), size(InFlight)))
    }
}

/// Returns why SQS did not store an entry of a batch; `None` if it stored all.
fn refused_entry(sent: &SendMessageBatchOutput) -> Option<Cause> {
    let refused = sent.failed().first()?;
    let text = format!("{}: {}", refused.code(), refused.message().unwrap_or_default());
    Some(Cause::new(text))
}

/// Returns how long SQS is to delay a task, in seconds.
fn delay_seconds(task: &ScheduledTask, now: Timestamp) -> i32 {
    let wait = task.at().map_or(0.0, |at| at.duration_since(now).as_secs_f64().ceil());
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
    let seconds = wait.clamp(0.0, MAX_DELAY.as_secs_f64()) as i32;
    seconds
}

fn task_body(task: &ScheduledTask) -> Result<String, QueueError> {
    let body =
        serde_json::to_string(task).map_err(|e| QueueError::Serialize { cause: Cause::new(e) })?;
    Ok(charset::escape_json(body))
}

/// Codes of the error that a queue does not exist: of the JSON protocol, and of the older query protocol.
const NO_SUCH_QUEUE: [&str; 2] = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

fn failed<E, R>(platform: PlatformId, error: SdkError<E, R>) -> QueueError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    if code.is_some_and(|code| NO_SUCH_QUEUE.contains(&code)) {
        return QueueError::NotDeployed(platform);
    }
    QueueError::Unavailable { platform, cause: Cause::sdk(error) }
}

/// Approximate number of messages in a platform's queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait to be received.
    pub waiting: u64,
    /// Messages that are being processed.
    pub in_flight: u64,
    /// Messages in the dead-letter queue.
    pub dead: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_queue_names_the_parameter() {
        assert_eq!(
            QueueError::NotDeployed(PlatformId::from_static("fax")).to_string(),
            "the stack does not have the platform fax: deploy it with the parameter PlatformFax=yes"
        );
    }
}
