//! What became of an attempt to deliver.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of one attempt, and so what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The platform has it.
    Delivered,
    /// Not now: try again.
    Retryable,
    /// Never: show it to a person.
    Permanent,
    /// The bytes went, the answer never came.
    Unknown,
    /// Nothing was sent, rightly: the platform has no form for it.
    Skipped,
    /// It waits in the table, in its leg's order.
    Parked,
    /// The retry schedule is used up: show it to a person.
    Exhausted,
    /// A person decided that it is not to be sent.
    Discarded,
}

/// An attempt's verdict with its particulars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
    /// The platform's HTTP status, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why, in words for an operator; absent where delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The platform's own id of what was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// How often it was attempted by then.
    #[serde(default)]
    pub attempts: u32,
}

impl Verdict {
    /// Whether nothing more will be tried.
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

    /// Whether a person may have it sent again.
    #[must_use]
    pub fn can_be_replayed(self) -> bool {
        matches!(self, Self::Permanent | Self::Exhausted)
    }
}
