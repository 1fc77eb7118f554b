//! Webex Connect's wire types, in its own spelling.

use serde::Deserialize;
use serde_json::{Map, Value};
use trunkline_core::model::LenientText;

/// An event from Webex Connect: a message, a postback or a receipt, distinguished by `Event`
/// (WX-BOT).
///
/// Keys match regardless of case, `_` and `-`, because the vendor's own spelling varies.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct WebexEvent {
    /// The conversation's id: one per customer and asset, unchanged for months.
    pub conversationid: LenientText,
    /// `BOT` if the bot is to answer.
    pub conversationtype: LenientText,
    /// The text that the customer or an agent wrote.
    pub message: LenientText,
    /// The message's id. In a receipt: the id of the message that it reports on.
    pub messageid: LenientText,
    /// A URL, several URLs, or a JSON string that lists attachments.
    pub media: Value,
    /// The network's name, such as `WhatsApp`.
    pub channel: LenientText,
    /// The event's name, such as `Incoming message`.
    pub event: LenientText,
    /// GMT, such as `2026-03-04 09:15:20.89`.
    pub timestamp: LenientText,
    /// The payload of the tapped button.
    pub postbackpayload: LenientText,
    /// `Delivered`, `Failed` or `Read`.
    pub deliverystatus: LenientText,
    /// The reason of a failure.
    pub description: LenientText,
}

impl WebexEvent {
    /// Reads an event from a JSON object with keys in any of the vendor's spellings.
    #[must_use]
    pub fn from_object(object: &Map<String, Value>) -> Self {
        let normalized = |key: &String| key.replace(['_', '-'], "").to_lowercase();
        let normalized_object =
            object.iter().map(|(key, value)| (normalized(key), value.clone())).collect();
        // Every field accepts any JSON value, so this cannot fail.
        serde_json::from_value(Value::Object(normalized_object)).unwrap_or_default()
    }
}
