//! What a listener needs of the rest: the table, the configuration, and where events go.

use std::sync::Arc;

use jiff::Timestamp;
use trunkline_shared::app::App;
use trunkline_shared::http_client::HttpClient;
use trunkline_shared::inbound::{IntakeError, take_or_keep};
use trunkline_shared::listener::{self, ListeningError};
use trunkline_shared::model::{AuthorRole, Connection, ConnectionId, Event, Platform, Trace};
use trunkline_shared::queue::{Listen, QueueError};
use trunkline_shared::secrets::{SecretBag, SecretsError};
use trunkline_shared::store::{Active, Lease, StoreError};
use trunkline_shared::telemetry::{self, About, Count};

use crate::login::Tokens;

/// How many active sessions are read at once.
const PAGE: u16 = 250;

/// Why something did not go: ours, and worth another try.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The lease.
    #[error(transparent)]
    Listening(#[from] ListeningError),
    /// An event could not be taken.
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

/// A connection with its secrets.
pub type Configured = (Arc<Connection>, Arc<SecretBag>);

/// What a listener needs.
pub trait World: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;

    /// The sessions that are to be listened to, from after a place.
    fn active(
        &self,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<Active>, Trouble>> + Send;

    /// That session need not be listened to any more.
    fn over(&self, active: &Active) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Takes or renews the lease, if it is free, mine, or that of whom I follow; tells whether I have it.
    fn hold(
        &self,
        me: &str,
        follows: Option<&str>,
    ) -> impl Future<Output = Result<bool, Trouble>> + Send;

    /// Who has the lease.
    fn holder(&self) -> impl Future<Output = Result<Option<String>, Trouble>> + Send;

    /// Gives the lease up, if it is mine.
    fn give_up(&self, me: &str) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Has another listener started, which is to follow me.
    fn call_successor(&self, me: &str) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// A connection with its secrets, if it is configured.
    fn connection(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<Option<Configured>, Trouble>> + Send;

    /// Takes an event. What is refused is kept for a person, and is no trouble.
    fn take(
        &self,
        connection: &Connection,
        event: Event,
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// The client for TWIN's API.
    fn outside(&self) -> &HttpClient;

    /// The tokens that this process has.
    fn tokens(&self) -> &Tokens;

    /// Whether plain `http` and any address are allowed.
    fn is_local(&self) -> bool;
}

/// The world as functions have it.
#[derive(Debug)]
pub struct AppWorld {
    app: App,
    tokens: Tokens,
    local: bool,
}

impl AppWorld {
    /// The world of an app. `local` is as for [`Outside::new`].
    #[must_use]
    pub fn new(app: App, local: bool) -> Self {
        Self { app, tokens: Tokens::default(), local }
    }
}

impl World for AppWorld {
    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    async fn active(&self, after: Option<&str>) -> Result<Vec<Active>, Trouble> {
        let mut all: Vec<Active> = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let page = self.app.store.active(Platform::Twin, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.place());
            let is_full = page.len() == usize::from(PAGE);
            all.extend(page);
            if !is_full {
                return Ok(all);
            }
        }
    }

    async fn over(&self, active: &Active) -> Result<(), Trouble> {
        Ok(self.app.store.deactivate(Platform::Twin, active).await?)
    }

    async fn hold(&self, me: &str, follows: Option<&str>) -> Result<bool, Trouble> {
        Ok(listener::hold(&self.app, Platform::Twin, me, follows).await?)
    }

    async fn holder(&self) -> Result<Option<String>, Trouble> {
        Ok(self.app.store.lease(Platform::Twin).await?.map(|lease| lease.holder))
    }

    async fn give_up(&self, me: &str) -> Result<(), Trouble> {
        let now = self.now();
        // Over before now, so that whoever asks at the same moment has it.
        let until = now - jiff::SignedDuration::from_millis(1);
        let lapsed = Lease { holder: me.to_owned(), until };
        self.app.store.take_lease(Platform::Twin, &lapsed, None, Timestamp::UNIX_EPOCH).await?;
        Ok(())
    }

    async fn call_successor(&self, me: &str) -> Result<(), Trouble> {
        let listen = Listen { follows: Some(me.to_owned()) };
        Ok(self.app.queues.listen(Platform::Twin, &listen).await?)
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<Configured>, Trouble> {
        let found = self.app.directory.connection(id, self.now()).await?;
        let Some(connection) = found else { return Ok(None) };
        let secrets = self.app.secrets.of(&connection).await?;
        Ok(Some((connection, secrets)))
    }

    async fn take(&self, connection: &Connection, event: Event) -> Result<(), Trouble> {
        let app = &self.app;
        // An author that we do not know may be the client: then the message is one that we posted.
        let unknown = event.author.role == AuthorRole::Unknown;
        if let Some(id) = event.external_id.as_ref().filter(|_| unknown)
            && app.store.message(&connection.id, id).await?.is_some()
        {
            return Ok(());
        }
        let begun = self.now();
        let trace = Trace::begun(&app.ids.next(begun));
        let kind = event.body.kind();
        let event = Event { trace: Some(trace), ..event };
        let taken = take_or_keep(app, connection, event).await?;
        let what = match &taken {
            Some(taken) if taken.duplicate => Count::Duplicate,
            Some(_) => Count::Accepted,
            None => Count::Refused,
        };
        let (now, conversation) = (self.now(), taken.as_ref().map(|taken| &*taken.conversation));
        let about = About::arrived(trace, kind, conversation, now.duration_since(begun));
        telemetry::tell(now, what, connection, about);
        Ok(())
    }

    fn outside(&self) -> &HttpClient {
        &self.app.outside
    }

    fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    fn is_local(&self) -> bool {
        self.local
    }
}
