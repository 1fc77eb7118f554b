//! References to earlier messages of a conversation.

use serde::{Deserialize, Serialize};

use super::{ConnectionId, EventId, ExternalMessageId};

/// An earlier message that an event is about: replied to, edited, deleted or reacted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierMessage {
    /// The id by which the sender of the event names the message.
    pub message: ExternalMessageId,
    /// The id of the message's event, if the sender of this event also sent the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_event: Option<EventId>,
    /// The message as each connection knows it. Empty until it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_as: Vec<MessageReference>,
    /// The beginning of the message's text. `None` until it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// A reference to a message, as one connection knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReference {
    /// The connection that sent or received the message.
    pub connection: ConnectionId,
    /// The id by which that connection's platform knows the message.
    pub message: ExternalMessageId,
}

impl EarlierMessage {
    /// Creates a reference by the id that the sender names. `own_event` is the id that the message's event
    /// has if the message came from the same sender.
    #[must_use]
    pub fn new(message: impl Into<ExternalMessageId>, own_event: EventId) -> Self {
        Self {
            message: message.into(),
            own_event: Some(own_event),
            known_as: Vec::new(),
            excerpt: None,
        }
    }

    /// Returns the id by which a connection's platform knows the message; `None` if it does not.
    #[must_use]
    pub fn known_to(&self, connection: &ConnectionId) -> Option<&ExternalMessageId> {
        let known = self.known_as.iter().find(|known| known.connection == *connection);
        known.map(|known| &known.message)
    }
}
