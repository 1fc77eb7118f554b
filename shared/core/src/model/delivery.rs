//! A delivery: one event, or one part of it, on its way to one leg.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Capabilities, ConnectionId, ConversationId, ConversationKey, DeliveryId, Event, EventId,
    FileId, Handover, LegId, Party, PlatformId, Presentation, Role, Session, SessionId, digest,
};

/// The prefix of delivery ids.
const PREFIX: &str = "dlv_";

/// The leg to which an event is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub connection: ConnectionId,
    /// The platform, which determines the queue.
    pub platform: PlatformId,
    /// The role of the connection in this conversation.
    pub role: Role,
    /// Whether this is a copy, which the receiver must not answer.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub copy: bool,
    /// The session on the leg, at a desk: each handover is a new session. `None`: the conversation's id is
    /// the session id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Data of the channel's platform that replies must return to it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub origin: Map<String, Value>,
    #[serde(default)]
    pub presentation: Presentation,
    /// The number of the part, from 0. An event that is too long for one message is split into parts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u16,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub last_part: bool,
    /// The number of parts, in the event's record.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: u16,
}

fn yes() -> bool {
    true
}

fn one() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(part: &u16) -> bool {
    *part == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_true(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(parts: &u16) -> bool {
    *parts == 1
}

impl Target {
    /// Returns the target for the recipient of an event.
    #[must_use]
    pub fn addressed(party: &Party, role: Role) -> Self {
        Self {
            connection: party.connection.clone(),
            platform: party.platform,
            role,
            copy: false,
            session_id: None,
            origin: Map::new(),
            presentation: party.presentation,
            part: 0,
            last_part: true,
            parts: 1,
        }
    }

    /// Returns the target for a party that receives a copy.
    #[must_use]
    pub fn copied(party: &Party, role: Role) -> Self {
        Self { copy: true, ..Self::addressed(party, role) }
    }

    /// Returns the target for a desk, in the session of a handover.
    #[must_use]
    pub fn at_desk(party: &Party, handover: &Handover) -> Self {
        let session_id = Some(SessionId::from(&handover.id));
        Self { session_id, ..Self::addressed(party, Role::Desk) }
    }

    /// Returns what the platform and the connection can show and do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.presentation.capabilities
    }

    /// Returns the key of the outcome in the event's record.
    #[must_use]
    pub fn outcome_key(&self) -> String {
        match self.part {
            0 => self.connection.to_string(),
            part => format!("{}#{part}", self.connection),
        }
    }
}

/// A delivery: one event, or one part of it, on its way to one leg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The same for every attempt and every queue message of this delivery.
    pub id: DeliveryId,
    /// The key of the conversation.
    pub key: ConversationKey,
    /// The id of the conversation, among those of the key.
    pub conversation: ConversationId,
    /// The connection that sent the event.
    pub from: ConnectionId,
    pub to: Target,
    /// The event, as the target receives it.
    pub event: Event,
    /// The time in the event's key in the table. `None`: the event's own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_at: Option<Timestamp>,
    /// Whether the delivery is queued again, and why.
    #[serde(default, skip_serializing_if = "Resend::is_no")]
    pub resend: Resend,
}

/// Whether a delivery is queued again, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resend {
    /// The delivery is queued for the first time.
    #[default]
    No,
    /// The event arrived again. The delivery may already have a final outcome.
    AfterDuplicate,
    /// An operator replays the delivery although it has failed permanently.
    ByOperator,
}

impl Resend {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_no(&self) -> bool {
        *self == Self::No
    }
}

impl Delivery {
    /// Returns the id of the delivery of `event` from `from` to `to`.
    #[must_use]
    pub fn make_id(
        key: &ConversationKey,
        from: &ConnectionId,
        event: &EventId,
        to: &Target,
    ) -> DeliveryId {
        Self::make_part_id(key, from, event, &to.connection, to.part)
    }

    /// Returns the id of the delivery of a part of `event` from `from` to `to`.
    #[must_use]
    pub fn make_part_id(
        key: &ConversationKey,
        from: &ConnectionId,
        event: &EventId,
        to: &ConnectionId,
        part: u16,
    ) -> DeliveryId {
        let part = part.to_string();
        let whole = [key.channel.as_str(), &key.customer, from.as_str(), event.as_str()];
        let to = [to.as_str(), &part];
        // The first part is not numbered: most events have one part only.
        let to = if part == "0" { &to[..1] } else { &to[..] };
        format!("{PREFIX}{}", digest(&[&whole, to].concat())).into()
    }

    /// Returns whether a message id from a platform is the id of a delivery, so that the message came from
    /// Trunkline.
    #[must_use]
    pub fn is_delivery_id(id: &str) -> bool {
        id.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 43)
    }

    /// Returns the id by which the leg knows the conversation.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.to.session_id.as_ref().unwrap_or_else(|| self.conversation.as_session_id())
    }

    /// Returns the time in the event's key in the table.
    #[must_use]
    pub fn filed_at(&self) -> Timestamp {
        self.filed_at.unwrap_or(self.event.at)
    }

    /// Returns the leg to which the delivery goes.
    #[must_use]
    pub fn leg(&self) -> LegId {
        LegId { key: self.key.clone(), connection: self.to.connection.clone() }
    }
}

/// Why the parked deliveries of a leg are sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrainReason {
    /// The first of them is due.
    Due,
    /// A probe: the breaker is open, and the first of them shows whether the connection works again.
    Probe,
    /// The connection has recovered, or an operator replays them.
    Released,
}

/// A message of a platform's outbound queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Sends a delivery.
    Deliver(Box<Delivery>),
    /// Sends the parked deliveries of a leg, in order.
    Drain { leg: LegId, reason: DrainReason },
    /// Removes a parked delivery that an operator discards.
    Discard {
        leg: LegId,
        /// The sequence number of the parked delivery.
        seq: u64,
    },
    /// Stores the session of a conversation that the platform started under an id of its own.
    BindSession { leg: LegId, session: Session },
    /// Ingests the held events of a leg, in the order of their timestamps.
    ReleaseHeld { leg: LegId },
    /// Verifies that the connection's endpoint belongs to this stack.
    Verify {
        connection: ConnectionId,
        /// The value that the endpoint must return.
        challenge: String,
    },
    /// Creates or updates Trunkline's registration on the platform as configured, and verifies the connection.
    FixRegistration {
        connection: ConnectionId,
        /// Identifies the result.
        challenge: String,
    },
    /// Fetches a private file that the platform's connection has sent.
    RelayFile { id: FileId },
    /// Compares Trunkline's registration on the platform with the configuration, and repairs it.
    ReconcileRegistration { connection: ConnectionId },
}
