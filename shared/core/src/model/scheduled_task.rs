//! Tasks that run later.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ConnectionId, ConversationKey, Delivery, FileId, LegId, PlatformId, Probe, Timer, probes,
};

/// A task on the delayed queue, which runs at its time. A task that no longer applies does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum ScheduledTask {
    /// Sends the parked deliveries of a leg.
    DrainLeg { platform: PlatformId, leg: LegId, at: Timestamp },
    /// Probes a connection whose breaker is open.
    Probe {
        platform: PlatformId,
        connection: ConnectionId,
        /// When the breaker opened. A probe of an earlier opening does nothing.
        opened_at: Timestamp,
        /// The number of earlier probes of this opening.
        number: u32,
        at: Timestamp,
    },
    /// Sends the parked deliveries of all legs of a connection that has recovered.
    ReleaseParked {
        platform: PlatformId,
        connection: ConnectionId,
        /// `None`: immediately.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// The message group of the last released leg. `None`: none yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_group: Option<String>,
    },
    /// Evaluates a timer of a conversation.
    Timer { key: ConversationKey, timer: Timer, at: Timestamp },
    /// Checks whether the connection of a bot with parked deliveries has been down for too long.
    CheckBotDown { leg: LegId, at: Timestamp },
    /// Starts a listener for a platform if one is needed and none runs.
    EnsureListener { platform: PlatformId, at: Timestamp },
    /// Starts the listener that takes over from a running one.
    SucceedListener { platform: PlatformId, predecessor: String, at: Timestamp },
    /// Ingests the held events of a leg.
    ReleaseHeld { platform: PlatformId, leg: LegId, at: Timestamp },
    /// Fetches a private file again.
    RelayFile { platform: PlatformId, id: FileId, at: Timestamp },
}

impl ScheduledTask {
    /// Returns the tasks that probe a connection whose breaker opened at `opened_at`, from `now` on for a time.
    #[must_use]
    pub fn probes(
        platform: PlatformId,
        connection: &ConnectionId,
        opened_at: Timestamp,
        now: Timestamp,
        time: SignedDuration,
    ) -> Vec<Self> {
        let task = |Probe { number, at }| Self::Probe {
            platform,
            connection: connection.clone(),
            opened_at,
            number,
            at,
        };
        probes(opened_at, now, now + time).into_iter().map(task).collect()
    }

    /// Returns the task that drains the leg of a delivery at this time.
    #[must_use]
    pub fn drain_leg(delivery: &Delivery, at: Timestamp) -> Self {
        Self::DrainLeg { platform: delivery.to.platform, leg: delivery.leg(), at }
    }

    /// Returns when the task runs. `None`: immediately.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::DrainLeg { at, .. }
            | Self::Probe { at, .. }
            | Self::Timer { at, .. }
            | Self::CheckBotDown { at, .. }
            | Self::EnsureListener { at, .. }
            | Self::SucceedListener { at, .. }
            | Self::ReleaseHeld { at, .. }
            | Self::RelayFile { at, .. } => Some(*at),
            Self::ReleaseParked { at, .. } => *at,
        }
    }
}
