//! What was refused is kept where a person can see it.

use jiff::Timestamp;

use super::Rejection;
use crate::app::App;
use crate::model::ConnectionId;
use crate::store::{Rejected, StoreError};

/// Keeps a refused body, unless it stands in the transcript.
///
/// # Errors
/// If the table does not answer.
pub async fn keep_rejected(
    app: &App,
    connection: &ConnectionId,
    why: &Rejection,
    body: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::warn!(%connection, %why, "an event was refused");
    if why.is_recorded() {
        return Ok(());
    }
    let rejected = Rejected::new(now, why.to_string(), body);
    app.store.keep_rejected(connection, &app.ids.next(now), &rejected).await
}
