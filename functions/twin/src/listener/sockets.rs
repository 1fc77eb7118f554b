//! The open sockets of all active sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use trunkline_core::model::{ConnectionId, ExternalConversationId, SessionId, time};
use trunkline_runtime::store::ActiveSession;

use super::session::{SocketStatus, run_session};
use super::{Backend, Run};

/// The largest number of open sockets: a Lambda function may open 1,024 files.
const MAX_SOCKETS: usize = 900;
/// How often all active sessions are read. In between, only the newly started ones are.
const FULL_READ_INTERVAL: Duration = Duration::from_secs(30);
/// How far before the last read the next one starts: workers that record sessions have other clocks.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(10);
/// How long a session without a known expiry stays open: the longest lifetime that TWIN allows.
const MAX_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// Identifies a socket: the connection and TWIN's session id.
type SocketKey = (ConnectionId, String);

/// The sockets that this listener keeps open, a task each.
pub(super) struct Sockets<W> {
    backend: Arc<W>,
    history_since: Option<Timestamp>,
    deadline: Instant,
    /// The active sessions, by sort key.
    active: BTreeMap<String, ActiveSession>,
    last_full_read: Option<Instant>,
    last_read: Timestamp,
    open: HashMap<SocketKey, Arc<SocketStatus>>,
    tasks: JoinSet<SocketKey>,
    stop: watch::Sender<bool>,
}

/// Returns when a session expires.
pub(super) fn session_end(active: &ActiveSession) -> Timestamp {
    active.session.expires_at.unwrap_or(active.since + MAX_SESSION)
}

fn key(active: &ActiveSession) -> SocketKey {
    (active.leg.connection.clone(), active.session.external_conversation_id.to_string())
}

impl<W: Backend> Sockets<W> {
    pub(super) fn new(backend: Arc<W>, history_since: Option<Timestamp>, run: &Run) -> Self {
        let (stop, _) = watch::channel(false);
        let last_read = backend.now();
        Self {
            backend,
            history_since,
            deadline: run.deadline,
            active: BTreeMap::new(),
            last_full_read: None,
            last_read,
            open: HashMap::new(),
            tasks: JoinSet::new(),
            stop,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn all_joined(&self) -> bool {
        self.open.values().all(|socket| socket.is_joined())
    }

    /// Opens sockets for new sessions and removes sessions that have ended.
    pub(super) async fn refresh(&mut self) {
        while let Some(finished) = self.tasks.try_join_next() {
            if let Ok(key) = finished {
                self.open.remove(&key);
            }
        }
        self.read_active_sessions().await;
        self.remove_ended().await;
        let mut wanted: HashMap<SocketKey, &ActiveSession> = HashMap::new();
        for active in self.active.values() {
            // An extended session is stored twice; the later expiry counts.
            let known = wanted.entry(key(active)).or_insert(active);
            if session_end(active) > session_end(known) {
                *known = active;
            }
        }
        for (key, active) in wanted {
            if self.open.contains_key(&key) {
                continue;
            }
            if self.open.len() >= MAX_SOCKETS {
                tracing::error!(
                    open = MAX_SOCKETS,
                    "more active sessions than one listener can serve: the rest have no socket"
                );
                break;
            }
            let status = Arc::new(SocketStatus::default());
            self.open.insert(key.clone(), Arc::clone(&status));
            let (backend, active) = (Arc::clone(&self.backend), active.clone());
            let (history_since, deadline, stop) =
                (self.history_since, self.deadline, self.stop.subscribe());
            self.tasks.spawn(async move {
                run_session(&*backend, &active, history_since, deadline, &status, stop).await;
                key
            });
        }
    }

    /// Reads the active sessions: usually only those that started since the last read.
    async fn read_active_sessions(&mut self) {
        let all = self.last_full_read.is_none_or(|at| at.elapsed() >= FULL_READ_INTERVAL);
        let now = self.backend.now();
        let after = (!all).then(|| time::format_rfc3339_millis(self.last_read - CLOCK_SKEW));
        let found = match self.backend.active_sessions(after.as_deref()).await {
            Ok(found) => found,
            Err(why) => {
                tracing::warn!(%why, "cannot read the active sessions");
                return;
            }
        };
        if all {
            self.active.clear();
            self.last_full_read = Some(Instant::now());
        }
        self.last_read = now;
        self.active.extend(found.into_iter().map(|active| (active.sort_key(), active)));
    }

    /// Removes sessions that have expired or that a newer session of the same conversation has replaced.
    async fn remove_ended(&mut self) {
        let now = self.backend.now();
        let mut newest: HashMap<(String, SessionId), (Timestamp, ExternalConversationId)> =
            HashMap::new();
        for active in self.active.values() {
            let owner = (active.leg.message_group(), active.session.id.clone());
            newest.insert(owner, (active.since, active.session.external_conversation_id.clone()));
        }
        let has_ended = |active: &ActiveSession| {
            let owner = (active.leg.message_group(), active.session.id.clone());
            let replaced = newest.get(&owner).is_some_and(|(since, id)| {
                // Not immediately: its last messages may still be on their way.
                *id != active.session.external_conversation_id && *since + CLOCK_SKEW < now
            });
            replaced || session_end(active) <= now
        };
        let ended: Vec<String> = self
            .active
            .iter()
            .filter(|(_, active)| has_ended(active))
            .map(|(sort_key, _)| sort_key.clone())
            .collect();
        for sort_key in ended {
            let Some(active) = self.active.remove(&sort_key) else { continue };
            if let Err(why) = self.backend.session_ended(&active).await {
                // The next full read finds it again.
                tracing::warn!(%why, "cannot remove an ended session");
            }
        }
    }

    /// Closes the sockets and waits until all received events are ingested.
    pub(super) async fn stop(&mut self, flush_timeout: Duration) {
        self.stop.send_replace(true);
        let end = self.deadline.max(Instant::now() + flush_timeout);
        while let Ok(Some(_)) = timeout_at(end, self.tasks.join_next()).await {}
    }
}
