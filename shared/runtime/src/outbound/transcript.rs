//! Fills the transcript for the desk or bot that takes over a conversation.

use std::time::Duration;

use jiff::SignedDuration;

use super::OutboundError;
use crate::app::App;
use trunkline_core::model::Disposition;
use trunkline_core::model::EventRecord;
use trunkline_core::model::{
    ConnectionId, Content, Delivery, Event, EventBody, Target, Transcript, TranscriptEntry,
};

/// How long after the change of owner the transcript is read. By then it has every event that was routed to
/// the previous owner (`inbound::ingest` bases no decision on a snapshot older than half of this).
const SETTLE_TIME: SignedDuration = SignedDuration::from_secs(1);
/// How many events are read.
const MAX_EVENTS_READ: u16 = 100;
/// Maximum size of the transcript, in bytes of text.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Returns the delivery with the transcript that its event asks for; `None` if it asks for none.
pub(super) async fn fill_transcript(
    app: &App,
    delivery: &Delivery,
) -> Result<Option<Delivery>, OutboundError> {
    let asks = |request: &&Transcript| request.limit > 0 && !delivery.to.copy;
    let Some(request) = delivery.event.body.transcript().filter(asks) else { return Ok(None) };
    let requested_at = request.requested_at.unwrap_or_else(|| app.clock.now());
    let wait = (SETTLE_TIME - app.clock.now().duration_since(requested_at)).min(SETTLE_TIME);
    if let Ok(wait) = Duration::try_from(wait) {
        tokio::time::sleep(wait).await;
    }
    let transcript = app.store.transcript(&delivery.key, MAX_EVENTS_READ, app.clock.now()).await?;
    let included =
        transcript.iter().enumerate().filter(|(_, record)| is_included(record, delivery, request));
    let entries: Vec<TranscriptEntry> =
        included.filter_map(|(index, record)| entry(&record.event, &transcript[..index])).collect();
    let filled =
        Transcript { entries: newest(entries, usize::from(request.limit)), ..request.clone() };
    let event =
        Event { body: delivery.event.body.with_transcript(filled), ..delivery.event.clone() };
    Ok(Some(Delivery { event, ..delivery.clone() }))
}

/// Whether an event belongs into the transcript: it is of this conversation, and the target has not received
/// it by itself.
fn is_included(record: &EventRecord, delivery: &Delivery, request: &Transcript) -> bool {
    let reached = |target: &Target| {
        let same = target.connection == delivery.to.connection;
        same && target.session_id == delivery.to.session_id && !target.copy
    };
    record.conversation == delivery.conversation
        && record.from != ConnectionId::system()
        && matches!(record.disposition, Disposition::Routed | Disposition::RecordedOnly)
        && request.since.is_none_or(|since| record.received_at >= since)
        && !record.targets.iter().any(reached)
}

/// Builds the entry of an event; `None` if it is not a message or a choice.
fn entry(event: &Event, before: &[EventRecord]) -> Option<TranscriptEntry> {
    let content = match &event.body {
        EventBody::Message { content, .. } => content.clone(),
        EventBody::Choice { id, title, .. } => {
            let title = title.as_deref().or_else(|| choice_title(id, before));
            Content::text(title.unwrap_or(id))
        }
        _ => return None,
    };
    Some(TranscriptEntry { at: event.at, author: event.author.clone(), content })
}

/// Returns the title that the customer saw of a choice: some channels send only its id.
fn choice_title<'a>(id: &str, before: &'a [EventRecord]) -> Option<&'a str> {
    let offered = before.iter().rev().filter_map(|record| match &record.event.body {
        EventBody::Message { content, .. } => Some(&content.choices),
        _ => None,
    });
    offered.flatten().find(|choice| choice.id == id).map(|choice| choice.title.as_str())
}

/// Returns the last `limit` entries, up to [`MAX_TEXT_BYTES`].
fn newest(entries: Vec<TranscriptEntry>, limit: usize) -> Vec<TranscriptEntry> {
    let mut size = 0;
    let mut newest: Vec<TranscriptEntry> = entries
        .into_iter()
        .rev()
        .take(limit)
        .take_while(|entry| {
            size += entry.content.text.as_deref().unwrap_or_default().len();
            size <= MAX_TEXT_BYTES
        })
        .collect();
    newest.reverse();
    newest
}
