//! The dependencies of a function, built once at start: AWS clients, caches, the clock and the id
//! generator. Tests replace the clock and the id generator.

use std::fmt::Debug;
use std::sync::Arc;

use jiff::Timestamp;

use crate::aws::{AwsHttpClient, Clients, MissingVariable, required_variable, warm_up_connections};
use crate::files::Files;
use crate::http_client::{HttpClient, TlsError};
use crate::queue::{InvalidTasksQueue, QueueUrls, Queues};
use crate::secrets::SecretStore;
use crate::store::{ConfigCache, Store};

/// Source of the current time.
pub trait Clock: Debug + Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Generator of unique ids.
pub trait IdGenerator: Debug + Send + Sync {
    /// Returns a new id. ids sort by the time at which they are generated.
    fn next(&self, now: Timestamp) -> String;
}

/// The operating system's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Generates version 7 UUIDs with randomness from the operating system.
#[derive(Debug)]
pub struct RandomIdGenerator;

impl IdGenerator for RandomIdGenerator {
    fn next(&self, now: Timestamp) -> String {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanos = now.subsec_nanosecond().unsigned_abs();
        uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).to_string()
    }
}

/// Returns 32 unpredictable bytes for secrets (244 bits of randomness from the operating system).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the only place that generates secrets")]
pub fn random_secret() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Variable(#[from] MissingVariable),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Queues(#[from] InvalidTasksQueue),
}

/// The dependencies of a function.
#[derive(Debug, Clone)]
pub struct App {
    pub store: Store,
    /// Cache of connections, routes, leg addresses and breakers.
    pub config_cache: Arc<ConfigCache>,
    pub queues: Queues,
    pub secrets: Arc<SecretStore>,
    /// Client for calls to platforms.
    pub http_client: Arc<HttpClient>,
    /// The relayed files; `None` if the stack has no bucket for them.
    pub files: Option<Files>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
}

impl App {
    /// Builds the dependencies from Lambda's environment variables. Must run inside a Tokio runtime, because
    /// it opens connections in the background.
    ///
    /// # Errors
    /// If a variable that Lambda or the template sets is missing or invalid.
    pub fn from_env() -> Result<Self, StartError> {
        let http = AwsHttpClient::new()?;
        let clients = Clients::from_env(&http)?;
        let queues: QueueUrls = required_variable("TRUNKLINE_TASKS_QUEUE")?.parse()?;
        warm_up_connections(&http, queues.tasks());
        let retention = std::env::var("TRUNKLINE_RETENTION_DAYS").ok();
        let days = retention.and_then(|days| days.parse().ok()).unwrap_or(90);
        let local = std::env::var("TRUNKLINE_ALLOW_LOCAL").is_ok_and(|value| value == "yes");
        let files = Files::from_env(&http, local)?;
        let store = Store::new(clients.dynamodb, required_variable("TRUNKLINE_TABLE")?, days);
        Ok(Self {
            config_cache: Arc::new(ConfigCache::new(store.clone())),
            store,
            queues: Queues::new(clients.sqs, queues),
            secrets: Arc::new(SecretStore::new(
                clients.ssm,
                required_variable("TRUNKLINE_SECRETS")?,
            )),
            http_client: Arc::new(HttpClient::new(local)),
            files,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIdGenerator),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ids_sort_by_time_and_are_unique() {
        let early = RandomIdGenerator.next(Timestamp::from_second(1).unwrap());
        let late = RandomIdGenerator.next(Timestamp::from_second(2).unwrap());
        assert!(early < late);
        assert_ne!(random_secret(), random_secret());
    }
}
