//! In-process cache of connections, routes, leg addresses and breakers, so that an ordinary message reads
//! none of them from the table.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use trunkline_core::platform::{InvalidSetting, PlatformSettings};

use super::{LegAddress, Store, StoreError};
use trunkline_core::model::{
    Breaker, Connection, ConnectionId, ExternalConversationId, Leg, LegId, Party, ResolvedRoute,
    RouteId,
};

/// Lifetime of a cached connection or route: a change takes effect everywhere within this time.
const CONFIG_TTL: SignedDuration = SignedDuration::from_secs(30);
/// Lifetime of a cached breaker without failures. Every delivery reads the breaker, so without the cache a
/// busy connection would overload one item.
const BREAKER_TTL: SignedDuration = SignedDuration::from_secs(5);
/// Maximum number of entries of each kind.
const CAPACITY: usize = 10_000;

/// A connection with its settings.
#[derive(Debug, Clone)]
pub struct LoadedConnection<S> {
    pub connection: Arc<Connection>,
    /// The error if this version of Trunkline cannot use the settings.
    pub settings: Result<Arc<S>, InvalidSetting>,
}

/// The settings of a connection, parsed. Their type depends on the platform of the function.
type AnySettings = Result<Arc<dyn Any + Send + Sync>, InvalidSetting>;

#[derive(Debug)]
struct CachedConnection {
    connection: Arc<Connection>,
    settings: OnceLock<AnySettings>,
}

impl CachedConnection {
    fn new(connection: Connection) -> Self {
        Self { connection: Arc::new(connection), settings: OnceLock::new() }
    }

    fn load<S: PlatformSettings>(&self) -> LoadedConnection<S> {
        let parse = || S::parse(&self.connection.settings).map(Arc::new);
        let parsed = self.settings.get_or_init(|| parse().map(|parsed| parsed as _));
        let settings = match parsed {
            // A function has one platform, so the type is always the same.
            Ok(settings) => Arc::clone(settings).downcast().or_else(|_| parse()),
            Err(error) => Err(error.clone()),
        };
        LoadedConnection { connection: Arc::clone(&self.connection), settings }
    }
}

/// In-process cache of the configuration.
#[derive(Debug)]
pub struct ConfigCache {
    store: Store,
    connections: TtlCache<ConnectionId, Arc<CachedConnection>>,
    routes: TtlCache<RouteId, Arc<ResolvedRoute>>,
    legs: TtlCache<(ConnectionId, ExternalConversationId), LegAddress>,
    breakers: TtlCache<ConnectionId, Breaker>,
}

impl ConfigCache {
    /// Creates an empty cache.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            connections: TtlCache::default(),
            routes: TtlCache::default(),
            legs: TtlCache::default(),
            breakers: TtlCache::default(),
        }
    }

    /// Returns a connection, at most 30 seconds old.
    pub async fn connection(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Arc<Connection>>, StoreError> {
        Ok(self.cached(id, now).await?.map(|cached| Arc::clone(&cached.connection)))
    }

    /// Returns a connection of the function's own platform, at most 30 seconds old, with its settings. They
    /// are parsed once, when the connection is loaded.
    pub async fn own_connection<S: PlatformSettings>(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<LoadedConnection<S>>, StoreError> {
        Ok(self.cached(id, now).await?.map(|cached| cached.load()))
    }

    async fn cached(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Arc<CachedConnection>>, StoreError> {
        if let Some(cached) = self.connections.get(id, now - CONFIG_TTL) {
            return Ok(Some(cached));
        }
        let found = self.store.connection(id).await?.map(CachedConnection::new).map(Arc::new);
        if let Some(found) = &found {
            self.connections.insert(id.clone(), Arc::clone(found), now);
        }
        Ok(found)
    }

    /// Returns a route with its parties, at most 30 seconds old.
    pub async fn resolved_route(
        &self,
        id: &RouteId,
        now: Timestamp,
    ) -> Result<Option<Arc<ResolvedRoute>>, StoreError> {
        if let Some(cached) = self.routes.get(id, now - CONFIG_TTL) {
            return Ok(Some(cached));
        }
        let Some(route) = self.store.route(id).await? else { return Ok(None) };
        let mut observers = Vec::with_capacity(route.observers.len());
        for observer in &route.observers {
            observers.extend(self.party(Some(observer), now).await?);
        }
        let route = Arc::new(ResolvedRoute {
            bot: self.party(route.bot.as_ref(), now).await?,
            desk: self.party(route.desk.as_ref(), now).await?,
            route: route.id,
            observers,
            handover_policy: route.handover_policy,
        });
        self.routes.insert(id.clone(), Arc::clone(&route), now);
        Ok(Some(route))
    }

    async fn party(
        &self,
        id: Option<&ConnectionId>,
        now: Timestamp,
    ) -> Result<Option<Party>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.connection(id, now).await?.map(|connection| connection.as_party()))
    }

    /// Returns the current leg and its connection's breaker. A breaker without failures is at most five seconds
    /// old; any other is current.
    pub async fn leg_and_breaker(
        &self,
        id: &LegId,
        now: Timestamp,
    ) -> Result<(Leg, Breaker), StoreError> {
        if let Some(closed) = self.closed_breaker(&id.connection, now) {
            return Ok((self.store.leg(id).await?, closed));
        }
        let (leg, breaker) = self.store.leg_and_breaker(id).await?;
        self.cache_breaker(&id.connection, &breaker, now);
        Ok((leg, breaker))
    }

    /// Returns the current legs, in one call, which also reads the breakers that are not cached.
    pub async fn legs(&self, ids: &[LegId], now: Timestamp) -> Result<Vec<Leg>, StoreError> {
        let mut unknown: Vec<&ConnectionId> = Vec::new();
        for LegId { connection, .. } in ids {
            let is_cached = self.closed_breaker(connection, now).is_some();
            if !is_cached && !unknown.contains(&connection) {
                unknown.push(connection);
            }
        }
        let (legs, breakers) = self.store.legs_and_breakers(ids, &unknown).await?;
        for (connection, breaker) in unknown.into_iter().zip(&breakers) {
            self.cache_breaker(connection, breaker, now);
        }
        Ok(legs)
    }

    /// Returns a connection's breaker. One without failures is at most five seconds old; any other is current.
    pub async fn breaker(&self, id: &ConnectionId, now: Timestamp) -> Result<Breaker, StoreError> {
        if let Some(closed) = self.closed_breaker(id, now) {
            return Ok(closed);
        }
        let breaker = self.store.breaker(id).await?;
        self.cache_breaker(id, &breaker, now);
        Ok(breaker)
    }

    /// Returns a breaker without failures that is cached.
    fn closed_breaker(&self, id: &ConnectionId, now: Timestamp) -> Option<Breaker> {
        self.breakers.get(id, now - BREAKER_TTL)
    }

    fn cache_breaker(&self, id: &ConnectionId, breaker: &Breaker, now: Timestamp) {
        if *breaker == Breaker::default() {
            self.breakers.insert(id.clone(), breaker.clone(), now);
        }
    }

    /// Removes a connection's breaker from the cache, so that the next call reads it from the table.
    pub fn invalidate_breaker(&self, id: &ConnectionId) {
        self.breakers.remove(id);
    }

    /// Returns the leg that an external conversation id belongs to. Cached without expiry, because it never
    /// changes.
    pub async fn leg_address(
        &self,
        connection: &ConnectionId,
        external_id: &ExternalConversationId,
        now: Timestamp,
    ) -> Result<Option<LegAddress>, StoreError> {
        let id = (connection.clone(), external_id.clone());
        if let Some(cached) = self.legs.get(&id, Timestamp::MIN) {
            return Ok(Some(cached));
        }
        let found = self.store.leg_address(connection, external_id).await?;
        if let Some(found) = &found {
            self.legs.insert(id, found.clone(), now);
        }
        Ok(found)
    }
}

/// Map whose entries carry the time at which they were inserted. It is cleared when it is full.
#[derive(Debug)]
struct TtlCache<K, V>(RwLock<HashMap<K, (Timestamp, V)>>);

impl<K, V> Default for TtlCache<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V: Clone> TtlCache<K, V> {
    fn get(&self, key: &K, since: Timestamp) -> Option<V> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(at, _)| *at >= since).map(|(_, value)| value.clone())
    }

    fn remove(&self, key: &K) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn insert(&self, key: K, value: V, now: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_only_entries_newer_than_the_limit() {
        let cache = TtlCache::default();
        let at = Timestamp::from_second(100).unwrap();
        cache.insert("a", 1, at);
        assert_eq!(cache.get(&"a", at - CONFIG_TTL), Some(1));
        assert_eq!(cache.get(&"a", at + CONFIG_TTL), None);
        assert_eq!(cache.get(&"b", Timestamp::MIN), None);
        cache.remove(&"a");
        assert_eq!(cache.get(&"a", Timestamp::MIN), None);
    }
}
