//! Finds the earlier message that an event is about: a receipt, a reply, an edit, a deletion or a reaction.

use crate::app::App;
use crate::store::StoreError;
use trunkline_core::model::{
    ConnectionId, ConversationKey, Delivery, EarlierMessage, Event, EventBody, EventRecord,
    ExternalMessageId, Format, MessageReference,
};
use trunkline_core::rendering::{content_as_text, split};

/// The longest excerpt of an earlier message, in characters.
const MAX_EXCERPT: usize = 80;

/// Finds the message that an event from `connection` names, and adds the ids by which other connections know
/// it. Messages of other conversations are never revealed.
pub(super) async fn resolve(
    app: &App,
    connection: &ConnectionId,
    key: &ConversationKey,
    body: &mut EventBody,
) -> Result<(), StoreError> {
    // Boxed, because few events are about another: their lookups must not enlarge the future of the others.
    if let EventBody::Receipt { message, target: target @ None, .. } = body {
        let found = Box::pin(received(app, connection, key, message)).await?;
        *target = found.map(|record| sender_reference(&record));
    } else if let Some(earlier) = body.earlier_message()
        && let Some(record) = Box::pin(sent_or_received(app, connection, key, earlier)).await?
    {
        earlier.known_as = references(&record);
        earlier.excerpt = excerpt(&record.event);
    }
    Ok(())
}

/// Returns the message from its sender's own events, or else from those that the sender received.
async fn sent_or_received(
    app: &App,
    connection: &ConnectionId,
    key: &ConversationKey,
    earlier: &EarlierMessage,
) -> Result<Option<EventRecord>, StoreError> {
    if let Some(event) = &earlier.own_event
        && let Some(own) = app.store.event_by_id(key, connection, event, app.clock.now()).await?
    {
        return Ok(Some(own));
    }
    received(app, connection, key, &earlier.message).await
}

/// Returns the message that was delivered to a connection, by the id that its platform uses.
async fn received(
    app: &App,
    connection: &ConnectionId,
    key: &ConversationKey,
    message: &ExternalMessageId,
) -> Result<Option<EventRecord>, StoreError> {
    let found = if Delivery::is_delivery_id(message.as_str()) {
        let now = app.clock.now();
        app.store.event_by_delivery(key, connection, &message.as_str().into(), now).await?
    } else {
        app.store.event_by_external_id(connection, message).await?
    };
    Ok(found.filter(|record| record.key == *key))
}

fn sender_reference(record: &EventRecord) -> MessageReference {
    MessageReference { message: record.event.sender_message_id(), connection: record.from.clone() }
}

/// Returns the message as its sender and each of its receivers know it. A long message is known by its last
/// part, as in receipts.
fn references(record: &EventRecord) -> Vec<MessageReference> {
    let mut references: Vec<_> = (record.from != ConnectionId::system())
        .then(|| sender_reference(record))
        .into_iter()
        .collect();
    for target in &record.targets {
        let is_part = |key: &str| key.split('#').next() == Some(target.connection.as_str());
        let outcomes = record.outcomes.iter().filter(|(key, _)| is_part(key));
        let last = outcomes.max_by_key(|(key, _)| key.len()).map(|(_, outcome)| outcome);
        let message = last.and_then(|outcome| outcome.external_message_id.clone());
        let connection = target.connection.clone();
        references.extend(message.map(|message| MessageReference { connection, message }));
    }
    references
}

/// Returns the beginning of a message's text on one line.
fn excerpt(event: &Event) -> Option<String> {
    let text = match &event.body {
        EventBody::Message { content, .. } => content_as_text(content),
        EventBody::Choice { id, title, .. } => title.clone().unwrap_or_else(|| id.clone()),
        _ => return None,
    };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = split(&words, MAX_EXCERPT, Format::Plain).into_iter();
    let first = parts.next().filter(|first| !first.is_empty())?;
    Some(if parts.next().is_some() { format!("{first}…") } else { first })
}
