//! ServisBOT's own types, in its own spelling.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// `message` of an eventing event (S4's key table). Read leniently, for the key table and the examples
/// disagree on what is always there; written as the chat history server wants it (SL).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TimelineMessage {
    /// `TIMELINEMESSAGE:::<conversationId>:::<timestamp>:::<id>` (SL); in none of S4's examples.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `v2`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `TimelineMessage`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `message`, `markup` or `markupInteraction`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What the content type says.
    #[serde(deserialize_with = "object")]
    pub contents: Map<String, Value>,
    /// Of a message or of a turn: nothing says which.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Theirs, never ours.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// A markup and the click on it have the same (S4's own example).
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `server` from the user, `client` to the user.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// In milliseconds; tells the order (S4).
    #[serde(deserialize_with = "millis", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// Whose bot.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The user; absent from S4's markup and interaction.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What we sent as `CustomerReference`; in none of S4's examples.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// How the user said it.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub input_source: Option<InputSource>,
    /// Which endpoint.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

/// How a user said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSource {
    /// `utterance` or `interaction`.
    pub r#type: String,
}

/// An endpoint of ServisBOT's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its address.
    pub address: String,
}

/// What the webhook engagement adapter takes (SW).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Engage<'a> {
    /// `message`, or `context`, whose body is a guess.
    pub r#type: &'a str,
    /// What the user said; of a context, what the bot should know.
    pub value: Value,
    /// What the conversation is known by on both sides.
    pub customer_reference: &'a str,
}

impl TimelineMessage {
    /// From the JSON of an event's `message`.
    ///
    /// # Errors
    /// If it is not an object.
    pub fn read(value: &Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("there is no message object".into());
        }
        Self::deserialize(value).map_err(|why| format!("the message cannot be read: {why}"))
    }
}

/// A text; one that came as a number or truth value, too.
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

/// Something that only informs: whatever does not fit is nothing.
fn lenient<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}
