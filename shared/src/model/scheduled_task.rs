//! What is to be looked at later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, Delivery, LegId, Platform, Timer};

/// A note to ourselves, on the delayed queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wake", rename_all = "snake_case")]
pub enum Wake {
    /// Send what is parked on a leg.
    Leg {
        /// The leg's platform.
        platform: Platform,
        /// Which leg.
        leg: LegId,
        /// When.
        at: Timestamp,
    },
    /// See whether a connection works again.
    Probe {
        /// Its platform.
        platform: Platform,
        /// Which connection.
        connection: ConnectionId,
        /// When its breaker opened: a note about an earlier opening is void.
        opened_at: Timestamp,
        /// How many probes there were before.
        round: u32,
        /// When.
        at: Timestamp,
    },
    /// A connection works again: send what is parked on all its legs.
    Release {
        /// Its platform.
        platform: Platform,
        /// Which connection.
        connection: ConnectionId,
        /// When; at once, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// The group of the last leg that was released; none yet, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Something in a conversation may be due.
    Timer {
        /// Which conversation.
        key: ConversationKey,
        /// What.
        timer: Timer,
        /// When.
        at: Timestamp,
    },
    /// A bot does not get what it is sent: see whether its connection has been down for too long.
    BotDown {
        /// The bot's leg.
        leg: LegId,
        /// When.
        at: Timestamp,
    },
    /// See whether somebody listens for a platform, if anybody should.
    Listen {
        /// Which platform.
        platform: Platform,
        /// When.
        at: Timestamp,
    },
    /// Events that were held back are to be taken.
    Held {
        /// The platform that they came from.
        platform: Platform,
        /// Their leg.
        leg: LegId,
        /// When.
        at: Timestamp,
    },
}

impl Wake {
    /// A note to send what is parked on a delivery's leg then.
    #[must_use]
    pub fn leg_of(delivery: &Delivery, at: Timestamp) -> Self {
        Self::Leg { platform: delivery.to.platform, leg: delivery.leg(), at }
    }

    /// When, if not at once.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Leg { at, .. }
            | Self::Probe { at, .. }
            | Self::Timer { at, .. }
            | Self::BotDown { at, .. }
            | Self::Listen { at, .. }
            | Self::Held { at, .. } => Some(*at),
            Self::Release { at, .. } => *at,
        }
    }
}
