//! Transcripts: the events of a conversation in the order of their arrival.
//!
//! Keys sort by a time that is at most [`MAX_SKEW`] from an event's position, so a reader that looks for the
//! newest events reads beyond them by that time.

use std::cmp::Reverse;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::events::{MAX_SKEW, event_from_item, is_claim, position};
use super::item::string_attribute;
use super::keys::{EVENT_PREFIX, conversation_pk, event_sk_after, parse_event_sk};
use super::{Item, Store, StoreError, unavailable};
use trunkline_core::model::{ConversationKey, EventRecord};

/// Largest number of events of a transcript.
const MAX_EVENTS: u16 = 100;
/// Largest number of pages of one read, at most 1 MB each. Beyond it, the order of a conversation with
/// thousands of events within [`MAX_SKEW`] is that of its keys.
const MAX_PAGES: usize = 20;
/// Largest size of the events of one read, in bytes: a response of Lambda has at most 6 MB.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Number of events that are read beyond those that are wanted, because of the order of their keys.
const MORE: u16 = 5;

/// Position at the end of a page of events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventCursor {
    /// Position of the last event in the transcript.
    pub at: String,
    /// Sort key of the last event.
    pub sort_key: String,
}

/// An event with its position and its size in the table.
struct Positioned {
    cursor: EventCursor,
    record: EventRecord,
    bytes: usize,
}

/// A page of items in reverse order.
pub(super) struct NewestFirst {
    pub(super) items: Vec<Item>,
    /// Where the next page starts; `None` after the last page.
    pub(super) next: Option<Item>,
}

impl Store {
    /// Returns the last `limit` events of a channel and customer (at most 100), oldest first.
    pub async fn transcript(
        &self,
        key: &ConversationKey,
        limit: u16,
        now: Timestamp,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let (mut events, _) = self.timeline(key, None, limit.min(MAX_EVENTS), now).await?;
        events.reverse();
        Ok(events)
    }

    /// Returns up to `limit` events of a channel and customer, newest first, starting after a cursor, and the
    /// next cursor if there can be more.
    pub async fn timeline(
        &self,
        key: &ConversationKey,
        after: Option<&EventCursor>,
        limit: u16,
        now: Timestamp,
    ) -> Result<(Vec<EventRecord>, Option<EventCursor>), StoreError> {
        let before = after.and_then(|cursor| time_of(&cursor.at)).unwrap_or(now);
        let wanted = usize::from(limit);
        let mut newest: Vec<Positioned> = Vec::new();
        // The newest event that is too much for the page.
        let mut excess: Option<EventCursor> = None;
        let mut start = None;
        for _ in 0..MAX_PAGES {
            let read = limit.saturating_add(MORE);
            let page = self.newest_events(key, later(before), start, read).await?;
            for item in page.items.iter().filter(|item| !is_claim(item)) {
                let record = event_from_item(item)?;
                let at = position(item, &record);
                let sort_key = string_attribute(item, "sk").to_owned();
                let bytes = string_attribute(item, "json").len();
                newest.push(Positioned { cursor: EventCursor { at, sort_key }, record, bytes });
            }
            newest.retain(|event| {
                after.is_none_or(|after| event.cursor < *after)
                    && excess.as_ref().is_none_or(|excess| event.cursor > *excess)
            });
            newest.sort_by(|one, other| Reverse(&one.cursor).cmp(&Reverse(&other.cursor)));
            let fitting = fitting(&newest).min(wanted);
            excess = newest.get(fitting).map(|event| event.cursor.clone()).or(excess);
            newest.truncate(fitting);
            let is_full = newest.len() == wanted || excess.is_some();
            let last_key = page.items.last().map_or("", |item| string_attribute(item, "sk"));
            start = page.next;
            if start.is_none() || (is_full && is_complete(&newest, last_key)) {
                break;
            }
        }
        let may_continue = newest.len() == wanted || excess.is_some() || start.is_some();
        let last = newest.last().filter(|_| may_continue).map(|last| last.cursor.clone());
        Ok((newest.into_iter().map(|event| event.record).collect(), last))
    }

    /// Returns a conversation's newest events whose keys have a time up to `until`, and the claims among
    /// them, by key.
    pub(super) async fn newest_events(
        &self,
        key: &ConversationKey,
        until: Timestamp,
        start: Option<Item>,
        limit: u16,
    ) -> Result<NewestFirst, StoreError> {
        let output = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", AttributeValue::S(conversation_pk(key)))
            .expression_attribute_values(":first", AttributeValue::S(EVENT_PREFIX.into()))
            .expression_attribute_values(":last", AttributeValue::S(event_sk_after(until)))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::from(limit))
            .send()
            .await
            .map_err(|error| unavailable("Query", error))?;
        let next = output.last_evaluated_key;
        Ok(NewestFirst { items: output.items.unwrap_or_default(), next })
    }
}

/// Returns the latest time that the key of an event at a position can have.
pub(super) fn later(at: Timestamp) -> Timestamp {
    at.saturating_add(MAX_SKEW).unwrap_or(Timestamp::MAX)
}

/// Returns how many of these events fit into a page, at least one.
fn fitting(events: &[Positioned]) -> usize {
    let mut bytes = 0;
    let fits = events.iter().take_while(|event| {
        bytes += event.bytes;
        bytes <= MAX_BYTES
    });
    fits.count().max(1)
}

/// Returns whether no event with an earlier key can belong among the newest, if they are as many as wanted.
fn is_complete(newest: &[Positioned], last_key: &str) -> bool {
    let Some(Positioned { cursor: oldest, .. }) = newest.last() else { return true };
    // A key without a time is that of a claim far in the past.
    let Some((key_time, ..)) = parse_event_sk(last_key) else { return true };
    time_of(&oldest.at).is_some_and(|at| later(key_time) < at)
}

/// Returns the time of a position.
fn time_of(position: &str) -> Option<Timestamp> {
    position.split('#').next()?.parse().ok()
}
