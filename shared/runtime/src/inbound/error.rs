//! Results and errors of ingesting an event.

use crate::error::BackendError;
use trunkline_core::model::{ConnectionId, ConversationId};
use trunkline_core::platform::InvalidSetting;
use trunkline_core::routing::Refusal;

/// An accepted event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// The id of its conversation; the sender's own id of it while the event is held for reordering.
    pub conversation: ConversationId,
    /// Whether it had been accepted before. A duplicate is answered like the first.
    pub duplicate: bool,
}

/// Why an event is rejected. Permanent: sending it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The switchboard refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// One of its deliveries does not fit into a queue message.
    #[error("the event is too large: its delivery has {size} bytes")]
    TooLarge {
        /// Size of the delivery, in bytes.
        size: usize,
    },
    /// Its JSON is nested too deep.
    #[error("the event is nested more than {} deep", super::limits::MAX_DEPTH)]
    TooDeep,
    /// The channel's data that is returned with each reply is too large.
    #[error("the channel's reply data ('origin') is larger than 16 KiB")]
    OriginTooLarge,
    /// The conversation id is empty or too long.
    #[error("a conversation id must have 1 to 512 bytes, this one has {0}")]
    ConversationIdLength(usize),
}

impl Rejection {
    /// Returns the machine-readable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::TooLarge { .. } | Self::OriginTooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::ConversationIdLength(_) => "bad_conversation_id",
        }
    }

    /// Whether the event is in the transcript although it was rejected.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::Refused(Refusal::NotOwner))
    }
}

/// Why an event was not ingested.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InboundError {
    /// The event is rejected. Permanent.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The table, a queue or the secrets failed. Internal: the platform may send the event again.
    #[error(transparent)]
    Backend(BackendError),
    /// Concurrent events kept changing the conversation. Internal and retryable.
    #[error("the conversation kept changing while the event was routed")]
    Contended,
    /// This version of Trunkline cannot use the connection's settings. An operator must correct them; until
    /// then the platform may send the event again.
    #[error("the connection {connection} is misconfigured: {source}")]
    Misconfigured { connection: ConnectionId, source: InvalidSetting },
}

crate::from_backend_errors!(InboundError);

impl InboundError {
    /// Whether a retry can succeed without a change by an operator.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rejected(_) | Self::Misconfigured { .. } => false,
            Self::Backend(error) => error.is_retryable(),
            Self::Contended => true,
        }
    }
}

impl From<Refusal> for InboundError {
    fn from(refusal: Refusal) -> Self {
        Self::Rejected(refusal.into())
    }
}
