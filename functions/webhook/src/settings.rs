//! What an operator sets for a webhook connection.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The secrets that sign both ways (`whsec_…`); two are live while one is rotated.
pub const SIGNING: &str = "signing";
/// The token of `Authorization: Bearer`, where that is chosen.
pub const BEARER: &str = "bearer";
/// The key that is sent in the API key's header, where that is chosen.
pub const API_KEY: &str = "api_key";

/// A connection's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where messages go, and all else that has no address of its own.
    pub message_url: String,
    /// Where handovers go.
    pub handover_url: Option<String>,
    /// The body of a handover, with variables (see the crate's `template`); JSON like any event if
    /// there is none.
    pub handover_body: Option<String>,
    /// Where receipts, typing, hand-backs and closes go.
    pub events_url: Option<String>,
    /// How each side proves itself to the other.
    pub auth: Auth,
    /// The header of the API key.
    pub api_key_header: Option<String>,
}

/// How each side proves itself to the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Standard Webhooks 1.0.
    #[default]
    Signature,
    /// `Authorization: Bearer <token>`.
    Bearer,
    /// A header with a key.
    ApiKey,
}

impl Settings {
    /// As they were applied, which checked them.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

    /// The header of the API key.
    #[must_use]
    pub fn key_header(&self) -> &str {
        self.api_key_header.as_deref().unwrap_or("x-api-key")
    }
}
