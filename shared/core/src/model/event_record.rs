//! An event as stored, with the outcome of each delivery.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationId, ConversationKey, Event, EventId, Outcome, Target};

/// How an event was handled in its conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Passed on: it comes from the owner or goes to the owner.
    #[default]
    Routed,
    /// Recorded; connections that want copies receive one.
    RecordedOnly,
    /// Recorded and not passed on: the sender does not own the conversation.
    NotOwner,
    /// Recorded and not passed on: it repeats a message that was delivered to its sender.
    Echo,
}

/// An event as stored: the event itself, its targets, and the outcome of each delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Channel and customer of the conversation.
    pub key: ConversationKey,
    /// Trunkline's id of the conversation.
    pub conversation: ConversationId,
    /// Source connection.
    pub from: ConnectionId,
    pub event: Event,
    /// When the event arrived.
    pub received_at: Timestamp,
    /// The time in the event's key in the table.
    #[serde(skip)]
    pub filed_at: Timestamp,
    /// How the event was handled: routed, recorded only, or ignored.
    pub disposition: Disposition,
    /// Parties that the event is delivered to.
    pub targets: Vec<Target>,
    /// System events that this event caused and that are delivered before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preceding: Vec<EventId>,
    /// System events that this event caused and that are delivered after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub following: Vec<EventId>,
    /// Outcome of each delivery so far, by [`Target::outcome_key`].
    #[serde(skip)]
    pub outcomes: BTreeMap<String, Outcome>,
}
