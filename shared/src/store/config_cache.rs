//! Connections, routes and legs' addresses as remembered by this process, so that an ordinary message
//! reads none of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

use super::{LegAddress, Store, StoreError};
use crate::model::{Breaker, Connection, ConnectionId, Leg, LegId, Party, RouteId, Serving};

/// How long a connection or route is remembered: a change is everywhere within this time.
const FRESH: SignedDuration = SignedDuration::from_secs(30);
/// How long a breaker is remembered under which nothing has failed: it is read for each delivery, so that
/// one item would bear all of a busy connection's.
const WELL: SignedDuration = SignedDuration::from_secs(1);
/// How many of each are remembered.
const REMEMBERED: usize = 10_000;

/// What this process remembers of the configuration.
#[derive(Debug)]
pub struct Directory {
    store: Store,
    connections: Memory<ConnectionId, Arc<Connection>>,
    routes: Memory<RouteId, Arc<Serving>>,
    legs: Memory<(ConnectionId, String), LegAddress>,
    breakers: Memory<ConnectionId, Breaker>,
}

impl Directory {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            connections: Memory::default(),
            routes: Memory::default(),
            legs: Memory::default(),
            breakers: Memory::default(),
        }
    }

    /// A connection, as it was at most half a minute ago.
    ///
    /// # Errors
    /// If it is not remembered and the table does not answer.
    pub async fn connection(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Arc<Connection>>, StoreError> {
        if let Some(known) = self.connections.recall(id, now - FRESH) {
            return Ok(Some(known));
        }
        let found = self.store.connection(id).await?.map(Arc::new);
        if let Some(found) = &found {
            self.connections.remember(id.clone(), Arc::clone(found), now);
        }
        Ok(found)
    }

    /// A route with its parties, as it was at most half a minute ago.
    ///
    /// # Errors
    /// If it is not remembered and the table does not answer.
    pub async fn serving(
        &self,
        id: &RouteId,
        now: Timestamp,
    ) -> Result<Option<Arc<Serving>>, StoreError> {
        if let Some(known) = self.routes.recall(id, now - FRESH) {
            return Ok(Some(known));
        }
        let Some(route) = self.store.route(id).await? else { return Ok(None) };
        let mut observers = Vec::with_capacity(route.observers.len());
        for observer in &route.observers {
            observers.extend(self.party(Some(observer), now).await?);
        }
        let serving = Arc::new(Serving {
            bot: self.party(route.bot.as_ref(), now).await?,
            desk: self.party(route.desk.as_ref(), now).await?,
            route: route.id,
            observers,
            switching: route.switching,
        });
        self.routes.remember(id.clone(), Arc::clone(&serving), now);
        Ok(Some(serving))
    }

    async fn party(
        &self,
        id: Option<&ConnectionId>,
        now: Timestamp,
    ) -> Result<Option<Party>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.connection(id, now).await?.map(|connection| connection.as_party()))
    }

    /// A leg as it is, and its connection's breaker, which was well a second ago or is as it is.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn leg_and_breaker(
        &self,
        id: &LegId,
        now: Timestamp,
    ) -> Result<(Leg, Breaker), StoreError> {
        if let Some(well) = self.breakers.recall(&id.connection, now - WELL) {
            return Ok((self.store.leg(id).await?, well));
        }
        let (leg, breaker) = self.store.leg_and_breaker(id).await?;
        if breaker == Breaker::default() {
            self.breakers.remember(id.connection.clone(), breaker.clone(), now);
        }
        Ok((leg, breaker))
    }

    /// From now on a connection's breaker is read again.
    pub fn forget_breaker(&self, id: &ConnectionId) {
        self.breakers.forget(id);
    }

    /// Whose leg an external id is: once seen, it holds for good.
    ///
    /// # Errors
    /// If it is not remembered and the table does not answer.
    pub async fn leg_address(
        &self,
        connection: &ConnectionId,
        external_id: &str,
        now: Timestamp,
    ) -> Result<Option<LegAddress>, StoreError> {
        let id = (connection.clone(), external_id.to_owned());
        if let Some(known) = self.legs.recall(&id, Timestamp::MIN) {
            return Ok(Some(known));
        }
        let found = self.store.leg_address(connection, external_id).await?;
        if let Some(found) = &found {
            self.legs.remember(id, found.clone(), now);
        }
        Ok(found)
    }
}

#[derive(Debug)]
struct Memory<K, V>(RwLock<HashMap<K, (Timestamp, V)>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    fn recall(&self, key: &K, since: Timestamp) -> Option<V> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(at, _)| *at >= since).map(|(_, value)| value.clone())
    }

    fn forget(&self, key: &K) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn remember(&self, key: K, value: V, now: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_as_fresh_as_asked() {
        let memory = Memory::default();
        let at = Timestamp::from_second(100).unwrap();
        memory.remember("a", 1, at);
        assert_eq!(memory.recall(&"a", at - FRESH), Some(1));
        assert_eq!(memory.recall(&"a", at + FRESH), None);
        assert_eq!(memory.recall(&"b", Timestamp::MIN), None);
        memory.forget(&"a");
        assert_eq!(memory.recall(&"a", Timestamp::MIN), None);
    }
}
