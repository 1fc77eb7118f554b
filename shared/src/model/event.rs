//! What arrives from a leg.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Content, Owner, digest};

/// An event's identity among those of its connection and customer: the same event sent again has
/// the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventId(String);

impl EventId {
    /// From the platform's own identifying parts, in a form that is safe in keys and bounded.
    #[must_use]
    pub fn from_parts(parts: &[&str]) -> Self {
        let joined = parts.join(":");
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.:".contains(&c);
        // A part with a colon in it could be read as two: such ids are told apart by their digest.
        let ambiguous = parts.iter().any(|part| part.contains(':'));
        if joined.len() <= 128 && !ambiguous && joined.bytes().all(plain) {
            Self(joined)
        } else {
            Self(format!("sha256_{}", digest(parts)))
        }
    }

    /// As it stands in keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Something that happened on a leg, in Trunkline's own terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What it is known by.
    pub id: EventId,
    /// The far side's id of the conversation that it belongs to.
    pub conversation: String,
    /// When it happened, as the platform says, or else when it arrived.
    pub at: Timestamp,
    /// Who did it.
    pub author: Author,
    /// The name of the network behind the channel, such as `WhatsApp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Whom the platform itself says the conversation is with, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Owner>,
    /// What happened.
    pub body: EventBody,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// In what capacity.
    pub role: AuthorRole,
    /// The name to show, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Author {
    /// An author without a name.
    #[must_use]
    pub fn nameless(role: AuthorRole) -> Self {
        Self { role, name: None }
    }
}

/// In what capacity somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorRole {
    /// The person who is being served.
    Customer,
    /// A program that answers.
    Bot,
    /// A person who answers.
    Agent,
    /// The platform itself.
    System,
    /// The platform does not say.
    Unknown,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// Something was said.
    Message {
        /// What.
        content: Content,
        /// Flat extras for the other side, such as an intent or its confidence.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        metadata: Map<String, Value>,
    },
    /// A button or list entry was picked.
    Choice {
        /// The picked choice's id.
        id: String,
        /// What the customer saw, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// What became of an earlier message.
    Receipt {
        /// The platform's id of that message.
        message: String,
        /// What became of it.
        status: ReceiptStatus,
        /// Why, where it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody is writing, or stopped.
    Typing {
        /// Whether they are.
        active: bool,
    },
    /// Whoever answers asks for people to take over.
    Handover {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the people who take over should know.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// People give the conversation back to the bot.
    Handback {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The conversation is over.
    Close {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something of the platform's own that means nothing here: kept, not passed on.
    Opaque {
        /// What the platform calls it.
        name: String,
        /// As it came.
        raw: Value,
    },
}

impl EventBody {
    /// The kind's name, as in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Choice { .. } => "choice",
            Self::Receipt { .. } => "receipt",
            Self::Typing { .. } => "typing",
            Self::Handover { .. } => "handover",
            Self::Handback { .. } => "handback",
            Self::Close { .. } => "close",
            Self::Opaque { .. } => "opaque",
        }
    }
}

/// What became of a message on its platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// It reached the customer's device.
    Delivered,
    /// The customer opened it.
    Read,
    /// It did not get there.
    Failed,
    /// The platform's own word, which we do not know.
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bounded_and_never_confuse_two_events() {
        assert_eq!(EventId::from_parts(&["m", "a-1"]).as_str(), "m:a-1");
        assert!(EventId::from_parts(&["m", &"x".repeat(5000)]).as_str().len() < 60);
        assert_ne!(
            EventId::from_parts(&["p", "a:b", "c"]),
            EventId::from_parts(&["p", "a", "b:c"])
        );
        assert_ne!(EventId::from_parts(&["a:b"]), EventId::from_parts(&["a", "b"]));
    }
}
