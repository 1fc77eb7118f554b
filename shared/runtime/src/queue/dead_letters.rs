//! The dead-letter queues, which the scheduler reads.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use trunkline_core::model::PlatformId;

use super::{MAX_ENTRIES, QueueError, Queues, REASON_ATTRIBUTE, failed};

/// A message of a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadMessage {
    /// SQS's id of the message.
    pub id: String,
    /// When the message was sent to its first queue.
    pub sent_at: Option<Timestamp>,
    /// Why a worker gave it up; `None` if SQS moved it here after too many receives.
    pub reason: Option<String>,
    /// The message group: a leg.
    pub group: String,
    pub body: String,
    receipt: String,
}

impl Queues {
    /// Receives up to ten messages of a platform's dead-letter queue. They become visible again after a minute.
    ///
    /// # Errors
    /// If SQS does not answer, or the stack does not have the platform.
    pub async fn receive_dead_letters(
        &self,
        platform: PlatformId,
    ) -> Result<Vec<DeadMessage>, QueueError> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(self.urls.dead(platform))
            .max_number_of_messages(i32::try_from(MAX_ENTRIES).unwrap_or(1))
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names(REASON_ATTRIBUTE)
            .send()
            .await
            .map_err(|error| failed(platform, error))?;
        Ok(received.messages.unwrap_or_default().into_iter().map(DeadMessage::from).collect())
    }

    /// Deletes a message from a platform's dead-letter queue.
    ///
    /// # Errors
    /// If SQS does not answer.
    pub async fn delete_dead_letter(
        &self,
        platform: PlatformId,
        message: &DeadMessage,
    ) -> Result<(), QueueError> {
        let request = self.sqs.delete_message().queue_url(self.urls.dead(platform));
        let deleted = request.receipt_handle(&message.receipt).send().await;
        deleted.map(|_| ()).map_err(|error| failed(platform, error))
    }
}

impl From<Message> for DeadMessage {
    fn from(message: Message) -> Self {
        let system = |name| message.attributes.as_ref().and_then(|known| known.get(&name));
        let sent_at = system(MessageSystemAttributeName::SentTimestamp);
        let sent_at = sent_at.and_then(|millis| millis.parse().ok());
        let group = system(MessageSystemAttributeName::MessageGroupId);
        let reason = message.message_attributes.as_ref();
        let reason = reason.and_then(|known| known.get(REASON_ATTRIBUTE)?.string_value.clone());
        Self {
            sent_at: sent_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            reason,
            group: group.cloned().unwrap_or_default(),
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        }
    }
}
