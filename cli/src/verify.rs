//! Asks a connection's far side to prove that it is ours, by way of the function that will send to it.

use std::time::Duration;

use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};
use trunkline_shared::model::{ConnectionId, Job, Platform};
use trunkline_shared::queue::QueueError;
use trunkline_shared::store::{Health, StoreError};

use crate::stack::Stack;

/// Why nothing is known of a connection's far side.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The far side did not prove itself.
    #[error("{0}")]
    Unproven(String),
    /// The function did not say anything in time.
    #[error("nothing was heard within {0} seconds: see the outbound function's log")]
    Silence(u64),
}

/// Asks, and waits for at most `seconds`. Answers with what came of it; where the platform has no call
/// for it, that is the person's word.
///
/// # Errors
/// If the far side did not prove itself, or nothing is known.
pub async fn verify(
    stack: &Stack,
    connection: &ConnectionId,
    platform: Platform,
    seconds: u64,
) -> Result<Health, VerifyError> {
    let challenge = RandomIds.next(SystemClock.now());
    let job = Job::Verify { connection: connection.clone(), challenge: challenge.clone() };
    let group = format!("verify-{connection}");
    stack.queues.order(platform, group, challenge.clone(), &job).await?;
    for _ in 0..seconds * 4 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let health = stack.store.health(connection).await?;
        if let Some(health) = health.filter(|health| health.challenge == challenge) {
            return match health.problem {
                Some(why) => Err(VerifyError::Unproven(why)),
                None => Ok(health),
            };
        }
    }
    Err(VerifyError::Silence(seconds))
}
