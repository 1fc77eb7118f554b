//! Asks a connection's far side to prove that it is ours, by way of the function that will send to it.

use std::time::Duration;

use jiff::Timestamp;
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};
use trunkline_shared::model::{Connection, Job};
use trunkline_shared::queue::QueueError;
use trunkline_shared::store::StoreError;

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

/// Asks, and waits for at most `seconds`. Answers with the time of the proof.
///
/// # Errors
/// If the far side did not prove itself, or nothing is known.
pub async fn verify(
    stack: &Stack,
    connection: &Connection,
    seconds: u64,
) -> Result<Timestamp, VerifyError> {
    let challenge = RandomIds.next(SystemClock.now());
    let job = Job::Verify { connection: connection.id.clone(), challenge: challenge.clone() };
    let group = format!("verify-{}", connection.id);
    stack.queues.order(connection.platform, group, challenge.clone(), &job).await?;
    for _ in 0..seconds * 4 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let health = stack.store.health(&connection.id).await?;
        if let Some(health) = health.filter(|health| health.challenge == challenge) {
            return health.problem.map_or(Ok(health.at), |why| Err(VerifyError::Unproven(why)));
        }
    }
    Err(VerifyError::Silence(seconds))
}
