//! The protocol's wire types: one envelope for both directions.

mod content;

use jiff::Timestamp;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use content::all;
pub use content::{Card, CardAction, Choice, Contact, Format, Location, Media, ReplyTo};

/// One event, sent to Trunkline or by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Trunkline webhook event"))]
pub struct Envelope {
    /// The event's id. Repeat it when you send an event again. In events from Trunkline it equals
    /// the `webhook-id` header and is the same for every attempt.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 512)))]
    pub id: String,
    /// When the event happened (RFC 3339).
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub timestamp: Timestamp,
    /// The conversation's id. A channel chooses it: one per customer or thread. A bot or desk uses
    /// the id in the events that it received.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 512)))]
    pub conversation: String,
    /// The author. Default: the customer for a channel, the bot for a bot, an agent for a desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// From Trunkline: the customer's channel. To Trunkline: ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelInfo>,
    /// The customer's language (BCP 47), if known. To Trunkline: only a channel's value counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// From Trunkline: true for a copy, which is for information only and must not be answered. To
    /// Trunkline: ignored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
    /// The event's type and data.
    #[serde(flatten)]
    pub payload: Payload,
}

/// The author of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Author {
    /// The author's role.
    pub role: Role,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The role of an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person who is served.
    Customer,
    /// The author is a bot.
    Bot,
    /// The author is a human agent.
    Agent,
    /// A platform or Trunkline itself.
    System,
    /// The platform does not state the author.
    Unknown,
}

/// The customer's channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ChannelInfo {
    /// The id of the channel's connection.
    pub connection: String,
    /// The network behind the channel, such as `WhatsApp`, if the platform states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The type and data of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Payload {
    /// A message: at least one of text, media, cards, location, contact and choices.
    Message {
        /// The earlier message that this one replies to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Box<ReplyTo>>,
        /// The text, in the given `format`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The format of the text.
        #[serde(default, skip_serializing_if = "Format::is_plain")]
        format: Format,
        /// Files, each with its URL.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<Media>,
        /// Cards: one, or several as a carousel or list.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cards: Vec<Card>,
        /// A place on the map.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<Box<Location>>,
        /// A person or company.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<Box<Contact>>,
        /// The choices that the recipient can select.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        choices: Vec<Choice>,
        /// Whether only one of the choices can be selected, and only once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        single_use: bool,
        /// Additional flat data for the recipient.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        metadata: Map<String, Value>,
    },
    /// The customer selected a choice.
    Choice {
        /// The id of the choice.
        id: String,
        /// The title that the customer saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// From Trunkline: what the customer typed, on a channel without buttons.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
    },
    /// The delivery status of an earlier message.
    Receipt {
        /// The id of that message.
        message: String,
        /// `sent`, `delivered`, `read`, `failed`, or a platform-specific status.
        status: String,
        /// The reason of a failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The author started or stopped typing.
    Typing {
        /// True while the author is typing.
        active: bool,
    },
    /// Agents are asked to take over: an `offer` to the desk.
    Handover {
        /// The reason, as free text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Context for the recipient: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// From Trunkline: the preceding messages, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        transcript: Vec<TranscriptEntry>,
        /// From Trunkline: true if the desk owns the conversation immediately, without `accept`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        passed: bool,
    },
    /// Agents return the conversation to the bot: a `pass` to the bot.
    Handback {
        /// The reason, as free text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Context for the bot: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// From Trunkline, to a bot that receives no copies: the messages since the handover.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        transcript: Vec<TranscriptEntry>,
    },
    /// To Trunkline: offers the conversation to the target, which owns it once it accepts. A bot
    /// accepts immediately.
    Offer {
        /// The party to address; default: `next`.
        #[serde(default)]
        to: TransferTarget,
        /// The reason, as free text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Context for the recipient: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// To Trunkline: gives the conversation to the target immediately.
    Pass {
        /// The party to address; default: `next`.
        #[serde(default)]
        to: TransferTarget,
        /// The reason, as free text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Context for the recipient: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// To Trunkline: the sender gives up the conversation; the other party answers from now on.
    Release {
        /// The reason, as free text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Context for the other party: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// An agent accepts an offered conversation; `author` names the agent.
    Accept {},
    /// An earlier message was edited.
    Edit {
        /// The id of that message.
        message: String,
        /// The text after the edit.
        text: String,
        /// The format of the text.
        #[serde(default, skip_serializing_if = "Format::is_plain")]
        format: Format,
    },
    /// An earlier message was deleted.
    Delete {
        /// The id of that message.
        message: String,
    },
    /// A reaction to an earlier message.
    Reaction {
        /// The id of that message.
        message: String,
        /// One emoji, as Unicode text.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 64)))]
        emoji: String,
        /// True if the reaction is taken back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        removed: bool,
    },
    /// The conversation was closed.
    Close {
        /// The reason, as free text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A platform-specific event.
    Opaque {
        /// True for a message that other platforms cannot show; its author receives a notice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_message: bool,
        /// The platform's name of the event.
        name: String,
        /// The original JSON.
        raw: Value,
    },
    /// Verifies that the receiver is reachable and holds the secret. Respond with 200 and
    /// `{"challenge": …}`, the same value.
    Verification {
        /// The value to return.
        challenge: String,
    },
}

/// The party that answers next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TransferTarget {
    /// The other party: from a bot the desk, from a desk the bot.
    #[default]
    Next,
    /// The bot of the route.
    Bot,
    /// The desk of the route.
    Desk,
}

/// A message of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TranscriptEntry {
    /// When the message was sent (RFC 3339).
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub timestamp: Timestamp,
    /// The author of the entry.
    pub author: Author,
    /// The text of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The format of the text.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    /// Files, each with its URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
}

/// Returns the protocol's JSON Schema (draft 2020-12).
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Envelope).to_value()
}
