//! Asks a connection's far side to prove that it is ours, by way of the function that will send to it.

use std::time::Duration;

use crate::app::{Clock, Ids};
use crate::model::{ConnectionId, Job, Platform};
use crate::queue::{QueueError, Queues};
use crate::store::{Health, Store, StoreError};

/// How often it is looked whether something was heard.
const LOOK: Duration = Duration::from_millis(250);

/// Why nothing is known of a far side.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The function did not say anything in time.
    #[error("nothing was heard within {0} seconds: see the outbound function's log")]
    Silence(u64),
}

/// With what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The table.
    pub store: &'a Store,
    /// The queues.
    pub queues: &'a Queues,
    /// The time.
    pub clock: &'a dyn Clock,
    /// New ids.
    pub ids: &'a dyn Ids,
}

/// Asks, and waits for at most `seconds`. Answers with what came of it.
///
/// # Errors
/// If nothing is known.
pub async fn verify(
    asking: Asking<'_>,
    connection: &ConnectionId,
    platform: Platform,
    seconds: u64,
) -> Result<Health, Unheard> {
    let challenge = asking.ids.next(asking.clock.now());
    let job = Job::Verify { connection: connection.clone(), challenge: challenge.clone() };
    let group = format!("verify-{connection}");
    asking.queues.order(platform, group, challenge.clone(), &job).await?;
    for _ in 0..seconds * 4 {
        tokio::time::sleep(LOOK).await;
        let health = asking.store.health(connection).await?;
        if let Some(health) = health.filter(|health| health.challenge == challenge) {
            return Ok(health);
        }
    }
    Err(Unheard::Silence(seconds))
}
