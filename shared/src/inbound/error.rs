//! What became of an event, or why it is not taken.

use crate::queue::QueueError;
use crate::routing::Refusal;
use crate::secrets::SecretsError;
use crate::store::StoreError;

/// An event that is now ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its conversation's id, or as the sender knows it while it is held back.
    pub conversation: String,
    /// Whether it had been taken before. A duplicate is answered like its first.
    pub duplicate: bool,
}

/// Why an event is not taken. Permanent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The switchboard refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What it would become does not fit into a queue's message.
    #[error("the event is too large once unpacked: {size} bytes")]
    TooLarge {
        /// The size in bytes.
        size: usize,
    },
    /// It is nested too deep.
    #[error("the event is nested more than {} deep", super::limits::MAX_DEPTH)]
    TooDeep,
    /// What is to be brought back with each answer is too large.
    #[error("what the channel knows the chat by is larger than 16 KiB")]
    Origin,
    /// The conversation's id is empty or too long.
    #[error("a conversation's id has 1 to 512 bytes, this one {0}")]
    ConversationId(usize),
}

impl Rejection {
    /// A short word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::TooLarge { .. } | Self::Origin => "too_large",
            Self::TooDeep => "too_deep",
            Self::ConversationId(_) => "bad_conversation_id",
        }
    }

    /// Whether the event stands in the transcript all the same.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::Refused(Refusal::NotOwner))
    }
}

/// Why an event is not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// Permanent: sending it again changes nothing.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Ours: the table. Sending it again may help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ours: a queue. Sending it again may help.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Ours: the secrets. Sending it again may help.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Ours: many changes of one conversation at once. Sending it again may help.
    #[error("the conversation changed again and again while the event was decided on")]
    Contended,
}

impl From<Refusal> for IntakeError {
    fn from(refusal: Refusal) -> Self {
        Self::Rejected(refusal.into())
    }
}
