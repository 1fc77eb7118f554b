//! What arrives from a leg.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConnectionId, Content, ConversationKey, Owner, Trace, digest};

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

    /// As it stood in a key.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        Self(key.to_owned())
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
    /// What its sender knows it by, where receipts can name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The far side's id of the conversation that it belongs to.
    pub conversation: String,
    /// When it happened, as the platform says, or else when it arrived.
    pub at: Timestamp,
    /// Who did it.
    pub author: Author,
    /// The name of the network behind the channel, such as `WhatsApp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The customer's language (BCP 47), where the platform says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What its platform needs to have back in an answer; from channels only.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub origin: Map<String, Value>,
    /// Whose conversation it is to be, where people at a desk begin one that we do not know yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaches: Option<ConversationKey>,
    /// Whom the platform itself says the conversation is with, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Owner>,
    /// How its conversation can be found where the far side's id leads nowhere yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clue: Option<Clue>,
    /// Where in a trace it came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// An event of which nothing else is known.
    #[must_use]
    pub fn new(
        id: EventId,
        conversation: impl Into<String>,
        at: Timestamp,
        author: Author,
        body: EventBody,
    ) -> Self {
        Self {
            id,
            external_id: None,
            conversation: conversation.into(),
            at,
            author,
            channel: None,
            language: None,
            origin: Map::new(),
            reaches: None,
            floor: None,
            clue: None,
            trace: None,
            body,
        }
    }
}

/// How a conversation can be found to which the far side gave an id that it never told us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clue {
    /// By this, which was noted when it was sent there.
    Noted(String),
    /// By another event of the conversation, which is about to come.
    Coming,
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
        /// What the customer typed, where the choice was read from that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
    },
    /// What became of an earlier message.
    Receipt {
        /// The platform's id of that message.
        message: String,
        /// Whose message that was, once it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Reference>,
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
    /// People are to take over.
    Handover {
        /// Whether they are asked or told.
        #[serde(default)]
        mode: Mode,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the people who take over should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// What was said before.
        #[serde(default, skip_serializing_if = "Recall::is_nothing")]
        recall: Recall,
    },
    /// Somebody at the desk takes what was offered.
    Accept,
    /// People give the conversation back to the bot.
    Handback {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the bot should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// What was said meanwhile.
        #[serde(default, skip_serializing_if = "Recall::is_nothing")]
        recall: Recall,
    },
    /// An earlier message reads otherwise now. Recorded only.
    Edit {
        /// The platform's id of that message.
        message: String,
        /// What it says now.
        content: Content,
    },
    /// An earlier message was taken back. Recorded only.
    Delete {
        /// The platform's id of that message.
        message: String,
    },
    /// The conversation is over.
    Close {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something of the platform's own that means nothing here: kept, not passed on.
    Opaque {
        /// Whether somebody said something by it: then they are told that it cannot be shown.
        #[serde(default)]
        said: bool,
        /// What the platform calls it.
        name: String,
        /// As it came.
        raw: Value,
    },
}

impl EventBody {
    /// The same, told with what was said before; only changes of hands tell that.
    #[must_use]
    pub fn recalling(&self, told: Recall) -> Self {
        let mut body = self.clone();
        if let Self::Handover { recall, .. } | Self::Handback { recall, .. } = &mut body {
            *recall = told;
        }
        body
    }

    /// What is to be told of what was said before, if this changes hands.
    #[must_use]
    pub fn recall(&self) -> Option<&Recall> {
        match self {
            Self::Handover { recall, .. } | Self::Handback { recall, .. } => Some(recall),
            _ => None,
        }
    }

    /// The kind's name, as in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Choice { .. } => "choice",
            Self::Receipt { .. } => "receipt",
            Self::Typing { .. } => "typing",
            Self::Handover { .. } => "handover",
            Self::Accept => "accept",
            Self::Handback { .. } => "handback",
            Self::Edit { .. } => "edit",
            Self::Delete { .. } => "delete",
            Self::Close { .. } => "close",
            Self::Opaque { .. } => "opaque",
        }
    }
}

/// An earlier message, as its sender knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The connection that it came from.
    pub connection: ConnectionId,
    /// What that connection's far side knows it by.
    pub message: String,
}

/// How a conversation is passed to people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is pending until one of them accepts.
    #[default]
    Offer,
    /// It is theirs at once.
    Pass,
}

/// What was said before, for who takes over: first how much of it, and on its way also the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// The last so many messages; none, if 0.
    #[serde(default)]
    pub last: u16,
    /// When it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Only what was said since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What was said, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
}

impl Recall {
    /// Whether nothing is told.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.last == 0 && self.lines.is_empty()
    }
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// What.
    pub content: Content,
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
