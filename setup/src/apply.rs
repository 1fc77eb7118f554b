//! Puts what a file asks for into a stack.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trunkline_shared::app::unguessable;
use trunkline_shared::model::{Connection, ConnectionId, Platform, Role, Route};
use trunkline_shared::secrets::{PATH_KEY, SecretBag, Secrets, SecretsError};
use trunkline_shared::store::{Store, StoreError};

use crate::config::{Desired, DesiredConnection};

/// Why it was not put there, or not all of it. Applying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The table.
    #[error("{0}\nApply again: what was applied stays as it is.")]
    Store(#[from] StoreError),
    /// A connection would be another platform's, with conversations and deliveries of the one before.
    #[error(
        "nothing was applied: {id} is on {before}, and its conversations with it. Give the connection on \
         {wanted} another id, and put that into the route"
    )]
    OtherPlatform {
        /// Which.
        id: ConnectionId,
        /// Where it is.
        before: Platform,
        /// Where it was to be.
        wanted: Platform,
    },
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// Where a configuration is put.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The table.
    pub store: &'a Store,
    /// The secrets.
    pub secrets: &'a Secrets,
}

/// What was done about one connection or route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What it is.
    pub what: String,
    /// What was done.
    pub change: Change,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// It was other than asked for.
    Updated,
    /// It was as asked for.
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

/// Puts what a file asks for into a stack; what the file does not name stays as it is. Whoever serves
/// a channel is put there before the channel, so that no message meets half a route.
///
/// # Errors
/// If AWS refuses, or a connection is on another platform. Applying again is safe.
pub async fn apply(
    site: Site<'_>,
    desired: &Desired,
    mut told: impl FnMut(&Applied),
) -> Result<(), ApplyError> {
    let (channels, others): (Vec<_>, Vec<_>) =
        desired.connections.iter().partition(|desired| desired.connection.role == Role::Channel);
    for DesiredConnection { connection: wanted, .. } in &desired.connections {
        let before = site.store.connection(&wanted.id).await?;
        if let Some(before) = before.filter(|before| before.platform != wanted.platform) {
            let (id, wanted) = (wanted.id.clone(), wanted.platform);
            return Err(ApplyError::OtherPlatform { id, before: before.platform, wanted });
        }
    }
    for desired in others {
        told(&connection(site, desired).await?);
    }
    for route in &desired.routes {
        let before = site.store.route(&route.id).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        let wanted = Route { version, ..route.clone() };
        let change = Change::from(before.map(|before| before == wanted));
        if change != Change::Unchanged {
            site.store.put_route(&Route { version: version + 1, ..wanted }).await?;
        }
        told(&Applied { what: format!("route {}", route.id), change });
    }
    put_operators(site, desired).await?;
    for desired in channels {
        told(&connection(site, desired).await?);
    }
    Ok(())
}

/// The webhook setting by which an observer asks for reports.
pub const OPERATIONS: &str = "operations";

/// Notes which observers of a file asked for reports.
async fn put_operators(site: Site<'_>, desired: &Desired) -> Result<(), ApplyError> {
    let connections: Vec<&Connection> =
        desired.connections.iter().map(|desired| &desired.connection).collect();
    Ok(list_operators(site.store, &connections).await?)
}

/// Notes which of these observers asked for reports; others stay as they are.
///
/// # Errors
/// If the table does not answer.
pub async fn list_operators(store: &Store, connections: &[&Connection]) -> Result<(), StoreError> {
    let before = store.operators().await?;
    let mut wanted = before.clone();
    wanted.retain(|known| connections.iter().all(|connection| connection.id != *known));
    let asking = connections.iter().filter(|connection| {
        connection.role == Role::Observer
            && connection.settings.get(OPERATIONS) == Some(&true.into())
    });
    wanted.extend(asking.map(|connection| connection.id.clone()));
    if wanted != before {
        store.put_operators(&wanted).await?;
    }
    Ok(())
}

async fn connection(site: Site<'_>, desired: &DesiredConnection) -> Result<Applied, ApplyError> {
    let secrets_version = put_secrets(site, desired).await?;
    let before = site.store.connection(&desired.connection.id).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    // Files do not say it: a person does.
    let suspended = before.as_ref().is_some_and(|before| before.suspended);
    let wanted = Connection { secrets_version, suspended, version, ..desired.connection.clone() };
    let change = Change::from(before.map(|before| before == wanted));
    if change != Change::Unchanged {
        let wanted = Connection { version: version + 1, ..wanted.clone() };
        site.store.put_connection(&wanted).await?;
    }
    Ok(Applied { what: format!("connection {}", wanted.id), change })
}

/// Writes the secrets if they differ, and answers with the version that is there now.
async fn put_secrets(site: Site<'_>, desired: &DesiredConnection) -> Result<i64, ApplyError> {
    let id = &desired.connection.id;
    let (before, version) = site.secrets.written(id).await?.unwrap_or_default();
    let mut wanted = SecretBag::default();
    for (name, values) in &desired.secrets {
        wanted.set(name, values.clone());
    }
    if wanted.newest(PATH_KEY).is_none() {
        // The one before a rotated key holds until the next rotation.
        let kept: Vec<String> = before.live(PATH_KEY).into_iter().map(Into::into).collect();
        wanted.set(PATH_KEY, if kept.is_empty() { vec![new_path_key()] } else { kept });
    }
    if wanted == before {
        return Ok(version);
    }
    Ok(site.secrets.write(id, &wanted).await?)
}

/// A key for an inbound address.
#[must_use]
pub fn new_path_key() -> String {
    URL_SAFE_NO_PAD.encode(unguessable())
}

/// The address at which a connection's platform reaches us.
///
/// # Errors
/// If the connection's key cannot be read.
pub async fn inbound_url(
    secrets: &Secrets,
    api: &str,
    connection: &Connection,
) -> Result<Option<String>, SecretsError> {
    let written = secrets.written(&connection.id).await?;
    let key = written.and_then(|(bag, _)| bag.newest(PATH_KEY).map(ToOwned::to_owned));
    Ok(key.map(|key| format!("{api}/in/{}/{}/{key}", connection.platform, connection.id)))
}

/// What applying would change about a connection or route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What it is.
    pub what: String,
    /// What would be done.
    pub change: Change,
    /// Which of its members differ, with what is there and what is asked for; never a secret's value.
    pub differs: Vec<String>,
}

/// What applying would change.
///
/// # Errors
/// If AWS refuses.
pub async fn plan(site: Site<'_>, desired: &Desired) -> Result<Vec<Planned>, ApplyError> {
    let mut planned = Vec::new();
    for desired in &desired.connections {
        let before = site.store.connection(&desired.connection.id).await?;
        let mut differs = match &before {
            Some(before) => {
                let same = Connection {
                    secrets: before.secrets.clone(),
                    secrets_version: before.secrets_version,
                    suspended: before.suspended,
                    version: before.version,
                    ..desired.connection.clone()
                };
                differences(before, &same)
            }
            None => Vec::new(),
        };
        if before.is_some() {
            let (bag, _) = site.secrets.written(&desired.connection.id).await?.unwrap_or_default();
            differs.extend(secret_differences(&bag, desired));
        }
        let what = format!("connection {}", desired.connection.id);
        planned.push(Planned { what, change: change(before.is_some(), &differs), differs });
    }
    for route in &desired.routes {
        let before = site.store.route(&route.id).await?;
        let differs = before.as_ref().map_or_else(Vec::new, |before| {
            differences(before, &Route { version: before.version, ..route.clone() })
        });
        let what = format!("route {}", route.id);
        planned.push(Planned { what, change: change(before.is_some(), &differs), differs });
    }
    Ok(planned)
}

fn change(is_there: bool, differs: &[String]) -> Change {
    match (is_there, differs.is_empty()) {
        (false, _) => Change::Created,
        (true, true) => Change::Unchanged,
        (true, false) => Change::Updated,
    }
}

fn secret_differences(bag: &SecretBag, desired: &DesiredConnection) -> Vec<String> {
    let wanted = |name: &str| desired.secrets.iter().find(|(wanted, _)| wanted == name);
    let kept = |name: &str| name == PATH_KEY || wanted(name).is_some();
    let gone = bag.names().filter(|name| !kept(name));
    let gone = gone.map(|name| format!("secrets.{name}: is removed"));
    let other = desired.secrets.iter().filter(|(name, values)| bag.live(name) != *values);
    let other = other.map(|(name, _)| {
        let known = bag.newest(name).is_some();
        format!("secrets.{name}: {}", if known { "is another" } else { "is new" })
    });
    gone.chain(other).collect()
}

/// The members in which two differ, as they are written in JSON.
fn differences<T: serde::Serialize>(before: &T, after: &T) -> Vec<String> {
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
