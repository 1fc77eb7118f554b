//! Webex Connect's own types, in its own spelling.

use serde::Deserialize;
use serde_json::{Map, Value};
use trunkline_shared::model::Text;

/// An event from Webex Connect: a message, a postback or a receipt, told apart by `Event` (WX-BOT).
///
/// Keys are read without regard to case, `_` and `-`, as the vendor's own spelling varies.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Incoming {
    /// The conversation: one for a customer on an asset, for months.
    pub conversationid: Text,
    /// `BOT` where the bot is to answer.
    pub conversationtype: Text,
    /// What the customer, or an agent, wrote.
    pub message: Text,
    /// The message's id; of a receipt, the id of the message that it is about.
    pub messageid: Text,
    /// A URL, several, or a JSON text that lists attachments.
    pub media: Value,
    /// The network's name, such as `WhatsApp`.
    pub channel: Text,
    /// What happened.
    pub event: Text,
    /// When, in GMT.
    pub timestamp: Text,
    /// The payload of the tapped button.
    pub postbackpayload: Text,
    /// `Delivered`, `Failed` or `Read`.
    pub deliverystatus: Text,
    /// Why it failed.
    pub description: Text,
}

impl Incoming {
    /// From a JSON object with keys in any of the vendor's spellings.
    #[must_use]
    pub fn from_object(object: &Map<String, Value>) -> Self {
        let plain = |key: &String| key.replace(['_', '-'], "").to_lowercase();
        let folded = object.iter().map(|(key, value)| (plain(key), value.clone())).collect();
        // Every field takes any JSON, so this cannot fail.
        serde_json::from_value(Value::Object(folded)).unwrap_or_default()
    }
}
