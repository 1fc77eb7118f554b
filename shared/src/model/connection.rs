//! A connection: one configured account, adapter, channel or bot on a platform.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConnectionId, Feature, Party, Platform, Policy, RouteId};

/// What a connection is in a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The customer is there.
    Channel,
    /// It answers first.
    Bot,
    /// People are there.
    Desk,
    /// It gets copies only.
    Observer,
}

impl Role {
    /// All roles, as written in configuration.
    pub const NAMES: [(&'static str, Role); 4] = [
        ("channel", Role::Channel),
        ("bot", Role::Bot),
        ("desk", Role::Desk),
        ("observer", Role::Observer),
    ];
}

/// A connection as it is stored: settings and the names of its secrets, never a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// What it is in its route.
    pub role: Role,
    /// The route of a channel connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteId>,
    /// Whether it wants copies of what is not addressed to it.
    #[serde(default)]
    pub copies: bool,
    /// Whether what people say to it begins with their name.
    #[serde(default)]
    pub sender_prefix: bool,
    /// The longest text that it takes, in characters, where that differs from its platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_limit: Option<u32>,
    /// What it shows beyond its platform's row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<Feature>,
    /// For how many seconds its events are held back, to be passed on in the order of their own
    /// timestamps; not at all, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorder_window: Option<u32>,
    /// Whence its platform may call; empty for anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_ips: Vec<IpNet>,
    /// How deliveries to it are tried again.
    #[serde(default)]
    pub delivery: Policy,
    /// Whether nothing is sent to it for now, by a person's order: what comes for it parks, in order.
    #[serde(default)]
    pub suspended: bool,
    /// Counts its changes; a change is made only on the version it was decided on.
    #[serde(default)]
    pub version: u64,
    /// The platform's own settings, checked when they were applied.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// The names of its secrets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// Which writing of its secrets belongs to these settings.
    #[serde(default)]
    pub secrets_version: i64,
}

impl Connection {
    /// The connection as a party to a conversation.
    #[must_use]
    pub fn as_party(&self) -> Party {
        Party {
            connection: self.id.clone(),
            platform: self.platform,
            copies: self.copies,
            sender_prefix: self.sender_prefix,
            text_limit: self.text_limit,
            shows: self.shows.clone(),
        }
    }

    /// Whether its events stand in a transcript by their own timestamps, in place of their arrival.
    #[must_use]
    pub fn timestamps_rule(&self) -> bool {
        self.reorder_window.is_some() || self.platform.capabilities().timestamps_rule
    }
}
