//! A queue message: body, attributes, message group and deduplication id.

use std::collections::HashMap;

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends as SystemName,
    MessageSystemAttributeValue as SystemValue,
};

use super::{MAX_ENTRIES, MAX_MESSAGE, QueueError, TRACE_ATTRIBUTE, charset};
use crate::error::Cause;
use trunkline_core::model::{Job, PlatformId, Trace};

pub(super) type Attributes = HashMap<String, MessageAttributeValue>;
type SystemAttributes = HashMap<SystemName, SystemValue>;

/// A message ready to be sent to a platform's FIFO queue.
#[derive(Debug, Clone)]
pub struct QueueMessage {
    pub(super) platform: PlatformId,
    pub(super) group: String,
    pub(super) id: String,
    pub(super) body: String,
    pub(super) trace: Option<Trace>,
}

impl QueueMessage {
    /// Builds a message from its parts, such as a dead letter.
    #[must_use]
    pub fn raw(platform: PlatformId, group: String, id: String, body: String) -> Self {
        Self { platform, group, id, body, trace: None }
    }

    /// The platform whose queue the message is for.
    #[must_use]
    pub fn platform(&self) -> PlatformId {
        self.platform
    }

    /// The SQS message group: the leg.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Builds the message of a job. Its `id` must be new: SQS drops a message whose id it has seen.
    ///
    /// # Errors
    /// If the message is too large.
    pub fn new(
        platform: PlatformId,
        group: String,
        id: String,
        job: &Job,
    ) -> Result<Self, QueueError> {
        let body = serde_json::to_string(job)
            .map_err(|e| QueueError::Serialize { cause: Cause::new(e) })?;
        let body = charset::escape_json(body);
        if body.len() > MAX_MESSAGE {
            return Err(QueueError::TooLarge { size: body.len() });
        }
        let trace = match job {
            Job::Deliver(delivery) => delivery.event.trace,
            _ => None,
        };
        Ok(Self { platform, group, id, body, trace })
    }

    /// Returns the message attributes: the trace, for tools that follow a message through the queue.
    pub(super) fn attributes(&self) -> Option<Attributes> {
        let trace = self.trace?.to_string();
        Some(HashMap::from([(TRACE_ATTRIBUTE.to_owned(), text_attribute(&trace)?)]))
    }

    /// Returns the system attributes: the X-Ray trace header, if the trace is sampled.
    pub(super) fn system_attributes(&self) -> Option<SystemAttributes> {
        let trace = self.trace.filter(|trace| trace.is_sampled())?;
        let value =
            SystemValue::builder().data_type("String").string_value(trace.to_lambda_header());
        Some(HashMap::from([(SystemName::AwsTraceHeader, value.build().ok()?)]))
    }
}

/// Builds a string attribute.
pub(super) fn text_attribute(value: &str) -> Option<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().ok()
}

/// Splits messages into batches for `SendMessageBatch`: at most ten messages and [`MAX_MESSAGE`] bytes each.
pub(super) fn batches(messages: Vec<QueueMessage>) -> Vec<Vec<QueueMessage>> {
    let mut batches: Vec<(usize, Vec<QueueMessage>)> = Vec::new();
    for message in messages {
        let size = message.body.len();
        match batches.last_mut() {
            Some((sum, batch)) if batch.len() < MAX_ENTRIES && *sum + size <= MAX_MESSAGE => {
                *sum += size;
                batch.push(message);
            }
            _ => batches.push((size, vec![message])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_respect_the_limits_of_one_call() {
        let message = |size| {
            let (group, id) = (String::new(), String::new());
            QueueMessage::raw(PlatformId::from_static("fax"), group, id, "x".repeat(size))
        };
        let sizes = |messages: Vec<QueueMessage>| {
            batches(messages).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Vec::new()), [0_usize; 0]);
        assert_eq!(sizes((0..23).map(|_| message(100)).collect()), [10, 10, 3]);
        assert_eq!(sizes((0..3).map(|_| message(MAX_MESSAGE / 2)).collect()), [2, 1]);
        assert_eq!(sizes(vec![message(MAX_MESSAGE), message(1)]), [1, 1]);
    }
}
