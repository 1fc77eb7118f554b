//! What is not taken is kept where a person can see it.

use super::{IntakeError, Rejection, Taken, take_now};
use crate::app::App;
use crate::model::{Connection, ConnectionId, Event};
use crate::store::{Rejected, StoreError};

/// Takes an event that did not come by a call of its own: whoever sent it cannot be told that it is
/// refused, so then it is kept, and there is nothing taken.
///
/// # Errors
/// Ours only.
pub async fn take_or_keep(
    app: &App,
    connection: &Connection,
    event: Event,
) -> Result<Option<Taken>, IntakeError> {
    let body = serde_json::to_vec(&event).unwrap_or_default();
    match Box::pin(take_now(app, connection, event)).await {
        Ok(taken) => Ok(Some(taken)),
        Err(IntakeError::Rejected(why)) => {
            keep_rejected(app, &connection.id, &why, &body).await?;
            Ok(None)
        }
        Err(ours) => Err(ours),
    }
}

/// Keeps a refused body, unless it stands in the transcript.
pub(super) async fn keep_rejected(
    app: &App,
    connection: &ConnectionId,
    why: &Rejection,
    body: &[u8],
) -> Result<(), StoreError> {
    tracing::warn!(%connection, %why, "an event was refused");
    if why.is_recorded() {
        return Ok(());
    }
    keep(app, connection, &why.to_string(), body).await
}

/// Keeps a body with the reason why nothing came of it.
pub(super) async fn keep(
    app: &App,
    connection: &ConnectionId,
    reason: &str,
    body: &[u8],
) -> Result<(), StoreError> {
    let now = app.clock.now();
    let rejected = Rejected::new(now, reason.to_owned(), body);
    app.store.keep_rejected(connection, &app.ids.next(now), &rejected).await
}
