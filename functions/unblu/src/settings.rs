//! The settings and secrets of an Unblu connection.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use trunkline_core::model::Connection;

/// The secret with the user name for Unblu's web API: HTTP Basic, an account with the role ADMIN (UA4).
pub const USERNAME: &str = "username";
/// The secret with the password that belongs to [`USERNAME`].
pub const PASSWORD: &str = "password";
/// The secret that signs Unblu's calls and the replies. Two values are valid during a rotation.
pub const WEBHOOK_SECRET: &str = "webhook_secret";
/// The name prefix of secrets that are sent as headers when customers' files are read, but only to the
/// hosts in `media_hosts`: `media_header:authorization` becomes the header `authorization`.
pub const MEDIA_HEADER: &str = "media_header:";

/// The largest possible file, in bytes: a function's memory is small, and a data URL is a third larger.
const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
/// The default of `max_file_bytes`.
const DEFAULT_FILE_BYTES: usize = 5 * 1024 * 1024;

/// A connection's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The web API's address, such as `https://unblu.cloud/app/rest/v4` (UA4).
    pub base_url: String,
    /// The web API's version. The versions differ in paths, bodies and responses.
    pub api_version: ApiVersion,
    /// The id of the external messenger channel.
    pub channel_id: String,
    /// The type of recipient of new conversations: `NAMED_AREA`, `TEAM`, `AGENT` or `ACCOUNT`.
    pub recipient_type: Option<String>,
    /// The id of that recipient.
    pub recipient_id: Option<String>,
    /// The language of new conversations; the customer's by default.
    pub locale: Option<String>,
    /// The `initialEngagementType` of new conversations.
    pub initial_engagement_type: String,
    /// The `conversationVisibility` of new conversations; Unblu's own default if absent.
    pub visibility: Option<String>,
    pub topic: Option<String>,
    /// The end reason of conversations that the switchboard takes back.
    pub end_reason: String,
    /// The largest file that is sent as a file, in bytes. Larger ones are sent as links.
    #[serde(deserialize_with = "deserialize_bytes")]
    pub max_file_bytes: usize,
    /// The hosts that receive the `media_header:` secrets, separated by commas.
    pub media_hosts: String,
    /// Whether Trunkline reports the state of agents' messages to Unblu: the channel's
    /// `messageStateHandledExternally`.
    pub message_states: bool,
    /// The fail state of a message that the customer's channel did not deliver: `TERMINAL` or
    /// `RETRYABLE`.
    pub fail_state: String,
    /// Whether messages of the type `SYSTEM` are passed on.
    pub system_messages: bool,
    /// The first line of the text that agents receive at a handover.
    pub handover_title: String,
    /// The channel connection of contacts that agents create with a customer id only.
    pub contact_channel: Option<String>,
}

/// The web API's version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// Web API v3, of Unblu 6 and 7.
    V3,
    /// Web API v4, of Unblu 8.
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
            max_file_bytes: DEFAULT_FILE_BYTES,
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
    /// Parses a connection's settings. `trunkline apply` has validated them; if they do not parse, all
    /// settings have their defaults.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        serde_json::from_value(Value::Object(connection.settings.clone())).unwrap_or_default()
    }

    /// Parses settings from a configuration file.
    ///
    /// # Errors
    /// Fails if a setting has a wrong type or value.
    pub fn read(settings: &Map<String, Value>) -> Result<Self, serde_json::Error> {
        serde_json::from_value(Value::Object(settings.clone()))
    }

    /// Returns the size limit of files, in bytes.
    #[must_use]
    pub fn file_size_limit(&self) -> usize {
        self.max_file_bytes.min(MAX_FILE_BYTES)
    }

    /// Returns whether the `media_header:` secrets may be sent to a host.
    #[must_use]
    pub fn trusts_host(&self, host: &str) -> bool {
        let mut hosts = self.media_hosts.split(',').map(str::trim);
        hosts.any(|known| !known.is_empty() && known.eq_ignore_ascii_case(host))
    }
}

/// Parses a number of bytes, which a configuration file contains as a string.
#[must_use]
pub fn parse_bytes(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => usize::try_from(other.as_u64()?).ok(),
    }
}

fn deserialize_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let what = "max_file_bytes must be a number of bytes";
    parse_bytes(&value).ok_or_else(|| serde::de::Error::custom(what))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(settings: &Value) -> Result<Settings, serde_json::Error> {
        Settings::read(settings.as_object().unwrap())
    }

    #[test]
    fn unset_settings_have_defaults() {
        assert_eq!(read(&json!({})).unwrap(), Settings::default());
        let set = json!({"api_version": "v3", "max_file_bytes": "1000"});
        let set = read(&set).unwrap();
        assert_eq!((set.api_version, set.file_size_limit()), (ApiVersion::V3, 1_000));
        let large = read(&json!({"max_file_bytes": 100_000_000})).unwrap();
        assert_eq!(large.file_size_limit(), MAX_FILE_BYTES, "limited by the function's memory");
        assert!(read(&json!({"max_file_bytes": "many"})).is_err());
        assert!(read(&json!({"api_version": "v5"})).is_err());
    }

    #[test]
    fn trusts_only_listed_hosts() {
        let settings = read(&json!({"media_hosts": "files.example.com, M.example"})).unwrap();
        assert!(settings.trusts_host("files.example.com") && settings.trusts_host("m.example"));
        assert!(!settings.trusts_host("example.com") && !settings.trusts_host(""));
        assert!(!Settings::default().trusts_host(""));
    }
}
