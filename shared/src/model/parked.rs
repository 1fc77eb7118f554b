//! Deliveries that wait: for their connection, for their time, or for a person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Delivery, Outcome, Platform, Verdict};

/// A delivery that waits in its leg's order until it can be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// Its place in the leg's order.
    pub seq: u64,
    /// What waits.
    pub delivery: Delivery,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried next; absent while it waits for what is before it, or for its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How often it was attempted.
    pub attempts: u32,
    /// Why it waits.
    pub reason: String,
}

impl Parked {
    /// The outcome that stands on the event while it waits.
    #[must_use]
    pub fn outcome(&self, at: Timestamp) -> Outcome {
        Outcome {
            verdict: Verdict::Parked,
            at,
            status: None,
            reason: Some(self.reason.clone()),
            external_id: None,
            attempts: self.attempts,
        }
    }
}

/// A delivery that is not tried any more unless a person says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// What failed.
    pub delivery: Delivery,
    /// Since when.
    pub at: Timestamp,
    /// How often it was attempted.
    pub attempts: u32,
    /// Why it failed.
    pub reason: String,
}

/// A queue's message that our own side could not handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its id in the table.
    pub id: String,
    /// Whose queue it was in.
    pub platform: Platform,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Its message group.
    pub group: String,
    /// As it stood in the queue.
    pub body: String,
}
