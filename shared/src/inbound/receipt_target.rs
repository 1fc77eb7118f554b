//! Whose message a receipt is about.

use crate::app::App;
use crate::model::{ConnectionId, ConversationKey, Delivery, EventBody, Reference};
use crate::store::StoreError;

/// Finds the message that a receipt from `connection` names, and notes what its own sender knows it by.
/// Of another conversation's messages nothing is said.
pub(super) async fn find(
    app: &App,
    connection: &ConnectionId,
    key: &ConversationKey,
    body: &mut EventBody,
) -> Result<(), StoreError> {
    let EventBody::Receipt { message, about: about @ None, .. } = body else { return Ok(()) };
    let found = if Delivery::is_ours(message) {
        app.store.delivered(key, connection, message).await?
    } else {
        app.store.message(connection, message).await?
    };
    *about = found.filter(|record| record.key == *key).map(|record| Reference {
        connection: record.from,
        message: record.event.external_id.unwrap_or_else(|| record.event.id.as_str().to_owned()),
    });
    Ok(())
}
