//! One session's socket, and the ingestion of the events it receives.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use trunkline_core::model::{AuthorRole, Connection, Event, ExternalMessageId, Role};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::store::ActiveSession;

use super::sockets::session_end;
use super::{Backend, ConfiguredConnection, ListenerError};
use crate::api::Api;
use crate::history::history;
use crate::login::has_credentials;
use crate::message::{Context, named_event};
use crate::responses::CLIENT_ID;
use crate::settings::Settings;
use crate::socket::{Address, SocketEvent, listen};

/// The shortest and the longest wait before ingestion is retried; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a session's task reports to the listener.
#[derive(Debug, Default)]
pub(super) struct SocketStatus {
    joined: AtomicBool,
}

impl SocketStatus {
    pub(super) fn is_joined(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
    }
}

/// Keeps a session's socket open until the session expires or `stop` is set, then ingests the events
/// received before that.
pub(super) async fn run_session<W: Backend>(
    backend: &W,
    active: &ActiveSession,
    since: Option<Timestamp>,
    deadline: Instant,
    status: &SocketStatus,
    stop: watch::Receiver<bool>,
) {
    let loaded = load_connection(backend, active, deadline, status, stop.clone()).await;
    let Some(ConfiguredConnection { connection, settings, secrets }) = loaded else { return };
    let receiver = EventReceiver {
        backend,
        active,
        connection: &connection,
        secrets: &secrets,
        settings: &settings,
    };
    let address = Address {
        origin: settings.socket_url.to_string(),
        session: active.session.external_conversation_id.to_string(),
        allow_local: backend.allows_local(),
    };
    let (sender, mut events) = mpsc::unbounded_channel();
    // Also ends when the session does.
    let socket = async {
        tokio::select! {
            () = listen(address, sender, stop.clone()) => {}
            () = until_session_end(backend, active, deadline, stop.clone()) => {}
        }
    };
    let ingestion = async {
        let mut seen = HashSet::new();
        let mut since = since;
        while let Some(received) = events.recv().await {
            match received {
                SocketEvent::Joined => {
                    status.joined.store(true, Ordering::Relaxed);
                    receiver.recover_history(&mut since, &mut seen, deadline).await;
                }
                SocketEvent::Event { name, data, acknowledgement } => {
                    let now = backend.now();
                    if let Some(event) = named_event(&name, &data, &receiver.context(now)) {
                        receiver.ingest(event, &mut seen, deadline).await;
                    }
                    acknowledgement.send();
                }
            }
        }
    };
    tokio::join!(socket, ingestion);
}

/// Loads a session's connection. If that fails, waits before it returns `None`: the listener's next refresh
/// starts the session again.
async fn load_connection<W: Backend>(
    backend: &W,
    active: &ActiveSession,
    deadline: Instant,
    status: &SocketStatus,
    mut stop: watch::Receiver<bool>,
) -> Option<ConfiguredConnection> {
    let id = &active.leg.connection;
    match backend.connection(id).await {
        Ok(Some(found)) => return Some(found),
        Ok(None) => {
            // The connection is not configured any more, so its events cannot be ingested.
            status.joined.store(true, Ordering::Relaxed);
            until_session_end(backend, active, deadline, stop).await;
        }
        Err(why @ ListenerError::Settings(_)) => {
            tracing::error!(connection = %id, %why, "cannot open a session's socket until an operator corrects the connection");
            // No listener can open the socket, so a successor does not wait for it.
            status.joined.store(true, Ordering::Relaxed);
            let retry = deadline.min(Instant::now() + LONGEST_WAIT);
            let _ = timeout_at(retry, stop.wait_for(|stop| *stop)).await;
        }
        Err(why) => {
            tracing::warn!(connection = %id, %why, "cannot load a session's connection; will retry");
            sleep(FIRST_WAIT).await;
        }
    }
    None
}

async fn until_session_end<W: Backend>(
    backend: &W,
    active: &ActiveSession,
    deadline: Instant,
    mut stop: watch::Receiver<bool>,
) {
    let left =
        Duration::try_from(session_end(active).duration_since(backend.now())).unwrap_or_default();
    let _ = timeout_at(deadline.min(Instant::now() + left), stop.wait_for(|stop| *stop)).await;
}

/// Turns what a session's socket receives into ingested events.
struct EventReceiver<'a, W> {
    backend: &'a W,
    active: &'a ActiveSession,
    connection: &'a Connection,
    secrets: &'a SecretBag,
    settings: &'a Settings,
}

impl<W: Backend> EventReceiver<'_, W> {
    fn context(&self, now: Timestamp) -> Context<'_> {
        Context {
            settings: self.settings,
            conversation: Some(self.active.session.external_conversation_id.as_str()),
            default_role: match self.connection.role {
                Role::Desk => AuthorRole::Unknown,
                _ => AuthorRole::Bot,
            },
            client_id: self.active.session.platform_data.get(CLIENT_ID).map(String::as_str),
            now,
        }
    }

    /// Ingests the messages sent while no socket was open. Reading the history needs a login.
    async fn recover_history(
        &self,
        since: &mut Option<Timestamp>,
        seen: &mut HashSet<ExternalMessageId>,
        deadline: Instant,
    ) {
        if !has_credentials(self.secrets) {
            return;
        }
        let now = self.backend.now();
        let api = Api {
            tokens: self.backend.tokens(),
            connection: self.connection,
            settings: self.settings,
            secrets: self.secrets,
            http_client: self.backend.http_client(),
            now,
        };
        let mut wait = FIRST_WAIT;
        loop {
            match history(
                &api,
                self.active.session.external_conversation_id.as_str(),
                *since,
                &self.context(now),
            )
            .await
            {
                Ok(events) => {
                    for event in events {
                        self.ingest(event, seen, deadline).await;
                    }
                    // A minute of overlap, because TWIN's clock may differ from Trunkline's.
                    *since = Some(now - jiff::SignedDuration::from_mins(1));
                    return;
                }
                Err(why) => {
                    tracing::warn!(connection = %self.connection.id, %why, "cannot read the session's history");
                    if Instant::now() + wait > deadline || wait > LONGEST_WAIT {
                        return;
                    }
                    sleep(wait).await;
                    wait *= 2;
                }
            }
        }
    }

    /// Ingests an event, and retries until the deadline while the table or the queue does not answer.
    async fn ingest(&self, event: Event, seen: &mut HashSet<ExternalMessageId>, deadline: Instant) {
        // Trunkline itself sent the client's messages; the transcript has them already.
        let seen_before = event.external_message_id.as_ref().is_some_and(|id| seen.contains(id));
        if seen_before || event.author.role == AuthorRole::Customer {
            return;
        }
        let id = event.external_message_id.clone();
        let mut wait = FIRST_WAIT;
        while let Err(why) = self.backend.ingest(self.connection, event.clone()).await {
            tracing::warn!(connection = %self.connection.id, %why, "cannot ingest an event; will retry");
            if Instant::now() + wait > deadline {
                return;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        seen.extend(id);
    }
}
