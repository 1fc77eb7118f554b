//! A message as it will be queued.

use std::collections::HashMap;

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends as SystemName,
    MessageSystemAttributeValue as SystemValue,
};

use super::{MAX_MESSAGE, QueueError, TRACE, charset};
use crate::model::{Job, Platform, Trace};

type Attributes = HashMap<String, MessageAttributeValue>;
type SystemAttributes = HashMap<SystemName, SystemValue>;

/// A message ready to be queued.
#[derive(Debug, Clone)]
pub struct Packed {
    pub(super) platform: Platform,
    pub(super) group: String,
    pub(super) id: String,
    pub(super) body: String,
    pub(super) trace: Option<Trace>,
}

impl Packed {
    /// A message as it stood in a queue.
    #[must_use]
    pub fn raw(platform: Platform, group: String, id: String, body: String) -> Self {
        Self { platform, group, id, body, trace: None }
    }

    /// Its platform, which tells the queue.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// Its message group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    pub(super) fn new(
        platform: Platform,
        group: String,
        id: String,
        job: &Job,
    ) -> Result<Self, QueueError> {
        let body = serde_json::to_string(job).map_err(|e| QueueError::Unwritable(e.to_string()))?;
        let body = charset::json(body);
        if body.len() > MAX_MESSAGE {
            return Err(QueueError::TooLarge { size: body.len() });
        }
        let trace = match job {
            Job::Deliver(delivery) => delivery.event.trace,
            _ => None,
        };
        Ok(Self { platform, group, id, body, trace })
    }

    /// Its attributes: where in a trace it is, for whoever follows it by the queue.
    pub(super) fn attributes(&self) -> Option<Attributes> {
        let trace = self.trace?.to_string();
        Some(HashMap::from([(TRACE.to_owned(), text(&trace)?)]))
    }

    /// What AWS itself hands on: its own trace, if it records one.
    pub(super) fn system_attributes(&self) -> Option<SystemAttributes> {
        let trace = self.trace.filter(|trace| trace.is_sampled())?;
        let value = SystemValue::builder().data_type("String").string_value(trace.to_lambda());
        Some(HashMap::from([(SystemName::AwsTraceHeader, value.build().ok()?)]))
    }
}

/// A text as an attribute.
pub(super) fn text(value: &str) -> Option<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().ok()
}

/// As many as fit into one call each: ten, and no more in all than fits into one message.
pub(super) fn batches(messages: Vec<Packed>) -> Vec<Vec<Packed>> {
    const MOST: usize = 10;
    let mut batches: Vec<(usize, Vec<Packed>)> = Vec::new();
    for message in messages {
        let size = message.body.len();
        match batches.last_mut() {
            Some((sum, batch)) if batch.len() < MOST && *sum + size <= MAX_MESSAGE => {
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
    fn what_is_sent_at_once_fits_into_one_call() {
        let message = |size| {
            let (group, id) = (String::new(), String::new());
            Packed::raw(Platform::Webhook, group, id, "x".repeat(size))
        };
        let sizes =
            |messages: Vec<Packed>| batches(messages).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Vec::new()), [0_usize; 0]);
        assert_eq!(sizes((0..23).map(|_| message(100)).collect()), [10, 10, 3]);
        assert_eq!(sizes((0..3).map(|_| message(MAX_MESSAGE / 2)).collect()), [2, 1]);
        assert_eq!(sizes(vec![message(MAX_MESSAGE), message(1)]), [1, 1]);
    }
}
