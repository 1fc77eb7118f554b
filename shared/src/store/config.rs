//! Connections and routes as they were applied, and how connections proved themselves.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read};
use super::write::{Condition, Write};
use super::{Item, Store, StoreError};
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
/// Under which all routes are listed.
const ROUTES: &str = "ROUTES";

/// An item with its version, and the condition that it is the next.
fn versioned(mut item: Item, version: u64) -> (Item, Condition) {
    item.insert("version".into(), AttributeValue::N(version.to_string()));
    let before = version.saturating_sub(1);
    (item, if before == 0 { Condition::New } else { Condition::Version(before) })
}

impl Store {
    /// A connection as it was last applied.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        let found = self.get(format!("CONN#{id}"), "CONN".into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Writes a connection with its next version, and lists it.
    ///
    /// # Errors
    /// If the table does not answer, or somebody else changed it meanwhile.
    pub async fn put_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        let listed = Listed {
            id: connection.id.clone(),
            platform: connection.platform,
            role: connection.role,
        };
        let listed = item(CONNECTIONS.into(), connection.id.to_string(), &listed)?;
        let whole = item(format!("CONN#{}", connection.id), "CONN".into(), connection)?;
        let (whole, condition) = versioned(whole, connection.version);
        let writes = vec![Write::Put(whole, condition), Write::Put(listed, Condition::None)];
        self.transact(writes).await
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

    /// Writes a route with its next version, and lists it.
    ///
    /// # Errors
    /// If the table does not answer, or somebody else changed it meanwhile.
    pub async fn put_route(&self, route: &Route) -> Result<(), StoreError> {
        let listed = item(ROUTES.into(), route.id.to_string(), &route.id)?;
        let whole = item(format!("ROUTE#{}", route.id), "ROUTE".into(), route)?;
        let (whole, condition) = versioned(whole, route.version);
        let writes = vec![Write::Put(whole, condition), Write::Put(listed, Condition::None)];
        self.transact(writes).await
    }

    /// The routes' ids in order, from after one.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn routes(
        &self,
        after: Option<&RouteId>,
        most: u16,
    ) -> Result<Vec<RouteId>, StoreError> {
        let after = after.map(RouteId::as_str);
        self.list(ROUTES, "", after, most).await?.iter().map(read).collect()
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
