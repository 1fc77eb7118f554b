//! One session's socket, and the ingestion of the events it receives.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use trunkline_runtime::store::ActiveSession;

use super::receiver::{EventReceiver, FIRST_WAIT, LONGEST_WAIT, Progress};
use super::sockets::session_end;
use super::{Backend, ConfiguredConnection, ListenerError};
use crate::socket::{Address, SocketEvent, listen};

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
        let mut progress = Progress::new(since);
        loop {
            let refill_at = progress.refill_at();
            tokio::select! {
                next = events.recv() => match next {
                    None => break,
                    Some(event) => {
                        if matches!(event, SocketEvent::Joined) {
                            status.joined.store(true, Ordering::Relaxed);
                        }
                        receiver.receive(event, &mut progress, deadline).await;
                    }
                },
                () = sleep_until(refill_at.unwrap_or(deadline)), if refill_at.is_some() => {
                    receiver.recover_history(&mut progress, deadline).await;
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
