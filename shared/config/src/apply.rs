//! Applies a configuration to a stack.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trunkline_core::model::{Connection, ConnectionId, PlatformId, Role, Route};
use trunkline_core::platform::Platforms;
use trunkline_runtime::app::random_secret;
use trunkline_runtime::queue::{QueueError, Queues};
use trunkline_runtime::secrets::{PATH_KEY, SecretBag, SecretStore, SecretsError};
use trunkline_runtime::store::{Store, StoreError};

use crate::file::{Desired, DesiredConnection};

/// Error of applying a configuration. Part of it may have been applied; applying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The table refused a read or write, or did not answer.
    #[error("{0}\nApply again: parts that were already applied do not change.")]
    Store(#[from] StoreError),
    /// The file moves a connection to another platform. Its conversations and deliveries belong to the current
    /// platform, so this is refused.
    #[error(
        "nothing was applied: the connection {id} belongs to the platform {current}, and so do its \
         conversations. Give the {requested} connection another id, and use that id in the route"
    )]
    PlatformChanged { id: ConnectionId, current: PlatformId, requested: PlatformId },
    /// The stack does not have the platform of a connection, so nothing could receive its deliveries.
    #[error("nothing was applied: {0}")]
    NotDeployed(QueueError),
    /// SQS does not answer whether the stack has a platform.
    #[error("nothing was applied: {0}")]
    Queue(QueueError),
    /// The Parameter Store refused a read or write of secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl From<QueueError> for ApplyError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::NotDeployed(_) => Self::NotDeployed(error),
            other => Self::Queue(other),
        }
    }
}

/// The stores that a configuration is written to, and the queues of the stack's platforms.
#[derive(Debug, Clone, Copy)]
pub struct ApplyTarget<'a> {
    pub platforms: Platforms,
    pub store: &'a Store,
    pub secrets: &'a SecretStore,
    /// Shows which platforms the stack has.
    pub queues: &'a Queues,
}

/// The result of applying one connection or route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// For example `connection shop-bot` or `route shop`.
    pub resource: String,
    pub change: Change,
}

/// How applying changes a connection or route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The stack did not have it.
    Created,
    /// The stack had it with other values.
    Updated,
    /// The stack had it with the same values.
    Unchanged,
}

impl Change {
    fn from(before: Option<bool>) -> Self {
        match before {
            None => Self::Created,
            Some(true) => Self::Unchanged,
            Some(false) => Self::Updated,
        }
    }
}

/// Applies a configuration to a stack. Connections and routes that the file does not name are not changed.
/// Bots, desks, observers and routes are written before channels, so that no message meets an incomplete
/// route.
///
/// # Errors
/// If AWS refuses a call, if a connection belongs to another platform, or if the stack does not have the
/// platform of a connection. Applying again is safe.
pub async fn apply(
    target: ApplyTarget<'_>,
    desired: &Desired,
    mut on_applied: impl FnMut(&Applied),
) -> Result<(), ApplyError> {
    let (channels, others): (Vec<_>, Vec<_>) =
        desired.connections.iter().partition(|desired| desired.connection.role == Role::Channel);
    for DesiredConnection { connection: wanted, .. } in &desired.connections {
        let before = target.store.connection(&wanted.id).await?;
        if let Some(before) = before.filter(|before| before.platform != wanted.platform) {
            let (id, requested) = (wanted.id.clone(), wanted.platform);
            return Err(ApplyError::PlatformChanged { id, current: before.platform, requested });
        }
    }
    let platforms: BTreeSet<PlatformId> =
        desired.connections.iter().map(|desired| desired.connection.platform).collect();
    for platform in platforms {
        target.queues.check_deployed(platform).await?;
    }
    for desired in others {
        on_applied(&apply_connection(target, desired).await?);
    }
    for route in &desired.routes {
        let before = target.store.route(&route.id).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        let wanted = Route { version, ..route.clone() };
        let change = Change::from(before.map(|before| before == wanted));
        if change != Change::Unchanged {
            target.store.put_route(&Route { version: version + 1, ..wanted }).await?;
        }
        on_applied(&Applied { resource: format!("route {}", route.id), change });
    }
    update_subscribers(target, desired).await?;
    for desired in channels {
        on_applied(&apply_connection(target, desired).await?);
    }
    Ok(())
}

/// Stores which observers of a file subscribe to operations alerts.
async fn update_subscribers(target: ApplyTarget<'_>, desired: &Desired) -> Result<(), ApplyError> {
    let connections: Vec<&Connection> =
        desired.connections.iter().map(|desired| &desired.connection).collect();
    Ok(update_alert_subscribers(target.store, target.platforms, &connections).await?)
}

/// Stores which of these observers subscribe to operations alerts. The subscriptions of other observers do
/// not change.
pub async fn update_alert_subscribers(
    store: &Store,
    platforms: Platforms,
    connections: &[&Connection],
) -> Result<(), StoreError> {
    let before = store.alert_observers().await?;
    let mut wanted = before.clone();
    wanted.retain(|known| connections.iter().all(|connection| connection.id != *known));
    let asking = connections.iter().filter(|connection| {
        let spec = platforms.get(connection.platform);
        spec.is_some_and(|spec| spec.receives_alerts(connection.role, &connection.settings))
    });
    wanted.extend(asking.map(|connection| connection.id.clone()));
    if wanted != before {
        store.put_alert_observers(&wanted).await?;
    }
    Ok(())
}

async fn apply_connection(
    target: ApplyTarget<'_>,
    desired: &DesiredConnection,
) -> Result<Applied, ApplyError> {
    let secrets_version = put_secrets(target, desired).await?;
    let before = target.store.connection(&desired.connection.id).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    // A file cannot suspend a connection: only an operator can.
    let suspended = before.as_ref().is_some_and(|before| before.suspended);
    let wanted = Connection { secrets_version, suspended, version, ..desired.connection.clone() };
    let change = Change::from(before.map(|before| before == wanted));
    if change != Change::Unchanged {
        let wanted = Connection { version: version + 1, ..wanted.clone() };
        target.store.put_connection(&wanted).await?;
    }
    Ok(Applied { resource: format!("connection {}", wanted.id), change })
}

/// Writes the secrets if they differ. Returns the version that is stored afterwards.
async fn put_secrets(
    target: ApplyTarget<'_>,
    desired: &DesiredConnection,
) -> Result<i64, ApplyError> {
    let id = &desired.connection.id;
    let (before, version) = target.secrets.fetch(id).await?.unwrap_or_default();
    let mut wanted = SecretBag::default();
    for (name, values) in &desired.secrets {
        wanted.set(name, values.clone());
    }
    if wanted.newest(PATH_KEY).is_none() {
        // The previous key stays valid until the next rotation.
        let kept: Vec<String> = before.live(PATH_KEY).into_iter().map(Into::into).collect();
        wanted.set(PATH_KEY, if kept.is_empty() { vec![new_path_key()] } else { kept });
    }
    if wanted == before {
        return Ok(version);
    }
    Ok(target.secrets.write(id, &wanted).await?)
}

/// Returns a new random path key for an inbound URL.
#[must_use]
pub fn new_path_key() -> String {
    URL_SAFE_NO_PAD.encode(random_secret())
}

/// Returns the inbound URL that a connection's platform calls; `None` if the connection has not been
/// applied.
///
/// # Errors
/// If the connection's path key cannot be read.
pub async fn inbound_url(
    secrets: &SecretStore,
    api: &str,
    connection: &Connection,
) -> Result<Option<String>, SecretsError> {
    let written = secrets.fetch(&connection.id).await?;
    let key = written.and_then(|(bag, _)| bag.newest(PATH_KEY).map(ToOwned::to_owned));
    Ok(key.map(|key| format!("{api}/in/{}/{}/{key}", connection.platform, connection.id)))
}

/// What applying would change in one connection or route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// For example `connection shop-bot` or `route shop`.
    pub resource: String,
    pub change: Change,
    /// A line for each member that differs, such as `text_limit: nothing -> 1600`. Never contains the value
    /// of a secret.
    pub differences: Vec<String>,
}

/// Returns what applying a configuration would change.
///
/// # Errors
/// If AWS refuses a call.
pub async fn plan(
    target: ApplyTarget<'_>,
    desired: &Desired,
) -> Result<Vec<PlannedChange>, ApplyError> {
    let mut planned = Vec::new();
    for desired in &desired.connections {
        let before = target.store.connection(&desired.connection.id).await?;
        let mut differences = match &before {
            Some(before) => {
                let same = Connection {
                    secrets: before.secrets.clone(),
                    secrets_version: before.secrets_version,
                    suspended: before.suspended,
                    version: before.version,
                    ..desired.connection.clone()
                };
                member_changes(before, &same)
            }
            None => Vec::new(),
        };
        if before.is_some() {
            let (bag, _) = target.secrets.fetch(&desired.connection.id).await?.unwrap_or_default();
            differences.extend(secret_changes(&bag, desired));
        }
        let resource = format!("connection {}", desired.connection.id);
        planned.push(PlannedChange {
            resource,
            change: change(before.is_some(), &differences),
            differences,
        });
    }
    for route in &desired.routes {
        let before = target.store.route(&route.id).await?;
        let differences = before.as_ref().map_or_else(Vec::new, |before| {
            member_changes(before, &Route { version: before.version, ..route.clone() })
        });
        let resource = format!("route {}", route.id);
        planned.push(PlannedChange {
            resource,
            change: change(before.is_some(), &differences),
            differences,
        });
    }
    Ok(planned)
}

fn change(is_there: bool, differences: &[String]) -> Change {
    match (is_there, differences.is_empty()) {
        (false, _) => Change::Created,
        (true, true) => Change::Unchanged,
        (true, false) => Change::Updated,
    }
}

fn secret_changes(bag: &SecretBag, desired: &DesiredConnection) -> Vec<String> {
    let wanted = |name: &str| desired.secrets.iter().find(|(wanted, _)| wanted == name);
    let kept = |name: &str| name == PATH_KEY || wanted(name).is_some();
    let gone = bag.names().filter(|name| !kept(name));
    let gone = gone.map(|name| format!("secrets.{name}: removed"));
    let other = desired.secrets.iter().filter(|(name, values)| bag.live(name) != *values);
    let other = other.map(|(name, _)| {
        let known = bag.newest(name).is_some();
        format!("secrets.{name}: {}", if known { "changed" } else { "added" })
    });
    gone.chain(other).collect()
}

/// Returns a line for each JSON member in which two values differ.
fn member_changes<T: serde::Serialize>(before: &T, after: &T) -> Vec<String> {
    let members = |value: &T| {
        let mut members = std::collections::BTreeMap::new();
        flatten("", &serde_json::to_value(value).unwrap_or_default(), &mut members);
        members
    };
    let (before, after) = (members(before), members(after));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let shown = |value: Option<&serde_json::Value>| {
        value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    differ
        .map(|name| format!("{name}: {} -> {}", shown(before.get(name)), shown(after.get(name))))
        .collect()
}

fn flatten(
    path: &str,
    value: &serde_json::Value,
    into: &mut std::collections::BTreeMap<String, serde_json::Value>,
) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, into);
            }
        }
        value => {
            into.insert(path.to_owned(), value.clone());
        }
    }
}
