//! Webex Connect's wire types, in its own spelling.

use serde::Deserialize;
use serde_json::{Map, Value};
use trunkline_core::json::is_empty;
use trunkline_core::model::LenientText;

/// The members of the documented events, as the vendor's page spells them (WX-BOT).
const DOCUMENTED: [&str; 12] = [
    "Conversationid",
    "ConversationType",
    "Message",
    "MessageType",
    "Messageid",
    "Media",
    "Channel",
    "Event",
    "Timestamp",
    "PostbackPayload",
    "DeliveryStatus",
    "Description",
];

/// An event from Webex Connect: a message, a postback or a receipt, distinguished by `Event`
/// (WX-BOT).
///
/// Keys match regardless of case, `_` and `-`, because the vendor's own spelling varies.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct WebexEvent {
    /// The conversation's id: one per customer and asset, unchanged for months. A conversation with an
    /// agent may have one of its own.
    pub conversationid: LenientText,
    /// `BOT` if the bot is to answer.
    pub conversationtype: LenientText,
    /// The text that the customer or an agent wrote.
    pub message: LenientText,
    /// The kind of content, such as `text` or `image`. The page lists no values.
    pub messagetype: LenientText,
    /// The message's id. In a receipt: the id of the message that it reports on.
    pub messageid: LenientText,
    /// A URL, several URLs, or a JSON string that lists attachments.
    pub media: Value,
    /// A place. Undocumented here: Webex Connect's outbound webhooks have it (WX-WA).
    pub location: Value,
    /// People. Undocumented here: Webex Connect's outbound webhooks have it (WX-WA).
    pub contacts: Value,
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
    /// Reads an event from a JSON object with keys in any of the vendor's spellings. If a key occurs in
    /// several, the documented one goes first, and one with a value before an empty one.
    #[must_use]
    pub fn from_object(object: &Map<String, Value>) -> Self {
        let mut members: Map<String, Value> = Map::new();
        for (key, value) in object {
            let name = normalized(key);
            let is_better = |other: &Value| {
                is_empty(other) || (!is_empty(value) && DOCUMENTED.contains(&key.as_str()))
            };
            if members.get(&name).is_none_or(is_better) {
                members.insert(name, value.clone());
            }
        }
        // Every field accepts any JSON value, so this cannot fail.
        serde_json::from_value(Value::Object(members)).unwrap_or_default()
    }
}

/// Returns a name without `_`, `-` and capital letters.
pub(crate) fn normalized(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-'));
    normalized.extend(kept.map(|c| c.to_ascii_lowercase()));
    normalized
}
