//! Asks a connection's far side to prove that it is ours, by way of the function that will send to it.

use trunkline_shared::app::{RandomIds, SystemClock};
use trunkline_shared::model::{ConnectionId, Platform};
use trunkline_shared::operations::{self, Asking, Unheard};
use trunkline_shared::store::Health;

use crate::stack::Stack;

/// Why a far side is not known to be ours.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Nothing is known of it.
    #[error(transparent)]
    Unheard(#[from] Unheard),
    /// It did not prove itself.
    #[error("{0}")]
    Unproven(String),
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
    let (store, queues) = (&stack.store, &stack.queues);
    let asking = Asking { store, queues, clock: &SystemClock, ids: &RandomIds };
    let health = operations::verify(asking, connection, platform, seconds).await?;
    match health.problem {
        Some(why) => Err(VerifyError::Unproven(why)),
        None => Ok(health),
    }
}
