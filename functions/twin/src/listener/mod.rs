//! The listener: one Lambda invocation that keeps a socket open for every active session, ingests the
//! events it receives, and starts a successor before its time is up. It runs only while there are
//! active sessions.
//!
//! A successor opens its own sockets first and then takes over the lease; the predecessor stops when it
//! sees that. In between, both receive the same events, and ingestion drops the duplicates by id.

mod backend;
mod receiver;
mod serve;
mod session;
mod sockets;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

pub use backend::{AppBackend, Backend, ConfiguredConnection, ListenerError};
pub use serve::serve;

use sockets::Sockets;

/// How far back a successor reads the history: its predecessor has ingested everything older.
const SUCCESSOR_HISTORY: SignedDuration = SignedDuration::from_mins(5);

/// The listener's intervals and timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How often the active sessions are read.
    pub poll_interval: Duration,
    /// How often the lease is renewed: well before it expires (`listener::acquire_lease`).
    pub renew_interval: Duration,
    /// How long before its deadline a listener starts its successor.
    pub overlap: Duration,
    /// How long a listener has at the end to ingest the events it has received.
    pub flush_timeout: Duration,
    /// How long a successor waits at most until all its sockets are open.
    pub join_timeout: Duration,
    /// How long a listener without sessions stays alive.
    pub idle_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(1),
            renew_interval: Duration::from_secs(4),
            // The minute's tick starts the successor, through two queues.
            overlap: Duration::from_secs(150),
            flush_timeout: Duration::from_secs(5),
            join_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(20),
        }
    }
}

impl Timing {
    /// Shortens the timing to fit into the remaining time.
    fn limited_to(self, remaining: Duration) -> Self {
        Self {
            overlap: self.overlap.min(remaining / 2),
            flush_timeout: self.flush_timeout.min(remaining / 8),
            ..self
        }
    }
}

/// One run of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub timing: Timing,
    /// This listener's id, under which it holds the lease.
    pub id: String,
    /// The listener to take over from; `None` if a new session started this one.
    pub predecessor: Option<String>,
    /// When the listener must have stopped.
    pub deadline: Instant,
}

/// Why a listener stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// Another listener holds the lease.
    AlreadyRunning,
    /// There are no active sessions.
    Idle,
    /// A successor has taken over the lease.
    Superseded,
    /// The deadline came before a successor took over. The next listener reads the history.
    DeadlineReached,
}

/// Listens until no session is active, a successor has taken over, or the deadline comes.
pub async fn listen<W: Backend>(backend: Arc<W>, run: Run) -> ExitReason {
    let started = Instant::now();
    let timing = run.timing.limited_to(run.deadline.saturating_duration_since(started));
    let mut lease =
        LeaseHolder { backend: &*backend, run: &run, is_held: false, renewed_at: started };
    // A listener started for a new session must not run next to another one. A successor may: it opens
    // its sockets before it takes the lease.
    if run.predecessor.is_none() && !lease.acquire().await {
        return ExitReason::AlreadyRunning;
    }
    let history_since = run.predecessor.as_ref().map(|_| backend.now() - SUCCESSOR_HISTORY);
    let mut sockets = Sockets::new(Arc::clone(&backend), history_since, &run);
    let mut successor_started = false;
    let mut last_busy = started;
    let exit = loop {
        sockets.refresh().await;
        if !sockets.is_empty() {
            last_busy = Instant::now();
        }
        let join_timed_out = started.elapsed() > timing.join_timeout;
        if !lease.is_held && (join_timed_out || sockets.all_joined()) {
            lease.acquire().await;
        }
        if !lease.is_held && join_timed_out {
            break ExitReason::AlreadyRunning;
        }
        if lease.is_held && !lease.renew(successor_started).await {
            break ExitReason::Superseded;
        }
        if lease.is_held && last_busy.elapsed() > timing.idle_timeout {
            // A worker that starts a session records it before it checks the lease. So give up the lease
            // first and then look for sessions once more: one of the two sees the other.
            lease.relinquish().await;
            sockets.refresh().await;
            if sockets.is_empty() || !lease.acquire().await {
                break ExitReason::Idle;
            }
            last_busy = Instant::now();
        }
        let left = run.deadline.saturating_duration_since(Instant::now());
        if lease.is_held && left < timing.overlap && !successor_started {
            successor_started = lease.start_successor().await;
        }
        if left < timing.flush_timeout {
            break ExitReason::DeadlineReached;
        }
        sleep(timing.poll_interval.min(left)).await;
    };
    sockets.stop(timing.flush_timeout).await;
    if exit == ExitReason::DeadlineReached {
        lease.relinquish().await;
    }
    exit
}

/// The lease that allows only one listener at a time, as this run sees it.
struct LeaseHolder<'a, W> {
    backend: &'a W,
    run: &'a Run,
    is_held: bool,
    renewed_at: Instant,
}

impl<W: Backend> LeaseHolder<'_, W> {
    async fn acquire(&mut self) -> bool {
        let acquired =
            self.backend.acquire_lease(&self.run.id, self.run.predecessor.as_deref()).await;
        self.is_held = acquired.unwrap_or_else(|why| {
            tracing::warn!(%why, "cannot acquire the listener lease");
            false
        });
        self.renewed_at = Instant::now();
        self.is_held
    }

    /// Renews the lease if that is due, and returns whether this listener still holds it. While the
    /// table does not answer, no other listener can take the lease either, so it counts as held.
    async fn renew(&mut self, successor_started: bool) -> bool {
        let id = &self.run.id;
        let held = if self.renewed_at.elapsed() >= self.run.timing.renew_interval {
            self.renewed_at = Instant::now();
            self.backend.acquire_lease(id, None).await
        } else if successor_started {
            self.backend
                .lease_holder()
                .await
                .map(|holder| holder.is_none_or(|holder| holder == *id))
        } else {
            return true;
        };
        self.is_held = held.unwrap_or_else(|why| {
            tracing::warn!(%why, "cannot renew the listener lease");
            true
        });
        self.is_held
    }

    async fn relinquish(&mut self) {
        if std::mem::take(&mut self.is_held)
            && let Err(why) = self.backend.relinquish_lease(&self.run.id).await
        {
            tracing::warn!(%why, "cannot give up the listener lease: it will expire");
        }
    }

    async fn start_successor(&self) -> bool {
        let started = self.backend.start_successor(&self.run.id).await;
        started.inspect_err(|why| tracing::warn!(%why, "cannot start a successor")).is_ok()
    }
}
