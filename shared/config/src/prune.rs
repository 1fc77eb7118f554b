//! Deletes connections and routes: what a stack has and a file does not, what prevents a deletion, and the
//! deletion itself.

use std::collections::BTreeSet;
use std::fmt;

use trunkline_core::model::{Connection, ConnectionId, Conversation, Role, Route, RouteId, State};
use trunkline_runtime::secrets::{SecretBag, SecretStore, SecretsError};
use trunkline_runtime::store::{ConnectionSummary, ListQuery, Store, StoreError};

use crate::file::Desired;

/// How many items one query reads.
const PAGE: u16 = 100;
/// The states of a conversation that people handle, or wait to handle.
const WITH_AGENTS: [State; 2] = [State::Pending, State::Desk];

/// A connection or route to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Connection(ConnectionId),
    Route(RouteId),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(id) => write!(f, "connection {id}"),
            Self::Route(id) => write!(f, "route {id}"),
        }
    }
}

/// Why a connection or route is not deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeleteRefused {
    /// Routes name the connection. Deleting it would leave them incomplete.
    #[error("the connection {id} is in the route {}: remove it there first", list(.routes))]
    InRoutes {
        id: ConnectionId,
        /// The routes that name it, at least one.
        routes: Vec<RouteId>,
    },
    /// Channels name the route. Without it, they reject every new customer.
    #[error("the route {id} serves the channel {}: move or delete the channel first", list(.channels))]
    HasChannels {
        id: RouteId,
        /// The channels that name it, at least one.
        channels: Vec<ConnectionId>,
    },
    /// Deliveries to the connection are parked or failed. The deletion can be forced.
    #[error(
        "deliveries to {id} wait ({parked} parked, {failed} failed): replay or discard them, or delete with \
         `force`, after which they fail with the reason that the connection is no longer configured"
    )]
    DeliveriesWait {
        id: ConnectionId,
        /// The number of parked deliveries; a lower bound.
        parked: usize,
        failed: usize,
    },
    /// Agents have conversations that depend on the connection or route. The deletion can be forced.
    #[error(
        "agents have conversations that depend on the {resource} (at least {count}): wait until they are \
         closed or handed back, or delete with `force`"
    )]
    AgentsBusy {
        resource: Resource,
        /// The number of such conversations; a lower bound.
        count: usize,
    },
}

impl DeleteRefused {
    /// Whether the operator can force the deletion nevertheless.
    #[must_use]
    pub fn can_be_forced(&self) -> bool {
        match self {
            Self::InRoutes { .. } | Self::HasChannels { .. } => false,
            Self::DeliveriesWait { .. } | Self::AgentsBusy { .. } => true,
        }
    }
}

/// Joins ids with commas.
fn list(ids: &[impl ToString]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What depends on a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionUse {
    /// The routes whose bot, desk or observer it is.
    pub routes: Vec<RouteId>,
    /// The number of parked deliveries to it; a lower bound.
    pub parked: usize,
    /// The number of failed deliveries to it.
    pub failed: usize,
    /// The number of conversations that agents have on it; a lower bound.
    pub with_agents: usize,
}

impl ConnectionUse {
    /// Returns why the connection must not be deleted; `None` if it may be. `force` accepts that deliveries and
    /// conversations are lost to it, but not an incomplete route.
    #[must_use]
    pub fn refusal(&self, id: &ConnectionId, force: bool) -> Option<DeleteRefused> {
        if !self.routes.is_empty() {
            return Some(DeleteRefused::InRoutes { id: id.clone(), routes: self.routes.clone() });
        }
        self.loss(id).filter(|_| !force)
    }

    /// Returns what a deletion would strand, without regard to routes.
    #[must_use]
    pub fn loss(&self, id: &ConnectionId) -> Option<DeleteRefused> {
        let (id, parked, failed, count) = (id.clone(), self.parked, self.failed, self.with_agents);
        if parked + failed > 0 {
            return Some(DeleteRefused::DeliveriesWait { id, parked, failed });
        }
        let busy = DeleteRefused::AgentsBusy { resource: Resource::Connection(id), count };
        (count > 0).then_some(busy)
    }
}

/// What depends on a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteUse {
    /// The channels that name it.
    pub channels: Vec<ConnectionId>,
    /// The number of its conversations that agents have; a lower bound.
    pub with_agents: usize,
}

impl RouteUse {
    /// Returns why the route must not be deleted; `None` if it may be. `force` accepts that conversations go on
    /// without its time limits, but not a channel without a route.
    #[must_use]
    pub fn refusal(&self, id: &RouteId, force: bool) -> Option<DeleteRefused> {
        if !self.channels.is_empty() {
            let channels = self.channels.clone();
            return Some(DeleteRefused::HasChannels { id: id.clone(), channels });
        }
        self.loss(id).filter(|_| !force)
    }

    /// Returns what a deletion would strand, without regard to channels.
    #[must_use]
    pub fn loss(&self, id: &RouteId) -> Option<DeleteRefused> {
        let (resource, count) = (Resource::Route(id.clone()), self.with_agents);
        (count > 0).then_some(DeleteRefused::AgentsBusy { resource, count })
    }
}

/// Reads what depends on a connection.
pub async fn connection_use(
    store: &Store,
    connection: &Connection,
) -> Result<ConnectionUse, StoreError> {
    let id = &connection.id;
    let with_agents = match connection.role {
        Role::Channel => conversations_with_agents(store, id, |_| true).await?,
        Role::Desk => {
            let at_desk = |conversation: &Conversation| {
                conversation.parties.desk.as_ref().is_some_and(|desk| desk.connection == *id)
            };
            with_agents_on_any_channel(store, at_desk).await?
        }
        Role::Bot | Role::Observer => 0,
    };
    let routes = all_routes(store).await?.into_iter().filter(|route| names(route, id));
    Ok(ConnectionUse {
        routes: routes.map(|route| route.id).collect(),
        parked: store.parked_summary(id).await?.count,
        failed: store.count_failed(id).await?,
        with_agents,
    })
}

/// Reads what depends on a route.
pub async fn route_use(store: &Store, id: &RouteId) -> Result<RouteUse, StoreError> {
    let mut channels = Vec::new();
    for listed in all_connections(store).await? {
        if listed.role != Role::Channel {
            continue;
        }
        let channel = store.connection(&listed.id).await?;
        channels.extend(channel.filter(|channel| channel.route.as_ref() == Some(id)));
    }
    let channels = channels.into_iter().map(|channel| channel.id).collect();
    let follows = |conversation: &Conversation| conversation.route == *id;
    Ok(RouteUse { channels, with_agents: with_agents_on_any_channel(store, follows).await? })
}

fn names(route: &Route, id: &ConnectionId) -> bool {
    let mut parties = route.bot.iter().chain(&route.desk).chain(&route.observers);
    parties.any(|party| party == id)
}

/// Counts the conversations that agents have on the first channel that has any.
async fn with_agents_on_any_channel(
    store: &Store,
    is_wanted: impl Fn(&Conversation) -> bool,
) -> Result<usize, StoreError> {
    for listed in all_connections(store).await? {
        if listed.role != Role::Channel {
            continue;
        }
        let count = conversations_with_agents(store, &listed.id, &is_wanted).await?;
        if count > 0 {
            return Ok(count);
        }
    }
    Ok(0)
}

/// Counts the conversations of a channel that agents have, among the last hundred of each state.
async fn conversations_with_agents(
    store: &Store,
    channel: &ConnectionId,
    is_wanted: impl Fn(&Conversation) -> bool,
) -> Result<usize, StoreError> {
    let query = ListQuery { limit: PAGE, ..ListQuery::default() };
    let mut count = 0;
    for state in WITH_AGENTS {
        let found = store.conversations(channel, state, &query).await?;
        count += found.iter().filter(|conversation| is_wanted(conversation)).count();
    }
    Ok(count)
}

async fn all_connections(store: &Store) -> Result<Vec<ConnectionSummary>, StoreError> {
    let mut all: Vec<ConnectionSummary> = Vec::new();
    loop {
        let page = store.connections(all.last().map(|last| &last.id), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn all_routes(store: &Store) -> Result<Vec<Route>, StoreError> {
    let mut ids: Vec<RouteId> = Vec::new();
    let mut all = Vec::new();
    loop {
        let page = store.routes(ids.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        for id in &page {
            all.extend(store.route(id).await?);
        }
        ids.extend(page);
    }
}

/// Returns what the stack has and a file does not, in the order in which it can be deleted: channels, then
/// routes, then the other connections.
pub async fn not_in_file(store: &Store, desired: &Desired) -> Result<Vec<Resource>, StoreError> {
    let routes = all_routes(store).await?.into_iter().map(|route| route.id).collect::<Vec<_>>();
    Ok(surplus(desired, &all_connections(store).await?, &routes))
}

/// Returns those of the stack's connections and routes that a file does not name, in the order in which they
/// can be deleted.
fn surplus(
    desired: &Desired,
    connections: &[ConnectionSummary],
    routes: &[RouteId],
) -> Vec<Resource> {
    let kept: BTreeSet<&RouteId> = desired.routes.iter().map(|route| &route.id).collect();
    let routes = routes.iter().filter(|id| !kept.contains(id)).cloned().map(Resource::Route);
    let gone = connections.iter().filter(|listed| desired.connection(&listed.id).is_none());
    let (channels, others): (Vec<_>, Vec<_>) =
        gone.partition(|listed| listed.role == Role::Channel);
    let resource = |listed: &ConnectionSummary| Resource::Connection(listed.id.clone());
    let channels = channels.into_iter().map(resource);
    channels.chain(routes).chain(others.into_iter().map(resource)).collect()
}

/// Error of looking for what a deletion would strand.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The table did not answer.
    #[error("nothing was changed: {0}")]
    Store(#[from] StoreError),
    /// Deliveries or conversations would be stranded.
    #[error("nothing was changed: {0}")]
    Refused(DeleteRefused),
}

/// Checks that nothing is stranded if these connections and routes are deleted together.
///
/// # Errors
/// The first connection or route with waiting deliveries or with conversations that agents have, or the table
/// does not answer.
pub async fn check_losses(store: &Store, resources: &[Resource]) -> Result<(), PruneError> {
    for resource in resources {
        let loss = match resource {
            Resource::Connection(id) => match store.connection(id).await? {
                Some(connection) => connection_use(store, &connection).await?.loss(id),
                None => None,
            },
            Resource::Route(id) => route_use(store, id).await?.loss(id),
        };
        if let Some(loss) = loss {
            return Err(PruneError::Refused(loss));
        }
    }
    Ok(())
}

/// Error of deleting a connection. Deleting it again is safe.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The table refused a write, or did not answer. [`StoreError::Conflict`] if the connection has changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Parameter Store refused to overwrite the secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// Deletes a connection, its secrets and its subscription to alerts. `connection` is as last read.
///
/// The connection is suspended first and deleted last, so that a deletion that fails in between leaves a
/// connection which receives nothing and can be deleted again.
///
/// The secrets are overwritten with an empty set. The parameter stays, because functions recognize secrets by the
/// parameter's version: one that is created again starts at 1, and functions that still run would take the old
/// secrets for the new ones.
///
/// # Errors
/// If the connection has changed, or AWS refuses a call.
pub async fn delete_connection(
    store: &Store,
    secrets: &SecretStore,
    connection: Connection,
) -> Result<(), DeleteError> {
    let version = connection.version + 1;
    let suspended = Connection { suspended: true, version, ..connection };
    store.put_connection(&suspended).await?;
    let id = &suspended.id;
    let subscribers = store.alert_observers().await?;
    if subscribers.contains(id) {
        let others = subscribers.into_iter().filter(|other| other != id);
        store.put_alert_observers(&others.collect::<Vec<_>>()).await?;
    }
    if secrets.fetch(id).await?.is_some_and(|(bag, _)| bag != SecretBag::default()) {
        secrets.write(id, &SecretBag::default()).await?;
    }
    Ok(store.delete_connection(id, version).await?)
}

#[cfg(test)]
mod tests {
    use trunkline_core::model::{HandoverPolicy, PlatformId};

    use super::*;
    use crate::file::examples::TOYS;
    use crate::file::{ReadOptions, SecretResolver, SecretSource, read};

    #[derive(Debug)]
    struct AnySecret;

    impl SecretResolver for AnySecret {
        fn resolve(&self, _: &SecretSource) -> Result<String, String> {
            Ok("long enough".into())
        }
    }

    const FILE: &str = "
connections:
  line: { platform: fax, role: channel, settings: { message_url: https://a.example }, secrets: { signing: { env: A } } }
  bot: { platform: fax, role: bot, settings: { message_url: https://a.example }, secrets: { signing: { env: A } } }
routes:
  main: { channels: [line], bot: bot }
";

    fn connection(id: &str) -> ConnectionId {
        id.parse().unwrap()
    }

    fn route(id: &str) -> RouteId {
        id.parse().unwrap()
    }

    #[test]
    fn surplus_is_in_the_order_of_deletion() {
        let options = ReadOptions { platforms: TOYS, secrets: &AnySecret, allow_local: false };
        let desired = read(FILE, options).unwrap();
        let listed = |id: &str, role| ConnectionSummary {
            id: connection(id),
            platform: PlatformId::from_static("fax"),
            role,
        };
        let connections = [
            listed("archive", Role::Observer),
            listed("bot", Role::Bot),
            listed("line", Role::Channel),
            listed("old-line", Role::Channel),
            listed("people", Role::Desk),
        ];
        let found = surplus(&desired, &connections, &[route("main"), route("old")]);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        let expected =
            ["connection old-line", "route old", "connection archive", "connection people"];
        assert_eq!(found, expected);
        assert_eq!(surplus(&desired, &connections[1..3], &[route("main")]), []);
    }

    #[test]
    fn force_overrides_all_but_references() {
        let id = connection("bot");
        let unused = ConnectionUse::default();
        assert_eq!(unused.refusal(&id, false), None);
        let waiting = ConnectionUse { parked: 2, failed: 1, ..unused.clone() };
        let refused = waiting.refusal(&id, false).unwrap();
        let text = refused.to_string();
        assert!(text.contains("2 parked, 1 failed") && refused.can_be_forced(), "{text}");
        assert_eq!(waiting.refusal(&id, true), None);
        let busy = ConnectionUse { with_agents: 3, ..unused.clone() };
        let refused = busy.refusal(&id, false).unwrap();
        assert!(refused.can_be_forced() && refused.to_string().contains("connection bot"));
        assert_eq!(busy.refusal(&id, true), None);
        let routes = vec![route("main"), route("night")];
        let named = ConnectionUse { routes, ..waiting };
        for force in [false, true] {
            let refused = named.refusal(&id, force).unwrap();
            let text = refused.to_string();
            assert!(text.contains("main, night") && !refused.can_be_forced(), "{text}");
        }
        assert!(named.loss(&id).is_some(), "the routes are not considered");
    }

    #[test]
    fn a_route_with_channels_is_kept() {
        let id = route("main");
        assert_eq!(RouteUse::default().refusal(&id, false), None);
        let used = RouteUse { channels: vec![connection("line")], with_agents: 1 };
        for force in [false, true] {
            assert!(matches!(used.refusal(&id, force), Some(DeleteRefused::HasChannels { .. })));
        }
        let busy = RouteUse { with_agents: 1, ..RouteUse::default() };
        assert!(busy.refusal(&id, false).is_some_and(|refused| refused.can_be_forced()));
        assert_eq!(busy.refusal(&id, true), None);
    }

    #[test]
    fn finds_a_connection_in_any_place_of_a_route() {
        let with = |place: &str| {
            let id = Some(connection("x"));
            let (bot, desk) = match place {
                "bot" => (id.clone(), None),
                "desk" => (None, id.clone()),
                _ => (None, None),
            };
            let observers = if place == "observers" { vec![connection("x")] } else { Vec::new() };
            let handover_policy = HandoverPolicy::default();
            Route { id: route("main"), bot, desk, observers, handover_policy, version: 1 }
        };
        for place in ["bot", "desk", "observers"] {
            assert!(names(&with(place), &connection("x")), "{place}");
            assert!(!names(&with(place), &connection("y")), "{place}");
        }
        assert!(!names(&with(""), &connection("x")));
    }
}
