//! Relayed files: private files that Trunkline fetches for their recipients.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, EventId, FileId, PlatformId, digest};

/// The largest number of private files of one message that are relayed.
pub const MAX_RELAYED_FILES: usize = 10;

/// A private file that is fetched with the credentials of the connection that sent it, and handed on as a
/// link of Trunkline's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayedFile {
    pub id: FileId,
    /// The platform of `source`, whose worker fetches the file.
    pub platform: PlatformId,
    /// The connection that sent the file.
    pub source: ConnectionId,
    /// The URL at the source, which needs its credentials.
    pub url: String,
    /// The name that the recipient sees. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The MIME type. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The conversation of the message.
    pub key: ConversationKey,
    /// The message that contains the file.
    pub event: EventId,
    /// The time that identifies the message together with its id; `None` if the id alone does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Timestamp>,
    /// The number of private files in the message.
    pub count: usize,
    pub created_at: Timestamp,
    /// When the link and the stored file end.
    pub expires_at: Timestamp,
    /// How often it was fetched, or the attempt was begun.
    #[serde(default)]
    pub attempts: u32,
    pub state: FileState,
}

/// How far a relayed file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FileState {
    /// It has not been fetched yet.
    Pending,
    /// The bucket contains it.
    Ready {
        /// Size, in bytes.
        size: u64,
    },
    /// It is not delivered, for this reason.
    Failed { reason: String },
}

impl FileId {
    /// Returns the id of the private file with this number in a message. A repeated message has the same.
    #[must_use]
    pub fn of_message(
        key: &ConversationKey,
        from: &ConnectionId,
        event: &EventId,
        number: usize,
    ) -> Self {
        let message = [key.channel.as_str(), &key.customer, from.as_str(), event.as_str()];
        format!("{}.{number}", digest(&message)).into()
    }

    /// Returns the id of another file of the same message.
    #[must_use]
    pub fn sibling(&self, number: usize) -> Self {
        format!("{}.{number}", self.message()).into()
    }

    /// Returns the SQS message group in which the files of the message are fetched, one after the other.
    #[must_use]
    pub fn message_group(&self) -> String {
        format!("file#{}", self.message())
    }

    /// The digest of the message.
    fn message(&self) -> &str {
        self.as_str().split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_message_share_a_group() {
        let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "c".into() };
        let event = EventId::from_parts(&["m", "1"]);
        let of = |number| FileId::of_message(&key, &"desk".parse().unwrap(), &event, number);
        assert_eq!(of(0), of(0));
        assert_eq!(of(0).sibling(3), of(3));
        assert_eq!(of(0).message_group(), of(9).message_group());
    }
}
