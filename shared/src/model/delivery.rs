//! One event on its way to one leg.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Capabilities, ConnectionId, ConversationKey, Event, EventId, Feature, Handover, LegId, Party,
    Platform, Role, Session, digest,
};

/// What the ids of deliveries begin with.
const PREFIX: &str = "dlv_";

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
    /// Which of the leg's conversations, where that is not the conversation itself: each handover is
    /// a new one to a desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// What the channel's platform needs to have back in an answer.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub origin: Map<String, Value>,
    /// Whether what people say to it begins with their name.
    #[serde(default)]
    pub sender_prefix: bool,
    /// The longest text that it takes, in characters, where that differs from its platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_limit: Option<u32>,
    /// What it shows beyond its platform's row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<Feature>,
    /// Which part of the event, where it is too long for one: from 0.
    #[serde(default)]
    pub part: u16,
    /// Whether this is the last part.
    #[serde(default = "yes")]
    pub last_part: bool,
}

fn yes() -> bool {
    true
}

impl Target {
    /// To whoever this is meant for.
    #[must_use]
    pub fn addressed(party: &Party, role: Role) -> Self {
        Self {
            connection: party.connection.clone(),
            platform: party.platform,
            role,
            copy: false,
            conversation: None,
            origin: Map::new(),
            sender_prefix: party.sender_prefix,
            text_limit: party.text_limit,
            shows: party.shows.clone(),
            part: 0,
            last_part: true,
        }
    }

    /// To somebody who only listens.
    #[must_use]
    pub fn copied(party: &Party, role: Role) -> Self {
        Self { copy: true, ..Self::addressed(party, role) }
    }

    /// To a desk, in the conversation that a handover opened there.
    #[must_use]
    pub fn at_desk(party: &Party, handover: &Handover) -> Self {
        let conversation = Some(handover.id.clone());
        Self { conversation, ..Self::addressed(party, Role::Desk) }
    }

    /// What it can be given.
    #[must_use]
    pub fn can(&self) -> Capabilities {
        self.platform.capabilities().with(&self.shows)
    }

    /// By what its outcome is found.
    #[must_use]
    pub fn outcome_key(&self) -> String {
        match self.part {
            0 => self.connection.to_string(),
            part => format!("{}#{part}", self.connection),
        }
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
    /// What happened, as the target is to see it.
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
    pub fn id(key: &ConversationKey, from: &ConnectionId, event: &EventId, to: &Target) -> String {
        Self::part_id(key, from, event, &to.connection, to.part)
    }

    /// The id of the delivery of a part of `event` from `from` to `to`.
    #[must_use]
    pub fn part_id(
        key: &ConversationKey,
        from: &ConnectionId,
        event: &EventId,
        to: &ConnectionId,
        part: u16,
    ) -> String {
        let part = part.to_string();
        let whole = [key.channel.as_str(), &key.customer, from.as_str(), event.as_str()];
        let to = [to.as_str(), &part];
        // Most events have one part only, which needs no telling.
        let to = if part == "0" { &to[..1] } else { &to[..] };
        format!("{PREFIX}{}", digest(&[&whole, to].concat()))
    }

    /// Whether an id that came from outside is one of ours: what it names came from here.
    #[must_use]
    pub fn is_ours(id: &str) -> bool {
        id.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 43)
    }

    /// What the leg knows the conversation by.
    #[must_use]
    pub fn leg_conversation(&self) -> &str {
        self.to.conversation.as_deref().unwrap_or(&self.conversation)
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
    /// Know a conversation that the far side began by its own id.
    Adopt {
        /// On which leg.
        leg: LegId,
        /// The conversation as the far side has it.
        session: Session,
    },
    /// Take what was held back of this leg's events, in the order of their timestamps.
    Release {
        /// Which leg.
        leg: LegId,
    },
    /// Ask the connection's far side to prove that it is ours.
    Verify {
        /// Which connection.
        connection: ConnectionId,
        /// What it must answer with.
        challenge: String,
    },
    /// Look after our registration on the connection's far side.
    Tend {
        /// Which connection.
        connection: ConnectionId,
    },
}
