//! Keeps one socket listener running per platform while any session needs it.
//!
//! The listener holds its platform's lease and renews it. Each renewal schedules a check for a time after the
//! lease would have expired. So a crashed listener is replaced, and when no session is active nothing runs.

use jiff::SignedDuration;

use crate::app::App;
use crate::error::BackendError;
use crate::queue::StartListener;
use crate::schedule::schedule;
use crate::store::Lease;
use trunkline_core::model::{PlatformId, ScheduledTask};

/// Duration of a lease.
const LEASE_DURATION: SignedDuration = SignedDuration::from_secs(12);
/// Delay of the next check while a listener is expected. Longer than a lease.
const CHECK_AFTER: SignedDuration = SignedDuration::from_secs(14);

/// Starts a listener for a platform, unless one holds the lease.
pub async fn ensure_running(app: &App, platform: PlatformId) -> Result<(), BackendError> {
    let now = app.clock.now();
    let lease = app.store.lease(platform).await?;
    if lease.is_some_and(|lease| lease.until > now) {
        return Ok(());
    }
    // Scheduled first: a crash in between must not leave the platform without a listener.
    schedule(app, &ScheduledTask::EnsureListener { platform, at: now + CHECK_AFTER }).await?;
    app.queues.start_listener(platform, &StartListener { predecessor: None }).await?;
    Ok(())
}

/// Starts a listener if a session of the platform is active and none is running.
pub async fn check(app: &App, platform: PlatformId) -> Result<(), BackendError> {
    if app.store.active_sessions(platform, None, 1).await?.is_empty() {
        return Ok(());
    }
    ensure_running(app, platform).await
}

/// Acquires or renews a listener's lease. Returns whether `holder` has it now.
pub async fn acquire_lease(
    app: &App,
    platform: PlatformId,
    holder: &str,
    predecessor: Option<&str>,
) -> Result<bool, BackendError> {
    let now = app.clock.now();
    let lease = Lease { holder: holder.to_owned(), until: now + LEASE_DURATION };
    let acquired = app.store.take_lease(platform, &lease, predecessor, now).await?;
    if acquired {
        schedule(app, &ScheduledTask::EnsureListener { platform, at: now + CHECK_AFTER }).await?;
    }
    Ok(acquired)
}

/// Asks for a listener that takes over from `holder`. The minute's tick starts it: listeners that start each other
/// would be a chain without end.
pub async fn ask_for_successor(
    app: &App,
    platform: PlatformId,
    holder: &str,
) -> Result<(), BackendError> {
    let now = app.clock.now();
    let predecessor = holder.to_owned();
    let task = ScheduledTask::SucceedListener { platform, predecessor, at: now };
    Ok(app.store.put_due_task(&task, now).await?)
}

/// Starts the listener that takes over from `predecessor`.
pub async fn start_successor(
    app: &App,
    platform: PlatformId,
    predecessor: String,
) -> Result<(), BackendError> {
    let start = StartListener { predecessor: Some(predecessor) };
    Ok(app.queues.start_listener(platform, &start).await?)
}
