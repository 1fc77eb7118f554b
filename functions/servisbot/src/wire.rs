//! ServisBOT's wire types, in its own spelling.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The content type of rich content.
pub(crate) const MARKUP: &str = "markup";
/// The content type of a selection in a markup.
pub(crate) const INTERACTION: &str = "markupInteraction";

/// The `message` of an eventing event (S4's key table). Parsed leniently, because the key table and
/// the examples disagree on the required members. Encoded as the chat history server requires (SL).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TimelineMessage {
    /// `TIMELINEMESSAGE:::<conversationId>:::<timestamp>:::<id>` (SL); in none of S4's examples.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The version of the protocol: `v2`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `TimelineMessage`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `message`, `markup` or `markupInteraction`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The content, depending on the content type.
    #[serde(deserialize_with = "object")]
    pub contents: Map<String, Value>,
    /// Correlates a message or a turn: undocumented which.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// ServisBOT's conversation id, never Trunkline's.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The message's id. A markup and the click on it share one (S4's own example).
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `server`: from the user. `client`: to the user.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Unix time in milliseconds; defines the order (S4).
    #[serde(deserialize_with = "millis", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// The organization that owns the bot.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The user's id; absent from S4's markup and interaction.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The `CustomerReference` that Trunkline sent; in none of S4's examples.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// How the user made the input.
    #[serde(deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub input_source: Option<InputSource>,
    /// The endpoint that the user wrote to.
    #[serde(deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

/// How a user made an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSource {
    /// `utterance` or `interaction`.
    pub r#type: String,
}

/// A ServisBOT endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The endpoint's `Address`.
    pub address: String,
}

/// The body of a call to the webhook engagement adapter (SW; `Context`: SB).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EngagementRequest<'a> {
    /// `message`, or `context`, which is our assumption.
    pub r#type: &'a str,
    /// The user's text, or the context for the bot.
    pub value: Value,
    /// Context for the bot, beside a message.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// The conversation's id on both sides.
    pub customer_reference: &'a str,
}

impl TimelineMessage {
    /// Parses an event's `message`.
    ///
    /// # Errors
    /// If the value is not an object.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("message is not an object".into());
        }
        Self::deserialize(value).map_err(|why| format!("cannot parse message: {why}"))
    }
}

/// A string; numbers and booleans are converted.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

fn object<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(from)? {
        Value::Object(object) => Ok(object),
        _ => Ok(Map::new()),
    }
}

fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// An informational member: a value of another type counts as absent.
fn optional<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}
