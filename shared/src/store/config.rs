//! Connections and routes as they were applied, and how connections proved themselves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read};
use super::write::{Condition, Write};
use super::{Store, StoreError};
use crate::model::{Connection, ConnectionId, Platform, Role, Route, RouteId};

/// How a connection's far side last answered the question whether it is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What it was asked with.
    pub challenge: String,
    /// When it answered, or did not.
    pub at: Timestamp,
    /// What was wrong; absent where it answered rightly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Why there is nothing to be asked, where its platform has no call for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unasked: Option<String>,
}

/// How a far side that keeps a registration of ours last had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// When it was looked at.
    pub at: Timestamp,
    /// What was wrong; absent where it was as we want it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A connection in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Which.
    pub id: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// What it is.
    pub role: Role,
}

/// Under which all connections are listed.
const CONNECTIONS: &str = "CONNECTIONS";

impl Store {
    /// A connection as it was last applied.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        let found = self.get(format!("CONN#{id}"), "CONN".into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Applies a connection.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn put_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        let listed = Listed {
            id: connection.id.clone(),
            platform: connection.platform,
            role: connection.role,
        };
        let listed = item(CONNECTIONS.into(), connection.id.to_string(), &listed)?;
        let whole = item(format!("CONN#{}", connection.id), "CONN".into(), connection)?;
        let writes = [whole, listed].map(|item| Write::Put(item, Condition::None));
        self.transact(writes.into()).await
    }

    /// The connections in the order of their ids, from after one.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn connections(
        &self,
        after: Option<&ConnectionId>,
        most: u16,
    ) -> Result<Vec<Listed>, StoreError> {
        let after = after.map(ConnectionId::as_str);
        self.list(CONNECTIONS, "", after, most).await?.iter().map(read).collect()
    }

    /// A route as it was last applied.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn route(&self, id: &RouteId) -> Result<Option<Route>, StoreError> {
        let found = self.get(format!("ROUTE#{id}"), "ROUTE".into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Applies a route.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn put_route(&self, route: &Route) -> Result<(), StoreError> {
        self.put(item(format!("ROUTE#{}", route.id), "ROUTE".into(), route)?).await
    }

    /// The observers that asked for reports of what happens to deliveries.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn operators(&self) -> Result<Vec<ConnectionId>, StoreError> {
        let found = self.get("OPERATORS".into(), "OPERATORS".into()).await?;
        Ok(found.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// Says which observers get reports.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn put_operators(&self, operators: &[ConnectionId]) -> Result<(), StoreError> {
        self.put(item("OPERATORS".into(), "OPERATORS".into(), &operators)?).await
    }

    /// How the connection last proved itself.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn health(&self, id: &ConnectionId) -> Result<Option<Health>, StoreError> {
        let found = self.get(format!("HEALTH#{id}"), "HEALTH".into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Records how the connection proved itself.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn put_health(&self, id: &ConnectionId, health: &Health) -> Result<(), StoreError> {
        self.put(item(format!("HEALTH#{id}"), "HEALTH".into(), health)?).await
    }

    /// How a far side last had us registered.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn registration(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<Registration>, StoreError> {
        let found = self.get(format!("HEALTH#{id}"), "REGISTRATION".into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Records how a far side has us registered.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn put_registration(
        &self,
        id: &ConnectionId,
        registration: &Registration,
    ) -> Result<(), StoreError> {
        self.put(item(format!("HEALTH#{id}"), "REGISTRATION".into(), registration)?).await
    }
}
