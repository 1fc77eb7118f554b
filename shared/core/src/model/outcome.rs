//! The outcome of an attempt to send a delivery.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ExternalMessageId;

/// The result of an attempt, which determines the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The platform accepted it.
    Delivered,
    /// A temporary failure: the attempt is repeated.
    Retryable,
    /// A permanent failure: an operator must act.
    Permanent,
    /// The request was sent, but no response arrived: the platform may have accepted it.
    Unknown,
    /// Nothing was sent, because the platform has no equivalent. This is not a failure.
    Skipped,
    /// It waits in the table, in the order of its leg.
    Parked,
    /// All retries failed: an operator must act.
    Exhausted,
    /// An operator discarded it.
    Discarded,
}

/// The verdict of an attempt, with details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub verdict: Verdict,
    pub at: Timestamp,
    /// The platform's HTTP status. `None` without a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reason, for operators. `None` if delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The platform's id of the delivered message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_message_id: Option<ExternalMessageId>,
    /// The number of attempts so far.
    #[serde(default)]
    pub attempts: u32,
}

impl Verdict {
    /// Returns whether no further attempt follows.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Delivered
            | Self::Permanent
            | Self::Skipped
            | Self::Exhausted
            | Self::Discarded => true,
            Self::Retryable | Self::Unknown | Self::Parked => false,
        }
    }

    /// Returns whether an operator can replay the delivery.
    #[must_use]
    pub fn can_be_replayed(self) -> bool {
        matches!(self, Self::Permanent | Self::Exhausted)
    }
}
