//! The outbound queues: one SQS FIFO queue a platform, one message group a leg.

mod charset;
mod message;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::packed::Packed;
use self::packed::{batches, text};
use crate::model::{Delivery, Job, Platform, Wake};

/// What fits into a message, in bytes (SQS takes more by now; smaller messages cost less).
pub const MAX_MESSAGE: usize = 256 * 1024;

/// The message attribute that says why a message is in a dead-letter queue.
pub const REASON: &str = "reason";

/// The message attribute that says where in a trace a message is (W3C trace context).
pub const TRACE: &str = "traceparent";

/// The longest delay of a message, in seconds.
const LONGEST_DELAY: f64 = 900.0;

/// Why something was not queued.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// SQS did not take it. Ours: worth another try.
    #[error("the {platform} queue did not take a message: {cause}")]
    Unavailable {
        /// Whose queue.
        platform: Platform,
        /// What SQS said.
        cause: String,
    },
    /// It does not fit. Permanent.
    #[error("a delivery of {size} bytes does not fit into the queue's {MAX_MESSAGE}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// The template gives the platform no queue. Ours.
    #[error("the platform {0} has no queue: add it to TRUNKLINE_QUEUES in template.yaml")]
    NoQueue(Platform),
    /// SQS did not take a note to ourselves. Ours: worth another try.
    #[error("the wake queue did not take a note: {0}")]
    Wake(String),
    /// It cannot be written as JSON. Ours.
    #[error("a job cannot be written: {0}")]
    Unwritable(String),
}

/// Why the queues' addresses cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the queues' addresses must be JSON as the template writes it: {0}")]
pub struct BadQueues(String);

/// The queues' addresses, as the template writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Urls {
    /// The outbound FIFO queues.
    pub outbound: HashMap<Platform, String>,
    /// Their dead-letter queues.
    pub dead: HashMap<Platform, String>,
    /// The delayed queue of notes to ourselves.
    pub wake: String,
    /// The queues by which listeners are started.
    #[serde(default)]
    pub listen: HashMap<Platform, String>,
}

impl FromStr for Urls {
    type Err = BadQueues;
    fn from_str(text: &str) -> Result<Self, BadQueues> {
        serde_json::from_str(text).map_err(|error| BadQueues(error.to_string()))
    }
}

/// What starts a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// Whom it follows, who goes on until it has taken over; nobody, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
}

/// The queues.
#[derive(Debug, Clone)]
pub struct Queues {
    sqs: aws_sdk_sqs::Client,
    urls: Arc<Urls>,
}

impl Queues {
    /// The queues at these addresses.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, urls: Urls) -> Self {
        Self { sqs, urls: Arc::new(urls) }
    }

    /// Writes a delivery as it will be queued, so that one that does not fit is seen before anything
    /// is accepted.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn pack(delivery: Delivery) -> Result<Packed, QueueError> {
        let (platform, group, id) =
            (delivery.to.platform, delivery.leg().group(), delivery.id.clone());
        Packed::new(platform, group, id, &Job::Deliver(Box::new(delivery)))
    }

    /// Queues any other order. Its `id` must be new: the queue drops what it has seen.
    ///
    /// # Errors
    /// If it cannot be written, or the queue did not take it.
    pub async fn order(
        &self,
        platform: Platform,
        group: String,
        id: String,
        job: &Job,
    ) -> Result<(), QueueError> {
        self.send(Packed::new(platform, group, id, job)?).await
    }

    /// Queues a message; returns when the queue has it for good.
    ///
    /// # Errors
    /// If the queue did not take it.
    pub async fn send(&self, packed: Packed) -> Result<(), QueueError> {
        let url = self.url(packed.platform)?;
        self.send_fifo(url, packed, None).await
    }

    /// Queues messages of one platform and of different groups; returns when the queue has them all for
    /// good. Where it has some of them only that is an error: what is sent again is dropped by their ids.
    ///
    /// # Errors
    /// If the queue did not take all.
    pub async fn send_all(&self, messages: Vec<Packed>) -> Result<(), QueueError> {
        for calls in batches(messages) {
            match <[Packed; 1]>::try_from(calls) {
                Ok([only]) => self.send(only).await?,
                Err(several) => self.send_batch(several).await?,
            }
        }
        Ok(())
    }

    async fn send_batch(&self, messages: Vec<Packed>) -> Result<(), QueueError> {
        let Some(platform) = messages.first().map(Packed::platform) else { return Ok(()) };
        let mut call = self.sqs.send_message_batch().queue_url(self.url(platform)?);
        for (place, packed) in messages.into_iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .set_message_attributes(packed.attributes())
                .set_message_system_attributes(packed.system_attributes())
                .message_group_id(packed.group)
                .message_deduplication_id(packed.id)
                .message_body(packed.body)
                .build();
            call = call.entries(entry.map_err(|error| unavailable(platform, &error))?);
        }
        let answer = call.send().await.map_err(|error| unavailable(platform, &error))?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => {
                let cause = format!("{}: {}", failed.code(), failed.message().unwrap_or_default());
                Err(QueueError::Unavailable { platform, cause })
            }
        }
    }

    /// Puts a message that we cannot handle where a person sees it.
    ///
    /// # Errors
    /// If the queue did not take it.
    pub async fn bury(&self, packed: Packed, reason: &str) -> Result<(), QueueError> {
        let url = self.urls.dead.get(&packed.platform);
        let url = url.ok_or(QueueError::NoQueue(packed.platform))?;
        self.send_fifo(url, packed, Some(reason)).await
    }

    async fn send_fifo(
        &self,
        url: &str,
        packed: Packed,
        reason: Option<&str>,
    ) -> Result<(), QueueError> {
        let platform = packed.platform;
        let mut call = self
            .sqs
            .send_message()
            .queue_url(url)
            .set_message_attributes(packed.attributes())
            .set_message_system_attributes(packed.system_attributes());
        if let Some(reason) = reason.and_then(|reason| text(&charset::text(reason))) {
            call = call.message_attributes(REASON, reason);
        }
        call.message_body(packed.body)
            .message_group_id(packed.group)
            .message_deduplication_id(packed.id)
            .send()
            .await
            .map_err(|error| unavailable(platform, &error))?;
        Ok(())
    }

    /// Leaves a note to ourselves, to be read at its time or, if that is more than a quarter of an
    /// hour ahead, by then: whoever reads it too early leaves it again.
    ///
    /// # Errors
    /// If the queue did not take it.
    pub async fn wake(&self, wake: &Wake, now: Timestamp) -> Result<(), QueueError> {
        let wait = wake.at().map_or(0.0, |at| at.duration_since(now).as_secs_f64().ceil());
        #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
        let seconds = wait.clamp(0.0, LONGEST_DELAY) as i32;
        let body =
            serde_json::to_string(wake).map_err(|e| QueueError::Unwritable(e.to_string()))?;
        let body = charset::json(body);
        self.sqs
            .send_message()
            .queue_url(&self.urls.wake)
            .delay_seconds(seconds)
            .message_body(body)
            .send()
            .await
            .map_err(|error| QueueError::Wake(DisplayErrorContext(&error).to_string()))?;
        Ok(())
    }

    /// Starts a listener of a platform.
    ///
    /// # Errors
    /// If the queue did not take it.
    pub async fn listen(&self, platform: Platform, listen: &Listen) -> Result<(), QueueError> {
        let url = self.urls.listen.get(&platform).ok_or(QueueError::NoQueue(platform))?;
        let body =
            serde_json::to_string(listen).map_err(|e| QueueError::Unwritable(e.to_string()))?;
        let call = self.sqs.send_message().queue_url(url).message_body(body);
        call.send().await.map_err(|error| unavailable(platform, &error))?;
        Ok(())
    }

    /// Hides a received message for `seconds` more, after which it is received again.
    ///
    /// # Errors
    /// If the queue did not do so.
    pub async fn postpone(
        &self,
        platform: Platform,
        receipt: &str,
        seconds: u16,
    ) -> Result<(), QueueError> {
        self.sqs
            .change_message_visibility()
            .queue_url(self.url(platform)?)
            .receipt_handle(receipt)
            .visibility_timeout(i32::from(seconds))
            .send()
            .await
            .map_err(|error| unavailable(platform, &error))?;
        Ok(())
    }

    /// How full a platform's queues are, about.
    ///
    /// # Errors
    /// If SQS does not say so.
    pub async fn depth(&self, platform: Platform) -> Result<Depth, QueueError> {
        let dead = self.urls.dead.get(&platform).ok_or(QueueError::NoQueue(platform))?;
        let (waiting, dead) = tokio::try_join!(
            self.sizes(platform, self.url(platform)?),
            self.sizes(platform, dead)
        )?;
        Ok(Depth { waiting: waiting.0, in_flight: waiting.1, dead: dead.0 + dead.1 })
    }

    async fn sizes(&self, platform: Platform, url: &str) -> Result<(u64, u64), QueueError> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let asked = self.sqs.get_queue_attributes().queue_url(url);
        let answer = asked.attribute_names(Waiting).attribute_names(InFlight).send().await;
        let answer = answer.map_err(|error| unavailable(platform, &error))?;
        let size = |name| {
            let value = answer.attributes.as_ref().and_then(|known| known.get(&name));
            value.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        Ok((size(Waiting), size(InFlight)))
    }

    fn url(&self, platform: Platform) -> Result<&str, QueueError> {
        self.urls.outbound.get(&platform).map(String::as_str).ok_or(QueueError::NoQueue(platform))
    }
}

fn unavailable(platform: Platform, error: &(impl std::error::Error + 'static)) -> QueueError {
    QueueError::Unavailable { platform, cause: DisplayErrorContext(error).to_string() }
}

/// How full a platform's queues are, about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// What waits to be received.
    pub waiting: u64,
    /// What is being worked on.
    pub in_flight: u64,
    /// What is in the dead-letter queue.
    pub dead: u64,
}
