//! Finds the message to which a receipt refers.

use crate::app::App;
use crate::store::StoreError;
use trunkline_core::model::{ConnectionId, ConversationKey, Delivery, EventBody, MessageReference};

/// Finds the message that a receipt from `connection` names, and adds the id by which the message's sender
/// knows it. Messages of other conversations are never revealed.
pub(super) async fn resolve(
    app: &App,
    connection: &ConnectionId,
    key: &ConversationKey,
    body: &mut EventBody,
) -> Result<(), StoreError> {
    let EventBody::Receipt { message, target: target @ None, .. } = body else { return Ok(()) };
    let found = if Delivery::is_delivery_id(message.as_str()) {
        app.store.event_by_delivery(key, connection, &message.as_str().into()).await?
    } else {
        app.store.event_by_external_id(connection, message).await?
    };
    *target = found.filter(|record| record.key == *key).map(|record| MessageReference {
        message: record.event.sender_message_id(),
        connection: record.from,
    });
    Ok(())
}
