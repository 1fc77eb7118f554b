//! A route: who serves a channel connection.

use serde::{Deserialize, Serialize};

use super::{ConnectionId, RouteId};

/// Which bot and observers serve the channels that name this route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// What answers first.
    pub bot: ConnectionId,
    /// Who listens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<ConnectionId>,
}
