//! Verifies a connection through its outbound function, so that the same network path and secrets are used
//! as for deliveries.

use std::time::Duration;

use super::OperatorActions;
use crate::error::BackendError;
use crate::store::Health;
use trunkline_core::model::{ConnectionId, Job, PlatformId};

/// How often the result is looked up.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Why a connection has no verification result.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The table or the queue failed.
    #[error(transparent)]
    Backend(BackendError),
    /// The outbound function stored no result in time; the limit in seconds.
    #[error("no verification result within {0} seconds: see the outbound function's log")]
    TimedOut(u64),
}

crate::from_backend_errors!(VerifyError);

impl OperatorActions<'_> {
    /// Verifies a connection. Waits for the result for at most `seconds`.
    ///
    /// # Errors
    /// If no result is stored in time, or an internal error occurred.
    pub async fn verify(
        &self,
        connection: &ConnectionId,
        platform: PlatformId,
        seconds: u64,
    ) -> Result<Health, VerifyError> {
        let challenge = self.ids.next(self.clock.now());
        let job = Job::Verify { connection: connection.clone(), challenge: challenge.clone() };
        self.result_of(job, challenge, connection, platform, seconds).await
    }

    /// Creates or updates a connection's registration on its platform, and verifies the connection. Waits for
    /// the result for at most `seconds`.
    ///
    /// # Errors
    /// If no result is stored in time, or an internal error occurred.
    pub async fn fix_registration(
        &self,
        connection: &ConnectionId,
        platform: PlatformId,
        seconds: u64,
    ) -> Result<Health, VerifyError> {
        let challenge = self.ids.next(self.clock.now());
        let (id, result) = (connection.clone(), challenge.clone());
        let job = Job::FixRegistration { connection: id, challenge: result };
        self.result_of(job, challenge, connection, platform, seconds).await
    }

    async fn result_of(
        &self,
        job: Job,
        challenge: String,
        connection: &ConnectionId,
        platform: PlatformId,
        seconds: u64,
    ) -> Result<Health, VerifyError> {
        let group = format!("verify-{connection}");
        self.queues.enqueue(platform, group, challenge.clone(), &job).await?;
        for _ in 0..seconds * 4 {
            tokio::time::sleep(POLL_INTERVAL).await;
            let health = self.store.health(connection).await?;
            if let Some(health) = health.filter(|health| health.challenge == challenge) {
                return Ok(health);
            }
        }
        Err(VerifyError::TimedOut(seconds))
    }
}
