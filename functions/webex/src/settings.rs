//! Settings and secrets of a Webex Connect connection.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The name of the secret that Webex Connect expects in every response (WX-BOT). Every caller of
/// the connection's URL receives it, so it does not authenticate the caller and must not be used
/// for anything else.
pub const VERIFICATION_TOKEN: &str = "verification_token";

/// The name of the secret with the URL that Webex Connect generated for inbound events. Anyone who
/// knows the URL can write to customers, so it is a secret.
pub const SEND_URL: &str = "send_url";

/// The name prefix of secrets that are sent as headers: `header:key` becomes the header `key`.
pub const HEADER_PREFIX: &str = "header:";

/// A connection's settings. Every setting has a default: the value on the vendor's page or, where
/// that is silent, the fact sheet's proposal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The format of responses to Webex Connect.
    pub response_format: ResponseFormat,
    /// Whether to reject a call with a wrong verification token.
    pub reject_wrong_token: bool,
    /// Whether an `Event` whose name contains `close` or `ended` closes the conversation.
    pub closed_events: bool,
    /// The JSON key of an outbound event's name.
    pub event_key: String,
    /// The name of the event that carries a reply.
    pub reply_event: String,
    /// The name of the event that hands over to an agent.
    pub handover_event: String,
    /// The name of the event that closes a conversation; empty if closes are not sent. The vendor
    /// documents none.
    pub close_event: String,
    /// The `Messagetype` of a reply.
    pub message_type: String,
}

/// The format of responses to Webex Connect. Its documentation does not say where it looks for the
/// token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseFormat {
    /// JSON, with the token under four spellings.
    #[default]
    Json,
    /// The token as plain text.
    Text,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            response_format: ResponseFormat::default(),
            reject_wrong_token: false,
            closed_events: false,
            event_key: "eventid".into(),
            reply_event: "1001".into(),
            handover_event: "1002".into(),
            close_event: String::new(),
            message_type: "text".into(),
        }
    }
}

impl Settings {
    /// Reads the settings of a connection. If one value is invalid, all settings are the defaults;
    /// `apply` has validated them.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }
}
