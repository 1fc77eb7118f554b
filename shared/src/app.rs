//! What every function is made of, built once at start: the clients, and the clock and ids as
//! parameters.

use std::fmt::Debug;
use std::sync::Arc;

use jiff::Timestamp;

use crate::aws::{Clients, Http, MissingVariable, connect_ahead, variable};
use crate::http_client::{HttpClient, TlsError};
use crate::queue::{BadQueues, Queues, Urls};
use crate::secrets::Secrets;
use crate::store::{Directory, Store};

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Makes ids that never repeat.
pub trait Ids: Debug + Send + Sync {
    /// A new id, which sorts by the time it was made.
    fn next(&self, now: Timestamp) -> String;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time is read")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Version 7 UUIDs with the operating system's randomness.
#[derive(Debug)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn next(&self, now: Timestamp) -> String {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanos = now.subsec_nanosecond().unsigned_abs();
        uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).to_string()
    }
}

/// 32 bytes that nobody can guess (244 bits of the operating system's randomness).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where secrets are made")]
pub fn unguessable() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing.
    #[error(transparent)]
    Variable(#[from] MissingVariable),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The queues' addresses cannot be read.
    #[error(transparent)]
    Queues(#[from] BadQueues),
}

/// What every function is made of.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// Connections and routes, remembered for a while.
    pub directory: Arc<Directory>,
    /// The outbound queues.
    pub queues: Queues,
    /// The connections' secrets.
    pub secrets: Arc<Secrets>,
    /// The client for calls to platforms.
    pub outside: Arc<HttpClient>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

impl App {
    /// From Lambda's environment; only inside a runtime, for it has connections made ahead.
    ///
    /// # Errors
    /// If the environment is not as the template makes it.
    pub fn from_env() -> Result<Self, StartError> {
        let http = Http::new()?;
        let clients = Clients::from_env(&http)?;
        let queues: Urls = variable("TRUNKLINE_QUEUES")?.parse()?;
        connect_ahead(&http, &queues.wake);
        let retention = std::env::var("TRUNKLINE_RETENTION_DAYS").ok();
        let days = retention.and_then(|days| days.parse().ok()).unwrap_or(90);
        let local = std::env::var("TRUNKLINE_ALLOW_LOCAL").is_ok_and(|value| value == "yes");
        let store = Store::new(clients.dynamodb, variable("TRUNKLINE_TABLE")?, days);
        Ok(Self {
            directory: Arc::new(Directory::new(store.clone())),
            store,
            queues: Queues::new(clients.sqs, queues),
            secrets: Arc::new(Secrets::new(clients.ssm, variable("TRUNKLINE_SECRETS")?)),
            outside: Arc::new(HttpClient::new(local)),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_do_not_repeat() {
        let early = RandomIds.next(Timestamp::from_second(1).unwrap());
        let late = RandomIds.next(Timestamp::from_second(2).unwrap());
        assert!(early < late);
        assert_ne!(unguessable(), unguessable());
    }
}
