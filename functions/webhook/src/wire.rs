//! The protocol's own types: one envelope, both ways.

use jiff::Timestamp;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One event, on its way to Trunkline or from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Trunkline webhook event"))]
pub struct Envelope {
    /// The event's identity. Send the same one when you send an event again. From Trunkline it is
    /// also the header `webhook-id`: the same for every attempt.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 512)))]
    pub id: String,
    /// When it happened (RFC 3339).
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub timestamp: Timestamp,
    /// The conversation. A channel chooses it: one for each customer or thread. A bot or desk uses
    /// the one that came with the conversation's messages.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 512)))]
    pub conversation: String,
    /// Who did it. If left out: the customer for a channel, the bot for a bot, an agent for a desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// From Trunkline: where the customer is. To Trunkline: ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelInfo>,
    /// The customer's language (BCP 47), if known. To Trunkline: from a channel only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// From Trunkline: true for a copy, which is for the record and not to be answered. To Trunkline:
    /// ignored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
    /// What happened.
    #[serde(flatten)]
    pub payload: Payload,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Author {
    /// In what capacity.
    pub role: Role,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// In what capacity somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person who is being served.
    Customer,
    /// A program that answers.
    Bot,
    /// A person who answers.
    Agent,
    /// A platform.
    System,
    /// Nobody knows.
    Unknown,
}

/// Where the customer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ChannelInfo {
    /// The channel's connection.
    pub connection: String,
    /// The network behind it, such as `WhatsApp`, if its platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Payload {
    /// Something was said: text, media or choices, at least one of them.
    Message {
        /// Text, written as `format` says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// How the text is written.
        #[serde(default, skip_serializing_if = "Format::is_plain")]
        format: Format,
        /// Files by reference.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<Media>,
        /// What the reader may pick from.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        choices: Vec<Choice>,
        /// Flat extras for the other side.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        metadata: Map<String, Value>,
    },
    /// The customer picked one.
    Choice {
        /// Its id.
        id: String,
        /// What the customer saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// From Trunkline: what the customer typed, where there were no buttons to press.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
    },
    /// What became of an earlier message.
    Receipt {
        /// That message's id.
        message: String,
        /// `delivered`, `read`, `failed`, or a platform's own word.
        status: String,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody is writing, or stopped.
    Typing {
        /// Whether they are.
        active: bool,
    },
    /// People are asked to take over: an `offer` to the desk.
    Handover {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What they should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// From Trunkline: what was said before, the oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        transcript: Vec<Line>,
        /// From Trunkline: true if it is theirs at once, and needs no `accept`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        passed: bool,
    },
    /// People give the conversation back to the bot: a `pass` to it.
    Handback {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the bot should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
        /// From Trunkline, to a bot that gets no copies: what was said meanwhile.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        transcript: Vec<Line>,
    },
    /// To Trunkline: somebody else is to answer, once they accept. A bot accepts at once.
    Offer {
        /// Who.
        #[serde(default)]
        to: Next,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What they should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// To Trunkline: somebody else is to answer from now on.
    Pass {
        /// Who.
        #[serde(default)]
        to: Next,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What they should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// To Trunkline: whoever sends this does not answer any more; the next one does.
    Release {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the next one should know: flat, at most 4 KB.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        context: Map<String, Value>,
    },
    /// Somebody at the desk takes what was offered; `author` says who.
    Accept {},
    /// An earlier message reads otherwise now. Recorded, and told to observers.
    Edit {
        /// That message's id.
        message: String,
        /// What it says now.
        text: String,
    },
    /// An earlier message was taken back. Recorded, and told to observers.
    Delete {
        /// That message's id.
        message: String,
    },
    /// The conversation is over.
    Close {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something of a platform's own.
    Opaque {
        /// Whether somebody said something by it, that cannot be shown elsewhere: they are told so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        said: bool,
        /// What the platform calls it.
        name: String,
        /// As it came.
        raw: Value,
    },
    /// Prove that you are there and hold the secret: answer 200 with `{"challenge": …}`, the same.
    Verification {
        /// What to answer with.
        challenge: String,
    },
}

/// How a text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As it is to be read.
    #[default]
    Plain,
    /// In Markdown (CommonMark).
    Markdown,
    /// In HTML.
    Html,
}

impl Format {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// Who is to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Next {
    /// The other one: from a bot the desk, from a desk the bot.
    #[default]
    Next,
    /// The bot.
    Bot,
    /// The desk.
    Desk,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Line {
    /// When (RFC 3339).
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub timestamp: Timestamp,
    /// By whom.
    pub author: Author,
    /// What.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How the text is written.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    /// Files by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
}

/// A file by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Media {
    /// Where it can be fetched.
    pub url: String,
    /// Its MIME type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One thing that the reader may pick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Choice {
    /// What comes back when it is picked.
    pub id: String,
    /// What the reader sees.
    pub title: String,
}

/// The protocol's JSON Schema (draft 2020-12).
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Envelope).to_value()
}
