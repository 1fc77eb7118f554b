//! The outbound queues: one SQS FIFO queue a platform, one message group a leg.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::error::DisplayErrorContext;

use crate::model::{Delivery, Job, Platform};

/// What fits into a message, in bytes (SQS takes more by now; smaller messages cost less).
pub const MAX_MESSAGE: usize = 256 * 1024;

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
    /// It cannot be written as JSON. Ours.
    #[error("a job cannot be written: {0}")]
    Unwritable(String),
}

/// Why the queues' addresses cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the queues' addresses must be a JSON object of platform and URL: {0}")]
pub struct BadQueues(String);

/// The outbound queues by platform.
#[derive(Debug, Clone)]
pub struct Queues {
    sqs: aws_sdk_sqs::Client,
    urls: Arc<HashMap<Platform, String>>,
}

impl Queues {
    /// The queues named in `urls`, a JSON object of platform and URL.
    ///
    /// # Errors
    /// If `urls` is not that.
    pub fn new(sqs: aws_sdk_sqs::Client, urls: &str) -> Result<Self, BadQueues> {
        let urls = serde_json::from_str(urls).map_err(|error| BadQueues(error.to_string()))?;
        Ok(Self { sqs, urls: Arc::new(urls) })
    }

    /// Writes a delivery as it will be queued, so that one that does not fit is seen before anything
    /// is accepted.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn pack(delivery: Delivery) -> Result<Packed, QueueError> {
        let (platform, group, id) = (delivery.to.platform, delivery.group(), delivery.id.clone());
        Packed::new(platform, group, id, &Job::Deliver(Box::new(delivery)))
    }

    /// Writes the order to verify a connection.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn pack_verification(
        platform: Platform,
        id: String,
        job: &Job,
    ) -> Result<Packed, QueueError> {
        Packed::new(platform, format!("verify-{id}"), id, job)
    }

    /// Queues a message; returns when the queue has it for good.
    ///
    /// # Errors
    /// If the queue did not take it.
    pub async fn send(&self, packed: Packed) -> Result<(), QueueError> {
        let Packed { platform, group, id, body } = packed;
        self.sqs
            .send_message()
            .queue_url(self.url(platform)?)
            .message_group_id(group)
            .message_deduplication_id(id)
            .message_body(body)
            .send()
            .await
            .map_err(|error| unavailable(platform, &error))?;
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

    fn url(&self, platform: Platform) -> Result<&str, QueueError> {
        self.urls.get(&platform).map(String::as_str).ok_or(QueueError::NoQueue(platform))
    }
}

fn unavailable(platform: Platform, error: &(impl std::error::Error + 'static)) -> QueueError {
    QueueError::Unavailable { platform, cause: DisplayErrorContext(error).to_string() }
}

/// A message ready to be queued.
#[derive(Debug, Clone)]
pub struct Packed {
    platform: Platform,
    group: String,
    id: String,
    body: String,
}

impl Packed {
    fn new(platform: Platform, group: String, id: String, job: &Job) -> Result<Self, QueueError> {
        let body = serde_json::to_string(job).map_err(|e| QueueError::Unwritable(e.to_string()))?;
        if body.len() > MAX_MESSAGE {
            return Err(QueueError::TooLarge { size: body.len() });
        }
        Ok(Self { platform, group, id, body })
    }
}
