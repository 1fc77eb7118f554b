//! Events: what happens in a conversation, as all platforms report it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ChoiceSource, Content, ConversationKey, EarlierMessage, ExternalConversationId,
    ExternalMessageId, MessageReference, Owner, Trace, digest,
};

/// The id of an event among those of its connection and customer. An event that is sent again has the
/// same id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventId(String);

impl EventId {
    /// Builds the id from the parts that identify the event on its platform. The result is bounded and safe
    /// in table keys.
    #[must_use]
    pub fn from_parts(parts: &[&str]) -> Self {
        let joined = parts.join(":");
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.:".contains(&c);
        // A part that contains the separator is ambiguous, so such ids are replaced by their digest.
        let ambiguous = parts.iter().any(|part| part.contains(':'));
        if joined.len() <= 128 && !ambiguous && joined.bytes().all(plain) {
            Self(joined)
        } else {
            Self(format!("sha256_{}", digest(parts)))
        }
    }

    /// Reads the id from a table key.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        Self(key.to_owned())
    }

    /// Returns the id as it is used in table keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An event on a leg, independent of the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    /// The platform's id of the message, which receipts name. `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_message_id: Option<ExternalMessageId>,
    /// The platform's id of the conversation.
    pub external_conversation_id: ExternalConversationId,
    /// The time that the platform reports, or else the time of arrival.
    pub at: Timestamp,
    /// Whether the platform documents that it repeats `at` when it sends the event again. Then the id and
    /// this time together identify the event.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub stable_timestamp: bool,
    pub author: Author,
    /// The network behind the channel, such as `WhatsApp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The customer's language (BCP 47), if the platform reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Data that replies must return to the platform. Channels only.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub origin: Map<String, Value>,
    /// The customer to reach, if an agent starts a conversation with this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended_recipient: Option<ConversationKey>,
    /// The owner of the conversation according to the platform, if it reports one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_owner: Option<Owner>,
    /// How to find the conversation while the platform's id of it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_hint: Option<CorrelationHint>,
    /// The message that offered the selected choice. `None` if the event is no choice, or the message is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice_source: Option<Box<ChoiceSource>>,
    /// The position in a distributed trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    pub body: EventBody,
}

impl Event {
    /// Creates an event without optional data.
    #[must_use]
    pub fn new(
        id: EventId,
        external_conversation_id: impl Into<ExternalConversationId>,
        at: Timestamp,
        author: Author,
        body: EventBody,
    ) -> Self {
        Self {
            id,
            external_message_id: None,
            external_conversation_id: external_conversation_id.into(),
            at,
            stable_timestamp: false,
            author,
            channel: None,
            language: None,
            origin: Map::new(),
            intended_recipient: None,
            claimed_owner: None,
            correlation_hint: None,
            choice_source: None,
            trace: None,
            body,
        }
    }

    /// Returns the time that identifies the event together with its id; `None` if the id alone does.
    #[must_use]
    pub fn identifying_time(&self) -> Option<Timestamp> {
        Some(self.at).filter(|_| self.stable_timestamp)
    }

    /// Returns the id by which the sender of a message knows it, as receipts name it: the platform's id
    /// if the event has one, otherwise the event's id.
    #[must_use]
    pub fn sender_message_id(&self) -> ExternalMessageId {
        self.external_message_id.clone().unwrap_or_else(|| self.id.as_str().into())
    }

    /// Returns the customer's name: the latest one in the event or, at a handover, in its transcript.
    #[must_use]
    pub fn customer_name(&self) -> Option<&str> {
        let entries = match &self.body {
            EventBody::Handover { transcript, .. } => transcript.entries.as_slice(),
            _ => &[],
        };
        let earlier = entries.iter().rev().map(|entry| &entry.author);
        let customers = std::iter::once(&self.author)
            .chain(earlier)
            .filter(|author| author.role == AuthorRole::Customer);
        let mut names = customers.filter_map(|author| author.name.as_deref());
        names.find(|name| !name.trim().is_empty())
    }
}

/// How to find a conversation whose id the platform has assigned without reporting it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationHint {
    /// By a key that was stored when a delivery was sent there.
    Key(String),
    /// By another event of the conversation that arrives soon.
    Pending,
    /// Channels only: by the customer, as this event names it (the id under which the channel knew the
    /// conversation before). `None`: as an earlier event under the same id named it.
    Customer(Option<String>),
}

/// The author of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub role: AuthorRole,
    /// The display name. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Author {
    /// Returns an author without a display name.
    #[must_use]
    pub fn nameless(role: AuthorRole) -> Self {
        Self { role, name: None }
    }
}

/// The role of an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthorRole {
    /// The author is the customer.
    Customer,
    Bot,
    /// The author is a human agent.
    Agent,
    /// A platform, or Trunkline itself.
    System,
    /// The platform does not report the role.
    Unknown,
    /// Another person on the customer's side, who takes part through the desk's own platform.
    Participant,
}

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A message with text, media or choices.
    Message {
        content: Content,
        /// Flat data for the receiver, such as an intent and its confidence.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        metadata: Map<String, Value>,
    },
    /// The selection of a button or list entry.
    Choice {
        /// The id of the selected choice.
        id: String,
        /// The label that the customer saw. `None` if unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The text that the customer typed, if the choice was recognised from it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
    },
    /// The delivery status of an earlier message.
    Receipt {
        /// The platform's id of the message, or the id of the delivery.
        message: ExternalMessageId,
        /// The message as its sender knows it. `None` until it is found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<MessageReference>,
        status: ReceiptStatus,
        /// The reason of a failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The author is typing, or has stopped.
    Typing {
        /// Whether the author is typing.
        active: bool,
    },
    /// A handover to agents.
    Handover {
        #[serde(default)]
        mode: HandoverMode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Data for the agents: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// The earlier messages.
        #[serde(default, skip_serializing_if = "Transcript::is_empty")]
        transcript: Transcript,
    },
    /// An agent accepts an offered handover.
    Accept,
    /// Agents return the conversation to the bot.
    Handback {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Data for the bot: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// The messages exchanged during the handover.
        #[serde(default, skip_serializing_if = "Transcript::is_empty")]
        transcript: Transcript,
    },
    /// An earlier message was edited.
    Edit {
        #[serde(flatten)]
        earlier: EarlierMessage,
        /// The new content.
        content: Box<Content>,
        /// The text that announces the edit where the platform has none: `{text}` is the new text. `None`:
        /// the new content alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
    },
    /// An earlier message was deleted.
    Delete {
        #[serde(flatten)]
        earlier: EarlierMessage,
        /// The text that announces the deletion where the platform has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
    },
    /// A reaction to an earlier message.
    Reaction {
        #[serde(flatten)]
        earlier: EarlierMessage,
        /// One emoji, as Unicode text.
        emoji: String,
        /// Whether the reaction is taken back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        removed: bool,
    },
    /// The conversation is closed.
    Close {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A platform-specific event without an equivalent in Trunkline. It is recorded and not passed on.
    Opaque {
        /// Whether it is a message. Its author is then notified that it cannot be shown.
        #[serde(default)]
        is_message: bool,
        /// The platform's name of the event.
        name: String,
        /// The event as received.
        raw: Value,
    },
}

impl EventBody {
    /// Returns the body with a transcript. Bodies other than handovers and hand-backs are unchanged.
    #[must_use]
    pub fn with_transcript(&self, transcript: Transcript) -> Self {
        let mut body = self.clone();
        if let Self::Handover { transcript: slot, .. } | Self::Handback { transcript: slot, .. } =
            &mut body
        {
            *slot = transcript;
        }
        body
    }

    /// Returns the transcript of a handover or hand-back.
    #[must_use]
    pub fn transcript(&self) -> Option<&Transcript> {
        match self {
            Self::Handover { transcript, .. } | Self::Handback { transcript, .. } => {
                Some(transcript)
            }
            _ => None,
        }
    }

    /// Returns the earlier message that the event is about.
    pub fn earlier_message(&mut self) -> Option<&mut EarlierMessage> {
        match self {
            Self::Message { content, .. } => content.reply_to.as_deref_mut(),
            Self::Edit { earlier, .. }
            | Self::Delete { earlier, .. }
            | Self::Reaction { earlier, .. } => Some(earlier),
            _ => None,
        }
    }

    /// Returns the content of a message or of its new version.
    #[must_use]
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::Message { content, .. } => Some(content),
            Self::Edit { content, .. } => Some(content),
            _ => None,
        }
    }

    /// Returns the content of a message or of its new version, to change it.
    pub fn content_mut(&mut self) -> Option<&mut Content> {
        match self {
            Self::Message { content, .. } => Some(content),
            Self::Edit { content, .. } => Some(content),
            _ => None,
        }
    }

    /// Returns the name of the event type as in JSON.
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
            Self::Reaction { .. } => "reaction",
            Self::Close { .. } => "close",
            Self::Opaque { .. } => "opaque",
        }
    }
}

/// How a conversation is handed over to agents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverMode {
    /// The handover is pending until an agent accepts.
    #[default]
    Offer,
    /// The agents own the conversation immediately.
    Pass,
}

/// The earlier messages for the new owner. Routing sets the limits; the outbound function adds the
/// entries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The maximum number of entries. 0: no transcript.
    #[serde(default)]
    pub limit: u16,
    /// When the transcript was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<Timestamp>,
    /// Only messages since this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The messages, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<TranscriptEntry>,
}

impl Transcript {
    /// Returns whether the transcript is neither requested nor filled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limit == 0 && self.entries.is_empty()
    }
}

/// A message in a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranscriptEntry {
    pub at: Timestamp,
    pub author: Author,
    pub content: Content,
}

/// The delivery status of a message on its platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// The message reached the recipient's device.
    Delivered,
    /// The recipient opened the message.
    Read,
    /// The message could not be delivered.
    Failed,
    /// The platform accepted the message.
    Sent,
    /// A status that only the platform knows, as it names it.
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_are_bounded_and_unambiguous() {
        assert_eq!(EventId::from_parts(&["m", "a-1"]).as_str(), "m:a-1");
        assert!(EventId::from_parts(&["m", &"x".repeat(5000)]).as_str().len() < 60);
        assert_ne!(
            EventId::from_parts(&["p", "a:b", "c"]),
            EventId::from_parts(&["p", "a", "b:c"])
        );
        assert_ne!(EventId::from_parts(&["a:b"]), EventId::from_parts(&["a", "b"]));
    }
}
