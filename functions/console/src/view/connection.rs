//! Connections.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trunkline_shared::model::{Connection, Policy, Reactivation};
use utoipa::ToSchema;

use super::word;

/// How deliveries are tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivering {
    /// Seconds to wait before the second, third … attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Vec<u32>>,
    /// After how many failures in a row the breaker opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker_after: Option<u32>,
    /// `automatic`, or `manual`: by a verification only.
    #[serde(skip_serializing_if = "Option::is_none")]
    reactivation: Option<String>,
    /// How many further attempts follow one of which nobody knows whether it was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_unknown: Option<u32>,
}

/// A connection, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConnectionView {
    /// Its id.
    id: String,
    /// Its platform.
    platform: String,
    /// What it is in a route: `channel`, `bot`, `desk` or `observer`.
    role: String,
    /// A channel's route.
    route: Option<String>,
    /// Counts its changes.
    version: u64,
    /// Whether nothing is sent to it for now.
    suspended: bool,
    /// Whether it gets copies of what is not addressed to it.
    copies: bool,
    /// Whether what people say to it begins with their name.
    sender_prefix: bool,
    /// The longest text that it takes.
    text_limit: Option<u32>,
    /// What it shows beyond its platform's row: `markup`, `choices`, `media`.
    shows: Vec<String>,
    /// For how many seconds its events are held back, to be put in order.
    reorder_window: Option<u32>,
    /// Whence its platform may call; anywhere, if empty.
    allow_ips: Vec<String>,
    /// How deliveries are tried again.
    delivery: Delivering,
    /// Its platform's own settings.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The names of its secrets.
    secrets: Vec<String>,
}

/// A connection as it is to be. What is left out is as usual.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionInput {
    /// Its id, if it is said: the path's.
    id: Option<String>,
    /// Its platform.
    platform: String,
    /// What it is in a route: `channel`, `bot`, `desk` or `observer`.
    role: String,
    /// A channel's route.
    pub route: Option<String>,
    /// Whether it gets copies of what is not addressed to it.
    copies: Option<bool>,
    /// Whether what people say to it begins with their name.
    sender_prefix: Option<bool>,
    /// The longest text that it takes.
    text_limit: Option<u32>,
    /// What it shows beyond its platform's row: `markup`, `choices`, `media`.
    shows: Option<Vec<String>>,
    /// For how many seconds its events are held back, to be put in order.
    reorder_window: Option<u32>,
    /// Whence its platform may call; anywhere, if empty.
    allow_ips: Option<Vec<String>>,
    /// How deliveries are tried again.
    delivery: Option<Delivering>,
    /// Its platform's own settings.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// New values of secrets by name; null removes one, what is not named stays.
    pub secrets: Option<BTreeMap<String, Option<String>>>,
}

impl ConnectionInput {
    /// Whether the id that it says, if any, is this one.
    #[must_use]
    pub fn is_of(&self, id: &str) -> bool {
        self.id.as_deref().is_none_or(|said| said == id)
    }

    /// As a file has it, but for the secrets.
    #[must_use]
    pub fn as_in_a_file(&self) -> Value {
        let mut written = json!({
            "platform": self.platform, "role": self.role, "copies": self.copies,
            "sender_prefix": self.sender_prefix, "text_limit": self.text_limit,
            "shows": self.shows, "reorder_window": self.reorder_window,
            "allow_ips": self.allow_ips, "delivery": self.delivery, "settings": self.settings,
        });
        if let Some(written) = written.as_object_mut() {
            written.retain(|_, value| !value.is_null());
        }
        written
    }
}

impl From<&Policy> for Delivering {
    fn from(policy: &Policy) -> Self {
        let reactivation = match policy.reactivation {
            Reactivation::Automatic => "automatic",
            Reactivation::Manual => "manual",
        };
        Self {
            retry: Some(policy.retry.clone()),
            breaker_after: Some(policy.breaker_after),
            reactivation: Some(reactivation.to_owned()),
            retry_unknown: policy.retry_unknown,
        }
    }
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        Self {
            id: connection.id.to_string(),
            platform: connection.platform.to_string(),
            role: word(&connection.role),
            route: connection.route.map(|route| route.to_string()),
            version: connection.version,
            suspended: connection.suspended,
            copies: connection.copies,
            sender_prefix: connection.sender_prefix,
            text_limit: connection.text_limit,
            shows: connection.shows.iter().map(word).collect(),
            reorder_window: connection.reorder_window,
            allow_ips: connection.allow_ips.iter().map(ToString::to_string).collect(),
            delivery: (&connection.delivery).into(),
            settings: connection.settings,
            secrets: connection.secrets.into_iter().collect(),
        }
    }
}
