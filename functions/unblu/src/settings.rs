//! What an operator sets for an Unblu connection.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use trunkline_shared::model::Connection;

/// The secrets with which we log in to Unblu's web API: HTTP Basic, an account with the role ADMIN
/// (UA4).
pub const USERNAME: &str = "username";
/// See [`USERNAME`].
pub const PASSWORD: &str = "password";
/// The secret that signs both ways; two are live while one is rotated.
pub const WEBHOOK_SECRET: &str = "webhook_secret";
/// The prefix of the names of secrets that are sent as headers to where customers' files are, and
/// only to the hosts in `media_hosts`: `media_header:authorization` becomes `authorization`.
pub const MEDIA_HEADER: &str = "media_header:";

/// How large a file can be at most, in bytes: a function has little memory, and a data URL takes a third
/// more.
const LARGEST: usize = 16 * 1024 * 1024;
/// How large a file is sent unless a connection says otherwise, in bytes.
const USUAL: usize = 5 * 1024 * 1024;

/// A connection's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The web API's address, such as `https://unblu.cloud/app/rest/v4` (UA4).
    pub base_url: String,
    /// Its version: the two have other paths, bodies and answers.
    pub api_version: ApiVersion,
    /// The id of our channel.
    pub channel_id: String,
    /// What kind of recipient new conversations have: `NAMED_AREA`, `TEAM`, `AGENT` or `ACCOUNT`.
    pub recipient_type: Option<String>,
    /// Which one.
    pub recipient_id: Option<String>,
    /// The language of new conversations; the customer's, if there is none.
    pub locale: Option<String>,
    /// What kind of conversation is opened.
    pub initial_engagement_type: String,
    /// The `conversationVisibility` of new conversations; Unblu's own default, if there is none.
    pub visibility: Option<String>,
    /// The topic of new conversations.
    pub topic: Option<String>,
    /// Why a conversation is ended that the switchboard takes back.
    pub end_reason: String,
    /// The largest file that is sent as one; larger ones are sent as links.
    #[serde(deserialize_with = "bytes")]
    pub max_file_bytes: usize,
    /// The hosts that are sent the `media_header:` secrets, with commas between.
    pub media_hosts: String,
    /// Whether Unblu is told what became of its messages: the channel's
    /// `messageStateHandledExternally`.
    pub message_states: bool,
    /// How a message is marked that did not reach the customer: `TERMINAL` or `RETRYABLE`.
    pub fail_state: String,
    /// Whether messages of the type `SYSTEM` are passed on.
    pub system_messages: bool,
    /// The first line of what agents are told at a handover.
    pub handover_title: String,
    /// The channel connection to which contacts belong that agents create by a bare identifier.
    pub contact_channel: Option<String>,
}

/// The web API's version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// Unblu 6 and 7.
    V3,
    /// Unblu 8.
    #[default]
    V4,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            api_version: ApiVersion::default(),
            channel_id: String::new(),
            recipient_type: None,
            recipient_id: None,
            locale: None,
            initial_engagement_type: "CHAT_REQUEST".into(),
            visibility: None,
            topic: None,
            end_reason: "EXTERNAL_CHANNEL_CLOSED".into(),
            max_file_bytes: USUAL,
            media_hosts: String::new(),
            message_states: true,
            fail_state: "TERMINAL".into(),
            system_messages: false,
            handover_title: "Handed over by the assistant".into(),
            contact_channel: None,
        }
    }
}

impl Settings {
    /// As they were applied, which checked them; whatever does not fit any more takes its default.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        serde_json::from_value(Value::Object(connection.settings.clone())).unwrap_or_default()
    }

    /// From settings as they stand in a file.
    ///
    /// # Errors
    /// What does not fit.
    pub fn read(settings: &Map<String, Value>) -> Result<Self, serde_json::Error> {
        serde_json::from_value(Value::Object(settings.clone()))
    }

    /// The largest file that can be sent as one.
    #[must_use]
    pub fn largest_file(&self) -> usize {
        self.max_file_bytes.min(LARGEST)
    }

    /// Whether the `media_header:` secrets may be sent to a host.
    #[must_use]
    pub fn trusts(&self, host: &str) -> bool {
        let mut hosts = self.media_hosts.split(',').map(str::trim);
        hosts.any(|known| !known.is_empty() && known.eq_ignore_ascii_case(host))
    }
}

/// A number of bytes, which a file holds as a text.
#[must_use]
pub fn number(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => usize::try_from(other.as_u64()?).ok(),
    }
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let what = "max_file_bytes must be a number of bytes";
    number(&value).ok_or_else(|| serde::de::Error::custom(what))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(settings: &Value) -> Result<Settings, serde_json::Error> {
        Settings::read(settings.as_object().unwrap())
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(read(&json!({})).unwrap(), Settings::default());
        let set = json!({"api_version": "v3", "max_file_bytes": "1000"});
        let set = read(&set).unwrap();
        assert_eq!((set.api_version, set.largest_file()), (ApiVersion::V3, 1_000));
        let large = read(&json!({"max_file_bytes": 100_000_000})).unwrap();
        assert_eq!(large.largest_file(), LARGEST, "no more is held in memory");
        assert!(read(&json!({"max_file_bytes": "many"})).is_err());
        assert!(read(&json!({"api_version": "v5"})).is_err());
    }

    #[test]
    fn only_named_hosts_are_trusted() {
        let settings = read(&json!({"media_hosts": "files.example.com, M.example"})).unwrap();
        assert!(settings.trusts("files.example.com") && settings.trusts("m.example"));
        assert!(!settings.trusts("example.com") && !settings.trusts(""));
        assert!(!Settings::default().trusts(""));
    }
}
