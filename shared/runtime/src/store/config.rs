//! Connections and routes as applied, and the results of connection and registration checks.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read};
use super::keys::{
    ALERT_OBSERVERS, CONNECTION_SK, CONNECTIONS, HEALTH_SK, REGISTRATION_SK, ROUTE_SK, ROUTES,
    connection_pk, health_pk, route_pk,
};
use super::transaction::{Condition, Write};
use super::{Item, Store, StoreError};
use trunkline_core::model::{Connection, ConnectionId, PlatformId, Role, Route, RouteId};

/// Result of the last check of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Challenge that the platform had to return.
    pub challenge: String,
    /// When the check ended.
    pub at: Timestamp,
    /// Why the check failed; `None` if it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Why the platform cannot be checked, and what to do instead; `None` if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// What was created or updated on the platform; `None` if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repaired: Option<String>,
}

/// Result of the last check of a connection's webhook registration on its platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// When the check ended.
    pub at: Timestamp,
    /// Why the registration is out of sync; `None` if it is in sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Entry in the list of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSummary {
    pub id: ConnectionId,
    pub platform: PlatformId,
    pub role: Role,
}

/// Adds the version to an item, and returns the condition that the stored version is the one before.
fn versioned(mut item: Item, version: u64) -> (Item, Condition) {
    item.insert("version".into(), AttributeValue::N(version.to_string()));
    let before = version.saturating_sub(1);
    (item, if before == 0 { Condition::New } else { Condition::Version(before) })
}

impl Store {
    /// Returns a connection as last applied.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        let found = self.get(connection_pk(id), CONNECTION_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Writes the next version of a connection, and its list entry.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is not the one before.
    pub async fn put_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        let listed = ConnectionSummary {
            id: connection.id.clone(),
            platform: connection.platform,
            role: connection.role,
        };
        let listed = item(CONNECTIONS.into(), connection.id.to_string(), &listed)?;
        let current = item(connection_pk(&connection.id), CONNECTION_SK.into(), connection)?;
        let (current, condition) = versioned(current, connection.version);
        let writes = vec![Write::Put(current, condition), Write::Put(listed, Condition::None)];
        self.transact(writes).await
    }

    /// Lists the connections by id, starting after `after`.
    pub async fn connections(
        &self,
        after: Option<&ConnectionId>,
        limit: u16,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        let after = after.map(ConnectionId::as_str);
        self.list(CONNECTIONS, "", after, limit).await?.iter().map(read).collect()
    }

    /// Returns a route as last applied.
    pub async fn route(&self, id: &RouteId) -> Result<Option<Route>, StoreError> {
        let found = self.get(route_pk(id), ROUTE_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Writes the next version of a route, and its list entry.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is not the one before.
    pub async fn put_route(&self, route: &Route) -> Result<(), StoreError> {
        let listed = item(ROUTES.into(), route.id.to_string(), &route.id)?;
        let current = item(route_pk(&route.id), ROUTE_SK.into(), route)?;
        let (current, condition) = versioned(current, route.version);
        let writes = vec![Write::Put(current, condition), Write::Put(listed, Condition::None)];
        self.transact(writes).await
    }

    /// Lists the ids of the routes, starting after `after`.
    pub async fn routes(
        &self,
        after: Option<&RouteId>,
        limit: u16,
    ) -> Result<Vec<RouteId>, StoreError> {
        let after = after.map(RouteId::as_str);
        self.list(ROUTES, "", after, limit).await?.iter().map(read).collect()
    }

    /// Returns the observers that receive operations alerts.
    pub async fn alert_observers(&self) -> Result<Vec<ConnectionId>, StoreError> {
        let found = self.get(ALERT_OBSERVERS.into(), ALERT_OBSERVERS.into()).await?;
        Ok(found.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// Sets the observers that receive operations alerts.
    pub async fn put_alert_observers(&self, observers: &[ConnectionId]) -> Result<(), StoreError> {
        self.put(item(ALERT_OBSERVERS.into(), ALERT_OBSERVERS.into(), &observers)?).await
    }

    /// Returns the result of the connection's last check.
    pub async fn health(&self, id: &ConnectionId) -> Result<Option<Health>, StoreError> {
        let found = self.get(health_pk(id), HEALTH_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Records the result of a connection check.
    pub async fn put_health(&self, id: &ConnectionId, health: &Health) -> Result<(), StoreError> {
        self.put(item(health_pk(id), HEALTH_SK.into(), health)?).await
    }

    /// Returns the result of the last registration check.
    pub async fn registration(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<Registration>, StoreError> {
        let found = self.get(health_pk(id), REGISTRATION_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Records the result of a registration check.
    pub async fn put_registration(
        &self,
        id: &ConnectionId,
        registration: &Registration,
    ) -> Result<(), StoreError> {
        self.put(item(health_pk(id), REGISTRATION_SK.into(), registration)?).await
    }
}
