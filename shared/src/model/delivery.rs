//! One event on its way to one leg.

use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, Event, LegId, Party, Platform, Role, digest};

/// Where an event is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The connection.
    pub connection: ConnectionId,
    /// Its platform, which tells the queue.
    pub platform: Platform,
    /// What the connection is in this conversation.
    pub role: Role,
    /// A copy: for the record, not to be answered.
    #[serde(default)]
    pub copy: bool,
}

impl Target {
    /// To whoever this is meant for.
    #[must_use]
    pub fn addressed(party: &Party, role: Role) -> Self {
        Self { connection: party.connection.clone(), platform: party.platform, role, copy: false }
    }

    /// To somebody who only listens.
    #[must_use]
    pub fn copied(party: &Party, role: Role) -> Self {
        Self { copy: true, ..Self::addressed(party, role) }
    }
}

/// One event on its way to one leg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The same for every attempt and every copy of this delivery in a queue.
    pub id: String,
    /// The conversation.
    pub key: ConversationKey,
    /// Which of the key's conversations.
    pub conversation: String,
    /// Whence the event came.
    pub from: ConnectionId,
    /// Where it goes.
    pub to: Target,
    /// What happened.
    pub event: Event,
    /// Queued anew for a duplicate: it may have been settled already.
    #[serde(default)]
    pub again: bool,
    /// A person wants it sent although it had failed for good.
    #[serde(default)]
    pub replay: bool,
}

impl Delivery {
    /// The id of the delivery of `event` from `from` to `to`.
    #[must_use]
    pub fn id(
        key: &ConversationKey,
        from: &ConnectionId,
        event: &Event,
        to: &ConnectionId,
    ) -> String {
        let parts =
            [key.channel.as_str(), &key.customer, from.as_str(), event.id.as_str(), to.as_str()];
        format!("dlv_{}", digest(&parts))
    }

    /// The leg that it goes to.
    #[must_use]
    pub fn leg(&self) -> LegId {
        LegId { key: self.key.clone(), connection: self.to.connection.clone() }
    }
}

/// Why what is parked on a leg is sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drain {
    /// The first of it is due.
    Due,
    /// To see whether the connection works again: its breaker is open.
    Probe,
    /// The connection works again, or a person wants it.
    Released,
}

/// What a platform's outbound queue carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Deliver this.
    Deliver(Box<Delivery>),
    /// Send what is parked on this leg, in order.
    Drain {
        /// Which leg.
        leg: LegId,
        /// Why now.
        why: Drain,
    },
    /// Take this out of what is parked on the leg: a person does not want it sent.
    Discard {
        /// Which leg.
        leg: LegId,
        /// Its place among what is parked.
        seq: u64,
    },
    /// Ask the connection's far side to prove that it is ours.
    Verify {
        /// Which connection.
        connection: ConnectionId,
        /// What it must answer with.
        challenge: String,
    },
}
