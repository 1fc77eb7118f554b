//! What an operator sets for a Webex Connect connection.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The secret that Webex Connect expects back in every answer (WX-BOT). It is told to whoever may
/// post to us, so it proves nothing and must not be used for anything else.
pub const VERIFICATION_TOKEN: &str = "verification_token";

/// The address that Webex Connect generated for our events. Whoever has it can write to customers,
/// so it is kept as a secret.
pub const SEND_URL: &str = "send_url";

/// The prefix of the names of secrets that are sent as headers: `header:key` becomes `key`.
pub const HEADER: &str = "header:";

/// A connection's settings. All have defaults: those that the vendor's page shows, or for what it
/// leaves open, the fact sheet's proposals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The form of our answers.
    pub answer: AnswerForm,
    /// Refuse a call that brings a verification token other than ours.
    pub reject_wrong_token: bool,
    /// Take an `Event` that speaks of a close or end as the end of the conversation.
    pub closed_events: bool,
    /// The key that names an event.
    pub event_key: String,
    /// The event of a reply.
    pub reply_event: String,
    /// The event of a handover to an agent.
    pub handover_event: String,
    /// The event that closes a conversation; empty for none, as the vendor documents none.
    pub close_event: String,
    /// The `Messagetype` of a reply.
    pub message_type: String,
}

/// The form of our answers to Webex Connect, whose documentation does not say where it looks for the
/// token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerForm {
    /// JSON, with the token under four spellings.
    #[default]
    Json,
    /// The bare token.
    Text,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            answer: AnswerForm::default(),
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
    /// As they were applied, which checked them; whatever does not fit any more takes its default.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }
}
