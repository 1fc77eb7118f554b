//! Connections in the API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trunkline_core::model::{Connection, DeliveryPolicy, Reactivation};
use utoipa::ToSchema;

use super::serialized_name;

/// The retry policy of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicyView {
    /// The waiting times in seconds before the second, third and further attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Vec<u32>>,
    /// The number of consecutive failures that opens the breaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker_after: Option<u32>,
    /// How the breaker closes: `automatic`, after a successful probe, or `manual`, after a verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    reactivation: Option<String>,
    /// The number of further attempts after one whose result is unknown. Null: the platform's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_unknown: Option<u32>,
}

/// A connection, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConnectionView {
    id: String,
    platform: String,
    /// `channel`, `bot`, `desk` or `observer`.
    role: String,
    /// The id of the route. Required for channels; other roles have none.
    route: Option<String>,
    /// The version, which increases with each change.
    version: u64,
    /// Whether deliveries to the connection are suspended.
    suspended: bool,
    /// Whether a bot receives copies of the messages between the customer and the desk.
    copies: bool,
    /// Whether messages from agents start with the agent's name.
    sender_prefix: bool,
    /// The maximum length of a text in characters. Null: the platform's limit.
    text_limit: Option<u32>,
    /// Features that this connection displays although its platform does not in general: `markup`, `choices`,
    /// `media`.
    shows: Vec<String>,
    /// How long events are held to be sorted by their timestamps, in seconds.
    reorder_window: Option<u32>,
    /// The IP addresses or ranges that may call. Empty: all.
    allow_ips: Vec<String>,
    delivery: RetryPolicyView,
    /// The settings of the platform.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The names of the stored secrets.
    secrets: Vec<String>,
}

/// The new configuration of a connection. Members that are left out get their defaults.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionBody {
    /// The connection's id. If present, it must equal the id in the path.
    id: Option<String>,
    platform: String,
    /// `channel`, `bot`, `desk` or `observer`.
    role: String,
    /// The id of the route. Required for channels; other roles have none.
    pub route: Option<String>,
    /// Whether a bot receives copies of the messages between the customer and the desk.
    copies: Option<bool>,
    /// Whether messages from agents start with the agent's name.
    sender_prefix: Option<bool>,
    /// The maximum length of a text in characters. Null: the platform's limit.
    text_limit: Option<u32>,
    /// Features that this connection displays although its platform does not in general: `markup`, `choices`,
    /// `media`.
    shows: Option<Vec<String>>,
    /// How long events are held to be sorted by their timestamps, in seconds.
    reorder_window: Option<u32>,
    /// The IP addresses or ranges that may call. Empty: all.
    allow_ips: Option<Vec<String>>,
    delivery: Option<RetryPolicyView>,
    /// The settings of the platform.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// The new values of secrets by name. Null removes a secret; secrets that are not named stay unchanged.
    pub secrets: Option<BTreeMap<String, Option<String>>>,
}

impl ConnectionBody {
    /// Returns whether the body's id, if present, equals the id in the path.
    #[must_use]
    pub fn matches_id(&self, id: &str) -> bool {
        self.id.as_deref().is_none_or(|own| own == id)
    }

    /// Returns the connection in the format of the configuration file, without secrets.
    #[must_use]
    pub fn to_config_file(&self) -> Value {
        let mut members = json!({
            "platform": self.platform, "role": self.role, "copies": self.copies,
            "sender_prefix": self.sender_prefix, "text_limit": self.text_limit,
            "shows": self.shows, "reorder_window": self.reorder_window,
            "allow_ips": self.allow_ips, "delivery": self.delivery, "settings": self.settings,
        });
        if let Some(members) = members.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        members
    }
}

impl From<&DeliveryPolicy> for RetryPolicyView {
    fn from(policy: &DeliveryPolicy) -> Self {
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
            role: serialized_name(&connection.role),
            route: connection.route.map(|route| route.to_string()),
            version: connection.version,
            suspended: connection.suspended,
            copies: connection.copies,
            sender_prefix: connection.presentation.sender_prefix,
            text_limit: connection.presentation.text_limit,
            shows: connection.presentation.shows.iter().map(serialized_name).collect(),
            reorder_window: connection.reorder_window,
            allow_ips: connection.allow_ips.iter().map(ToString::to_string).collect(),
            delivery: (&connection.delivery).into(),
            settings: connection.settings,
            secrets: connection.secrets.into_iter().collect(),
        }
    }
}
