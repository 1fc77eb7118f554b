//! Stores rejected events so that operators can inspect them.

use super::{InboundError, Ingested, Rejection, ingest_now};
use crate::app::App;
use crate::store::{Rejected, StoreError};
use trunkline_core::model::{Connection, ConnectionId, Event};

/// Ingests an event that did not arrive in a call of its own. Its sender gets no response, so a rejected
/// event is stored for operators, and the result is `None`.
///
/// # Errors
/// Internal errors only.
pub async fn ingest_or_store_rejected(
    app: &App,
    connection: &Connection,
    event: Event,
) -> Result<Option<Ingested>, InboundError> {
    let body = serde_json::to_vec(&event).unwrap_or_default();
    match Box::pin(ingest_now(app, connection, event)).await {
        Ok(ingested) => Ok(Some(ingested)),
        Err(InboundError::Rejected(why)) => {
            store_rejected_event(app, &connection.id, &why, &body).await?;
            Ok(None)
        }
        Err(internal) => Err(internal),
    }
}

/// Stores the body of a rejected event, unless the event is in the transcript.
pub(super) async fn store_rejected_event(
    app: &App,
    connection: &ConnectionId,
    why: &Rejection,
    body: &[u8],
) -> Result<(), StoreError> {
    tracing::warn!(%connection, %why, "an event was rejected");
    if why.is_recorded() {
        return Ok(());
    }
    store_rejected(app, connection, &why.to_string(), body).await
}

/// Stores a request body with the reason for its rejection.
pub(super) async fn store_rejected(
    app: &App,
    connection: &ConnectionId,
    reason: &str,
    body: &[u8],
) -> Result<(), StoreError> {
    let now = app.clock.now();
    let rejected = Rejected::new(now, reason.to_owned(), body);
    app.store.put_rejected(connection, &app.ids.next(now), &rejected).await
}
