//! Settings and secrets of a webhook connection.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The name of the secret that signs in both directions (`whsec_…`). Two values are live during a
/// rotation.
pub const SIGNING: &str = "signing";
/// The name of the secret with the token of `Authorization: Bearer`, for `auth: bearer`.
pub const BEARER: &str = "bearer";
/// The name of the secret with the API key, for `auth: api_key`.
pub const API_KEY: &str = "api_key";

/// A connection's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The URL for messages, and for all events without a URL of their own.
    pub message_url: String,
    /// The URL for handovers. Default: `message_url`.
    pub handover_url: Option<String>,
    /// The body template of a handover, with variables. Default: an event like any other.
    pub handover_body: Option<String>,
    /// The URL for receipts, typing, handbacks and closes. Default: `message_url`.
    pub events_url: Option<String>,
    /// How each side authenticates to the other.
    pub auth: Auth,
    /// The header of the API key. Default: `x-api-key`.
    pub api_key_header: Option<String>,
}

/// How each side authenticates to the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// A Standard Webhooks 1.0 signature.
    #[default]
    Signature,
    /// `Authorization: Bearer <token>`.
    Bearer,
    /// A header with a key.
    ApiKey,
}

impl Settings {
    /// Reads the settings of a connection. If one value is invalid, all settings are the defaults;
    /// `apply` has validated them.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

    /// Returns the name of the API key's header.
    #[must_use]
    pub fn key_header(&self) -> &str {
        self.api_key_header.as_deref().unwrap_or("x-api-key")
    }
}
