//! What a listener needs from the rest of the system: the table, the configuration and ingestion.

use std::sync::Arc;

use jiff::Timestamp;
use trunkline_core::model::{AuthorRole, Connection, ConnectionId, Event, PlatformId, Trace};
use trunkline_core::platform::{InvalidSetting, Platform};
use trunkline_runtime::app::App;
use trunkline_runtime::error::BackendError;
use trunkline_runtime::from_backend_errors;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::inbound::{InboundError, ingest_or_store_rejected};
use trunkline_runtime::listener;
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::store::{ActiveSession, Lease, LoadedConnection, Rejected};
use trunkline_runtime::telemetry::{self, LogFields, Metric};

use crate::Twin;
use crate::login::Tokens;
use crate::settings::Settings;

const TWIN: PlatformId = Twin::SPEC.id;
/// How many active sessions one page holds.
const PAGE_SIZE: u16 = 250;

/// Why a call to the rest of the system failed. Internal: the listener retries.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The table, a queue or the secrets failed.
    #[error(transparent)]
    Backend(BackendError),
    /// An event could not be ingested.
    #[error(transparent)]
    Inbound(#[from] InboundError),
    /// The connection's settings are invalid. An operator must correct them.
    #[error(transparent)]
    Settings(#[from] InvalidSetting),
}

from_backend_errors!(ListenerError);

/// A connection with its settings and secrets.
#[derive(Debug, Clone)]
pub struct ConfiguredConnection {
    pub connection: Arc<Connection>,
    pub settings: Arc<Settings>,
    pub secrets: Arc<SecretBag>,
}

/// What a listener needs from the rest of the system. Tests replace it.
pub trait Backend: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Returns the sessions to listen to, from after a sort key.
    fn active_sessions(
        &self,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<ActiveSession>, ListenerError>> + Send;

    /// Records that a session needs no listener any more.
    fn session_ended(
        &self,
        active: &ActiveSession,
    ) -> impl Future<Output = Result<(), ListenerError>> + Send;

    /// Acquires or renews the lease if it is free, held by this listener or by its predecessor. Returns
    /// whether this listener holds it.
    fn acquire_lease(
        &self,
        id: &str,
        predecessor: Option<&str>,
    ) -> impl Future<Output = Result<bool, ListenerError>> + Send;

    /// Returns the id of the listener that holds the lease.
    fn lease_holder(&self) -> impl Future<Output = Result<Option<String>, ListenerError>> + Send;

    /// Gives up the lease if this listener holds it.
    fn relinquish_lease(&self, id: &str) -> impl Future<Output = Result<(), ListenerError>> + Send;

    /// Starts another listener, which takes over from this one.
    fn start_successor(&self, id: &str) -> impl Future<Output = Result<(), ListenerError>> + Send;

    /// Returns a connection with its settings and secrets; `None` if it is not configured.
    fn connection(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<Option<ConfiguredConnection>, ListenerError>> + Send;

    /// Ingests an event. A rejected event is stored for operators and is not an error.
    fn ingest(
        &self,
        connection: &Connection,
        event: Event,
    ) -> impl Future<Output = Result<(), ListenerError>> + Send;

    /// Stores what TWIN sent and Trunkline cannot read, so that operators can inspect it.
    fn store_rejected(
        &self,
        connection: &Connection,
        reason: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<(), ListenerError>> + Send;

    /// Returns the client for TWIN's API.
    fn http_client(&self) -> &HttpClient;

    /// Returns this process's TWIN tokens.
    fn tokens(&self) -> &Tokens;

    /// Returns whether plain `http` and private addresses are allowed, as on a developer's machine.
    fn allows_local(&self) -> bool;
}

/// The backend of the Lambda function.
#[derive(Debug)]
pub struct AppBackend {
    app: App,
    tokens: Tokens,
    allow_local: bool,
}

impl AppBackend {
    /// Creates the backend of an app. `allow_local` is as for [`HttpClient::new`].
    #[must_use]
    pub fn new(app: App, allow_local: bool) -> Self {
        Self { app, tokens: Tokens::default(), allow_local }
    }
}

impl Backend for AppBackend {
    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    async fn active_sessions(
        &self,
        after: Option<&str>,
    ) -> Result<Vec<ActiveSession>, ListenerError> {
        let mut all: Vec<ActiveSession> = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let page = self.app.store.active_sessions(TWIN, after.as_deref(), PAGE_SIZE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.sort_key());
            let is_full = page.len() == usize::from(PAGE_SIZE);
            all.extend(page);
            if !is_full {
                return Ok(all);
            }
        }
    }

    async fn session_ended(&self, active: &ActiveSession) -> Result<(), ListenerError> {
        Ok(self.app.store.deactivate(TWIN, active).await?)
    }

    async fn acquire_lease(
        &self,
        id: &str,
        predecessor: Option<&str>,
    ) -> Result<bool, ListenerError> {
        Ok(listener::acquire_lease(&self.app, TWIN, id, predecessor).await?)
    }

    async fn lease_holder(&self) -> Result<Option<String>, ListenerError> {
        Ok(self.app.store.lease(TWIN).await?.map(|lease| lease.holder))
    }

    async fn relinquish_lease(&self, id: &str) -> Result<(), ListenerError> {
        let now = self.now();
        // Expired before now, so that a listener that asks at the same moment gets it.
        let until = now - jiff::SignedDuration::from_millis(1);
        let expired = Lease { holder: id.to_owned(), until };
        self.app.store.take_lease(TWIN, &expired, None, Timestamp::UNIX_EPOCH).await?;
        Ok(())
    }

    async fn start_successor(&self, id: &str) -> Result<(), ListenerError> {
        Ok(listener::ask_for_successor(&self.app, TWIN, id).await?)
    }

    async fn connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<ConfiguredConnection>, ListenerError> {
        let found = self.app.config_cache.own_connection::<Settings>(id, self.now()).await?;
        let Some(LoadedConnection { connection, settings }) = found else { return Ok(None) };
        let settings = settings?;
        let secrets = self.app.secrets.for_connection(&connection).await?;
        Ok(Some(ConfiguredConnection { connection, settings, secrets }))
    }

    async fn ingest(&self, connection: &Connection, event: Event) -> Result<(), ListenerError> {
        let app = &self.app;
        // An unknown author may be the client: then Trunkline itself posted this message.
        let unknown = event.author.role == AuthorRole::Unknown;
        if let Some(id) = event.external_message_id.as_ref().filter(|_| unknown)
            && app.store.event_by_external_id(&connection.id, id).await?.is_some()
        {
            return Ok(());
        }
        let started = self.now();
        let trace = Trace::from_seed(&app.ids.next(started));
        let kind = event.body.kind();
        let event = Event { trace: Some(trace), ..event };
        let ingested = ingest_or_store_rejected(app, connection, event).await?;
        let count = match &ingested {
            Some(ingested) if ingested.duplicate => Metric::Duplicate,
            Some(_) => Metric::Accepted,
            None => Metric::Refused,
        };
        let (now, conversation) =
            (self.now(), ingested.as_ref().map(|ingested| ingested.conversation.as_str()));
        let fields = LogFields::inbound(trace, kind, conversation, now.duration_since(started));
        telemetry::record(now, count, connection, fields);
        Ok(())
    }

    async fn store_rejected(
        &self,
        connection: &Connection,
        reason: &str,
        body: &[u8],
    ) -> Result<(), ListenerError> {
        let now = self.now();
        let rejected = Rejected::new(now, reason.to_owned(), body);
        self.app.store.put_rejected(&connection.id, &self.app.ids.next(now), &rejected).await?;
        telemetry::count(now, Metric::Unreadable, connection);
        Ok(())
    }

    fn http_client(&self) -> &HttpClient {
        &self.app.http_client
    }

    fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    fn allows_local(&self) -> bool {
        self.allow_local
    }
}
