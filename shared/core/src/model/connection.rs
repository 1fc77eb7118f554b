//! A connection: one configured account, adapter, channel or bot on a platform.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Behaviour, Capabilities, ConnectionId, DeliveryPolicy, Party, PlatformId, PresentationOptions,
    RouteId,
};

/// The role of a connection in a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Connects customers.
    Channel,
    /// Answers customers first.
    Bot,
    /// Connects human agents.
    Desk,
    /// Receives copies only.
    Observer,
}

impl Role {
    /// All roles with their names in the configuration.
    pub const NAMES: [(&'static str, Role); 4] = [
        ("channel", Role::Channel),
        ("bot", Role::Bot),
        ("desk", Role::Desk),
        ("observer", Role::Observer),
    ];
}

/// A connection as stored: its settings and the names of its secrets, never the secrets themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub id: ConnectionId,
    pub platform: PlatformId,
    pub role: Role,
    /// The route of a channel connection. `None` for other roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteId>,
    /// Whether the connection receives copies of events that are not addressed to it.
    #[serde(default)]
    pub copies: bool,
    #[serde(default)]
    pub presentation: PresentationOptions,
    /// What the platform can show and do. Applying the configuration stores it, because a function knows only
    /// its own platform.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// How the platform behaves. Stored like `capabilities`.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Seconds for which events are held, to be released in the order of their own timestamps. `None`:
    /// events are not held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorder_window: Option<u32>,
    /// Source addresses from which the platform may call. Empty: all addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_ips: Vec<IpNet>,
    /// The retry schedule and the breaker settings.
    #[serde(default)]
    pub delivery: DeliveryPolicy,
    /// Whether an operator has suspended the connection. Deliveries to it are parked, in order.
    #[serde(default)]
    pub suspended: bool,
    /// Increases with each change. A change is only written to the version that it was based on.
    #[serde(default)]
    pub version: u64,
    /// The platform's settings, validated when the configuration was applied.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// The version of the secrets that belongs to these settings.
    #[serde(default)]
    pub secrets_version: i64,
}

impl Connection {
    /// Returns the connection as a party of a conversation.
    #[must_use]
    pub fn as_party(&self) -> Party {
        Party {
            connection: self.id.clone(),
            platform: self.platform,
            copies: self.copies,
            presentation: self.presentation.resolve(self.capabilities),
        }
    }

    /// Returns whether a transcript sorts the connection's events by their own timestamps instead of their
    /// arrival.
    #[must_use]
    pub fn orders_by_timestamp(&self) -> bool {
        self.reorder_window.is_some() || self.behaviour.orders_by_timestamp
    }
}
