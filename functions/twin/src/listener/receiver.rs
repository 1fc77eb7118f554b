//! Ingests what a session's socket and history contain. What cannot be read is stored for operators, and the
//! history is read again, because a message may be behind it.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};
use trunkline_core::model::{AuthorRole, Connection, Event, ExternalMessageId, Role, digest};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::store::ActiveSession;

use super::{Backend, ListenerError};
use crate::api::Api;
use crate::history::{History, HistoryError, history};
use crate::login::has_credentials;
use crate::message::{Context, named_event};
use crate::responses::CLIENT_ID;
use crate::settings::Settings;
use crate::socket::SocketEvent;

/// The shortest and the longest wait before ingestion is retried; doubled each time.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(200);
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long after an unreadable frame the history is read: its message may not be there at once.
const REFILL_DELAY: Duration = Duration::from_secs(1);
/// The shortest time between two readings because of unreadable frames.
const REFILL_INTERVAL: Duration = Duration::from_secs(5);
/// How long after a failed reading the history is read again; doubled each time, at most
/// [`MAX_DOUBLINGS`] times.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);
const MAX_DOUBLINGS: u32 = 5;
/// How far back a reading overlaps the one before, because TWIN's clock may differ from Trunkline's.
const OVERLAP: SignedDuration = SignedDuration::from_mins(1);
/// The largest number of unreadable frames and items of a session that are stored.
const MAX_REJECTED: usize = 100;

/// How far a session's events have been received.
#[derive(Debug)]
pub(super) struct Progress {
    /// From when on the history is read.
    since: Option<Timestamp>,
    seen: HashSet<ExternalMessageId>,
    /// Digests of what has been stored for operators.
    rejected: HashSet<String>,
    refill_at: Option<Instant>,
    last_refill: Option<Instant>,
    /// How many readings in a row have failed.
    failures: u32,
}

impl Progress {
    pub(super) fn new(since: Option<Timestamp>) -> Self {
        let (seen, rejected) = (HashSet::new(), HashSet::new());
        Self { since, seen, rejected, refill_at: None, last_refill: None, failures: 0 }
    }

    /// Returns when the history is to be read; `None` if nothing is missing.
    pub(super) fn refill_at(&self) -> Option<Instant> {
        self.refill_at
    }

    fn refill_soon(&mut self) {
        let soon = Instant::now() + REFILL_DELAY;
        let at = self.last_refill.map_or(soon, |last| soon.max(last + REFILL_INTERVAL));
        self.refill_at = Some(self.refill_at.map_or(at, |known| known.min(at)));
    }
}

/// Turns what a session's socket receives into ingested events.
pub(super) struct EventReceiver<'a, W> {
    pub(super) backend: &'a W,
    pub(super) active: &'a ActiveSession,
    pub(super) connection: &'a Connection,
    pub(super) secrets: &'a SecretBag,
    pub(super) settings: &'a Settings,
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

    /// Handles what the socket received.
    pub(super) async fn receive(
        &self,
        received: SocketEvent,
        progress: &mut Progress,
        deadline: Instant,
    ) {
        match received {
            SocketEvent::Joined => self.recover_history(progress, deadline).await,
            SocketEvent::Event { name, data, acknowledgement } => {
                let now = self.backend.now();
                if let Some(event) = named_event(&name, &data, &self.context(now)) {
                    self.ingest(event, &mut progress.seen, deadline).await;
                }
                acknowledgement.send();
            }
            SocketEvent::Unreadable { frame, why } => {
                let reason = format!("cannot parse a socket frame: {why}");
                self.reject(&reason, frame.as_bytes(), progress, deadline).await;
                if has_credentials(self.secrets) {
                    progress.refill_soon();
                }
            }
        }
    }

    /// Ingests the messages that the socket missed. Reading the history needs a login. If it cannot be read,
    /// it is read again later.
    pub(super) async fn recover_history(&self, progress: &mut Progress, deadline: Instant) {
        progress.refill_at = None;
        if !has_credentials(self.secrets) {
            return;
        }
        let started = self.backend.now();
        match self.read_history(progress, deadline).await {
            Ok(History { events, rejected }) => {
                for event in events {
                    self.ingest(event, &mut progress.seen, deadline).await;
                }
                for item in rejected {
                    let reason = format!("cannot read a part of TWIN's history: {}", item.reason);
                    self.reject(&reason, &item.body, progress, deadline).await;
                }
                progress.since = Some(started - OVERLAP);
                progress.failures = 0;
            }
            Err(why) => {
                // An operator has to know, unless TWIN is only out of reach.
                match &why {
                    HistoryError::Unreadable(page) => {
                        self.reject(&why.to_string(), page, progress, deadline).await;
                    }
                    HistoryError::Refused(status) if status.is_client_error() => {
                        self.reject(&why.to_string(), b"", progress, deadline).await;
                    }
                    HistoryError::Refused(_) | HistoryError::Api(_) => {}
                }
                let wait = RETRY_INTERVAL * 2_u32.pow(progress.failures.min(MAX_DOUBLINGS));
                progress.failures = progress.failures.saturating_add(1);
                progress.refill_at = Some(Instant::now() + wait);
            }
        }
        progress.last_refill = Some(Instant::now());
    }

    /// Reads the history. The first failed reading is repeated at once, because the events that arrive
    /// meanwhile are newer.
    async fn read_history(
        &self,
        progress: &Progress,
        deadline: Instant,
    ) -> Result<History, HistoryError> {
        let now = self.backend.now();
        let api = Api {
            tokens: self.backend.tokens(),
            connection: self.connection,
            settings: self.settings,
            secrets: self.secrets,
            http_client: self.backend.http_client(),
            now,
        };
        let session = self.active.session.external_conversation_id.as_str();
        let mut wait = FIRST_WAIT;
        loop {
            let why = match history(&api, session, progress.since, &self.context(now)).await {
                Ok(history) => return Ok(history),
                Err(why) => why,
            };
            tracing::warn!(connection = %self.connection.id, %why, "cannot read the session's history");
            let gives_up = progress.failures > 0 || wait > LONGEST_WAIT;
            if gives_up || Instant::now() + wait > deadline {
                return Err(why);
            }
            sleep(wait).await;
            wait *= 2;
        }
    }

    /// Ingests an event, unless it is the client's or was ingested before.
    async fn ingest(&self, event: Event, seen: &mut HashSet<ExternalMessageId>, deadline: Instant) {
        // Trunkline itself sent the client's messages; the transcript has them already.
        let seen_before = event.external_message_id.as_ref().is_some_and(|id| seen.contains(id));
        if seen_before || event.author.role == AuthorRole::Customer {
            return;
        }
        let id = event.external_message_id.clone();
        let call = || self.backend.ingest(self.connection, event.clone());
        if self.until_stored("cannot ingest an event; will retry", deadline, call).await {
            seen.extend(id);
        }
    }

    /// Stores what cannot be read, once.
    async fn reject(&self, reason: &str, body: &[u8], progress: &mut Progress, deadline: Instant) {
        tracing::warn!(connection = %self.connection.id, reason, size = body.len(), "TWIN sent what cannot be read");
        let id = digest(&[reason, &String::from_utf8_lossy(body)]);
        if progress.rejected.len() >= MAX_REJECTED || !progress.rejected.insert(id) {
            return;
        }
        let call = || self.backend.store_rejected(self.connection, reason, body);
        self.until_stored("cannot store a rejected body; will retry", deadline, call).await;
    }

    /// Repeats a call until it succeeds or the deadline comes, while the table or the queue does not answer.
    /// Returns whether it succeeded.
    async fn until_stored<F: Future<Output = Result<(), ListenerError>>>(
        &self,
        problem: &'static str,
        deadline: Instant,
        call: impl Fn() -> F,
    ) -> bool {
        let mut wait = FIRST_WAIT;
        while let Err(why) = call().await {
            tracing::warn!(connection = %self.connection.id, %why, problem);
            if Instant::now() + wait > deadline {
                return false;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        true
    }
}
