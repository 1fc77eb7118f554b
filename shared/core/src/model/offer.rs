//! Offers of choices: which message made an offer, and whether the customer has used it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, Delivery, DeliveryId, EventId, EventRecord};

/// The message that offered a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceSource {
    /// The connection that sent the message.
    pub from: ConnectionId,
    /// The event of the message.
    pub event: EventId,
    /// The time of the message.
    pub at: Timestamp,
    /// The number of parts of the message at each connection that received more than one. The last part has the
    /// choices.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<ConnectionId, u16>,
}

impl ChoiceSource {
    /// Returns the delivery by which a connection received the choices: its id and the number of its part.
    #[must_use]
    pub fn delivery_to(
        &self,
        connection: &ConnectionId,
        key: &ConversationKey,
    ) -> (DeliveryId, u16) {
        let part = self.parts.get(connection).map_or(0, |parts| parts.saturating_sub(1));
        (Delivery::make_part_id(key, &self.from, &self.event, connection, part), part)
    }
}

/// The offer of the latest choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The message that offered them.
    pub source: ChoiceSource,
    /// Whether only one of the choices can be selected, and only once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_use: bool,
    /// Whether the customer has made the selection that `single_use` allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub used: bool,
}

impl Offer {
    /// Notes how many parts each connection receives, if `record` is the message of this offer.
    pub fn note_parts(&mut self, record: &EventRecord) {
        if record.from == self.source.from && record.event.id == self.source.event {
            let split = record.targets.iter().filter(|target| target.parts > 1);
            let parts = split.map(|target| (target.connection.clone(), target.parts));
            self.source.parts = parts.collect();
        }
    }
}
