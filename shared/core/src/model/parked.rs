//! Deliveries that wait for their connection, for their next attempt, or for an operator.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Delivery, Outcome, PlatformId, Verdict};

/// A delivery that waits, in the order of its leg, until it can be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// The sequence number on the leg.
    pub seq: u64,
    pub delivery: Delivery,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// When it is attempted next. `None` while it waits for earlier deliveries or for its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The number of attempts so far.
    pub attempts: u32,
    pub reason: String,
}

impl Parked {
    /// Returns the outcome to record on the event while the delivery waits.
    #[must_use]
    pub fn outcome(&self, at: Timestamp) -> Outcome {
        Outcome {
            verdict: Verdict::Parked,
            at,
            status: None,
            reason: Some(self.reason.clone()),
            external_message_id: None,
            attempts: self.attempts,
        }
    }
}

/// A failed delivery. It is not attempted again unless an operator replays it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    pub delivery: Delivery,
    /// When it failed.
    pub at: Timestamp,
    /// The number of attempts.
    pub attempts: u32,
    pub reason: String,
}

/// A queue message that Trunkline could not process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The id in the table, which sorts by time.
    pub id: String,
    /// The platform whose queue held it.
    pub platform: PlatformId,
    /// When it was moved to the table.
    pub at: Timestamp,
    /// The reason, for operators.
    pub reason: String,
    /// The SQS message group.
    pub group: String,
    /// The body of the queue message.
    pub body: String,
}
