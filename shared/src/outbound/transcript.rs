//! What was said before, told to whoever gets the conversation now.

use std::time::Duration;

use jiff::SignedDuration;

use super::DispatchError;
use crate::app::App;
use crate::model::{ConnectionId, Content, Delivery, Event, EventBody, Line, Recall, Target};
use crate::routing::Standing;
use crate::store::EventRecord;

/// How long after the change of hands the transcript is read. By then everything is in it that was
/// decided on before (`inbound::take` decides on nothing older than half of this).
const SETTLED: SignedDuration = SignedDuration::from_secs(1);
/// How many events are looked at.
const LOOKED_AT: u16 = 100;
/// How much is told, in bytes of text.
const MAX_TOLD: usize = 64 * 1024;

/// The delivery with the lines that it asks for, if it asks for any.
pub(super) async fn fill(
    app: &App,
    delivery: &Delivery,
) -> Result<Option<Delivery>, DispatchError> {
    let asks = |recall: &&Recall| recall.last > 0 && !delivery.to.copy;
    let Some(recall) = delivery.event.body.recall().filter(asks) else { return Ok(None) };
    let asked_at = recall.asked_at.unwrap_or_else(|| app.clock.now());
    let left = (SETTLED - app.clock.now().duration_since(asked_at)).min(SETTLED);
    if let Ok(left) = Duration::try_from(left) {
        tokio::time::sleep(left).await;
    }
    let transcript = app.store.transcript(&delivery.key, LOOKED_AT).await?;
    let told =
        transcript.iter().enumerate().filter(|(_, record)| is_told(record, delivery, recall));
    let lines: Vec<Line> =
        told.filter_map(|(place, record)| line(&record.event, &transcript[..place])).collect();
    let told = Recall { lines: newest(lines, usize::from(recall.last)), ..recall.clone() };
    let event = Event { body: delivery.event.body.recalling(told), ..delivery.event.clone() };
    Ok(Some(Delivery { event, ..delivery.clone() }))
}

/// What was said in this conversation, and has not reached the target by itself.
fn is_told(record: &EventRecord, delivery: &Delivery, recall: &Recall) -> bool {
    let reached = |target: &Target| {
        let same = target.connection == delivery.to.connection;
        same && target.conversation == delivery.to.conversation && !target.copy
    };
    record.conversation == delivery.conversation
        && record.from != ConnectionId::house()
        && matches!(record.standing, Standing::Regular | Standing::Record)
        && recall.since.is_none_or(|since| record.arrived >= since)
        && !record.targets.iter().any(reached)
}

fn line(event: &Event, before: &[EventRecord]) -> Option<Line> {
    let content = match &event.body {
        EventBody::Message { content, .. } => content.clone(),
        EventBody::Choice { id, title, .. } => {
            let title = title.as_deref().or_else(|| title_of(id, before));
            Content::text(title.unwrap_or(id))
        }
        _ => return None,
    };
    Some(Line { at: event.at, author: event.author.clone(), content })
}

/// What the customer saw of a choice: some channels say only the id of what was picked.
fn title_of<'a>(id: &str, before: &'a [EventRecord]) -> Option<&'a str> {
    let offered = before.iter().rev().filter_map(|record| match &record.event.body {
        EventBody::Message { content, .. } => Some(&content.choices),
        _ => None,
    });
    offered.flatten().find(|choice| choice.id == id).map(|choice| choice.title.as_str())
}

/// The last `most` lines, and no more than is told at all.
fn newest(lines: Vec<Line>, most: usize) -> Vec<Line> {
    let mut size = 0;
    let mut newest: Vec<Line> = lines
        .into_iter()
        .rev()
        .take(most)
        .take_while(|line| {
            size += line.content.text.as_deref().unwrap_or_default().len();
            size <= MAX_TOLD
        })
        .collect();
    newest.reverse();
    newest
}
