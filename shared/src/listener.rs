//! Somebody listens on the far sides that only speak to who listens, as long as any session needs it.
//!
//! One listener holds the lease of its platform and renews it; each time it leaves a note that is read
//! after the lease would have ended. So a listener that dies is followed by another, and when no session
//! is active nothing runs.

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::model::{Platform, Wake};
use crate::queue::{Listen, QueueError};
use crate::store::{Lease, StoreError};

/// For how long a lease holds.
const HELD: SignedDuration = SignedDuration::from_secs(12);
/// How long after a look the next is due, while a listener is expected.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(14);

/// Why nobody could be made to listen. Ours: worth another try.
#[derive(Debug, thiserror::Error)]
pub enum ListeningError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Sees to it that somebody listens for a platform: starts a listener unless one holds the lease.
///
/// # Errors
/// If the table or a queue does not answer.
pub async fn ensure(app: &App, platform: Platform) -> Result<(), ListeningError> {
    let now = app.clock.now();
    let lease = app.store.lease(platform).await?;
    if lease.is_some_and(|lease| lease.until > now) {
        return Ok(());
    }
    // Left first, for whoever starts a listener may die of it.
    app.queues.wake(&Wake::Listen { platform, at: now + LOOK_AGAIN }, now).await?;
    app.queues.listen(platform, &Listen { follows: None }).await?;
    Ok(())
}

/// Looks whether somebody listens who should.
///
/// # Errors
/// If the table or a queue does not answer.
pub async fn look(app: &App, platform: Platform) -> Result<(), ListeningError> {
    if app.store.active(platform, None, 1).await?.is_empty() {
        return Ok(());
    }
    ensure(app, platform).await
}

/// Takes or renews a listener's lease. Answers whether it has it.
///
/// # Errors
/// If the table or a queue does not answer.
pub async fn hold(
    app: &App,
    platform: Platform,
    holder: &str,
    predecessor: Option<&str>,
) -> Result<bool, ListeningError> {
    let now: Timestamp = app.clock.now();
    let wanted = Lease { holder: holder.to_owned(), until: now + HELD };
    let held = app.store.take_lease(platform, &wanted, predecessor, now).await?;
    if held {
        app.queues.wake(&Wake::Listen { platform, at: now + LOOK_AGAIN }, now).await?;
    }
    Ok(held)
}
