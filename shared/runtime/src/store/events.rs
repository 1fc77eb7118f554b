//! Events: the keys that keep a transcript in order and recognize a repeated event.
//!
//! The sort key of an event begins with a time. Where the platform repeats an event's own time, that is the
//! time, and the key identifies the event: one conditional put both recognizes a repeat and keeps the order.
//! Any other event is first claimed, by a conditional put of an item that is identified by the event and
//! names the time in the event's key: that of its arrival.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::conversations::PutResult;
use super::item::{corrupt, item, key, read, string_attribute};
use super::keys::{claim_sk, conversation_pk, event_sk, parse_event_sk};
use super::{Item, Store, StoreError};
use crate::error::Cause;
use trunkline_core::model::{
    ConnectionId, ConversationKey, Delivery, Event, EventId, EventRecord, time,
};

/// How far an event's own time may be from its arrival and still be the time in its key. A reader that wants
/// the newest events by arrival reads beyond them by this time, because the keys may be off by it. Measured:
/// docs/performance.md, "The order of a transcript".
pub const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Attribute of a claim: the time in the key of the event.
const FILED_AT: &str = "filed_at";
/// Attribute of an event: its position in the transcript, if that is not its arrival.
const POSITION: &str = "at";

/// An event with its position in the transcript.
#[derive(Debug, Clone, Copy)]
pub struct PositionedEvent<'a> {
    pub record: &'a EventRecord,
    /// Time that determines the position, at most [`MAX_SKEW`] from that in the key: the arrival, or the
    /// platform's own time.
    pub at: Timestamp,
    /// Index among the events that are written together.
    pub index: usize,
}

/// Where a received event is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Filing {
    /// Under this time, unless it exists there already.
    At(Timestamp),
    /// It exists already, as this record.
    Duplicate(Box<EventRecord>),
}

/// An item under the key of an event.
pub(super) enum Filed {
    Event(Box<EventRecord>),
    /// The event is stored under another time, or is about to be.
    Claim(Timestamp),
}

/// Returns the time under which a received event is stored if its own key can identify it; `None` if the event
/// must be claimed.
#[must_use]
pub fn own_key_time(event: &Event, now: Timestamp) -> Option<Timestamp> {
    event.identifying_time().filter(|at| is_near(*at, now))
}

/// Returns whether two times are so close that one can be in the key of an event at the other.
#[must_use]
pub fn is_near(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= MAX_SKEW
}

/// Reads an event and its outcomes.
pub(super) fn event_from_item(item: &Item) -> Result<EventRecord, StoreError> {
    let mut record: EventRecord = read(item)?;
    let sk = string_attribute(item, "sk");
    record.filed_at = parse_event_sk(sk).map_or(record.received_at, |(at, ..)| at);
    if let Some(AttributeValue::M(outcomes)) = item.get("outcomes") {
        for (connection, outcome) in outcomes {
            let outcome = outcome.as_s().map_or("", String::as_str);
            let outcome = serde_json::from_str(outcome);
            let outcome = outcome.map_err(|error| corrupt(sk, error))?;
            record.outcomes.insert(connection.clone(), outcome);
        }
    }
    Ok(record)
}

/// Returns whether an item claims an event that is stored elsewhere.
pub(super) fn is_claim(item: &Item) -> bool {
    item.contains_key(FILED_AT)
}

/// Returns the position of an event in the transcript, as text that sorts.
pub(super) fn position(item: &Item, record: &EventRecord) -> String {
    match string_attribute(item, POSITION) {
        "" => position_text(record.received_at, 0),
        position => position.to_owned(),
    }
}

fn position_text(at: Timestamp, index: usize) -> String {
    format!("{}#{index:03}", time::format_rfc3339_millis(at))
}

/// Reads what is stored under the key of an event.
pub(super) fn read_filed(item: &Item) -> Result<Filed, StoreError> {
    if !is_claim(item) {
        return Ok(Filed::Event(Box::new(event_from_item(item)?)));
    }
    let filed_at = string_attribute(item, FILED_AT).parse();
    filed_at.map(Filed::Claim).map_err(|error| StoreError::Corrupt {
        key: string_attribute(item, "sk").to_owned(),
        cause: Cause::new(error),
    })
}

/// Returns the sort key that identifies an event.
fn identity_sk(from: &ConnectionId, id: &EventId, identifying_time: Option<Timestamp>) -> String {
    match identifying_time {
        Some(at) => event_sk(at, from, id),
        None => claim_sk(from, id),
    }
}

impl Store {
    /// Claims a received event whose key alone cannot identify it. A repeated claim has the first one's result,
    /// so that a crash between claim and event does no harm.
    pub async fn claim_event(
        &self,
        key: &ConversationKey,
        from: &ConnectionId,
        event: &Event,
        now: Timestamp,
    ) -> Result<Filing, StoreError> {
        let sk = identity_sk(from, &event.id, event.identifying_time());
        let mut claim = super::item::key(conversation_pk(key), sk);
        claim.insert(FILED_AT.into(), AttributeValue::S(now.to_string()));
        claim.insert("expires".into(), self.expiry(now));
        match self.put_new(claim).await? {
            PutResult::Written => Ok(Filing::At(now)),
            PutResult::Exists(existing) => match read_filed(&existing)? {
                Filed::Event(record) => Ok(Filing::Duplicate(record)),
                Filed::Claim(at) => {
                    let found = self.event_at(key, from, &event.id, at).await?;
                    Ok(found.map_or(Filing::At(at), |record| Filing::Duplicate(Box::new(record))))
                }
            },
        }
    }

    /// Returns the event with this identity, with its outcomes so far. `identifying_time`:
    /// [`Event::identifying_time`].
    pub async fn event(
        &self,
        key: &ConversationKey,
        from: &ConnectionId,
        id: &EventId,
        identifying_time: Option<Timestamp>,
    ) -> Result<Option<EventRecord>, StoreError> {
        let sk = identity_sk(from, id, identifying_time);
        let Some(found) = self.get(conversation_pk(key), sk).await? else { return Ok(None) };
        match read_filed(&found)? {
            Filed::Event(record) => Ok(Some(*record)),
            Filed::Claim(at) => self.event_at(key, from, id, at).await,
        }
    }

    /// Returns the event that is stored under a time, with its outcomes so far.
    pub async fn event_at(
        &self,
        key: &ConversationKey,
        from: &ConnectionId,
        id: &EventId,
        filed_at: Timestamp,
    ) -> Result<Option<EventRecord>, StoreError> {
        let found = self.get(conversation_pk(key), event_sk(filed_at, from, id)).await?;
        // A claim under this key is that of an event at another time.
        let found = found.filter(|item| !is_claim(item));
        found.as_ref().map(event_from_item).transpose()
    }

    pub(super) fn event_item(
        &self,
        event: &PositionedEvent<'_>,
        now: Timestamp,
    ) -> Result<Item, StoreError> {
        let PositionedEvent { record, at, index } = event;
        let sk = event_sk(record.filed_at, &record.from, &record.event.id);
        let mut item = item(conversation_pk(&record.key), sk, record)?;
        let position = position_text(*at, *index);
        if position != position_text(record.received_at, 0) {
            item.insert(POSITION.into(), AttributeValue::S(position));
        }
        item.insert("outcomes".into(), AttributeValue::M(Item::new()));
        item.insert("expires".into(), self.expiry(now));
        Ok(item)
    }
}

/// Returns the key of the event that a delivery is of.
pub(super) fn event_key(delivery: &Delivery) -> Item {
    let sk = event_sk(delivery.filed_at(), &delivery.from, &delivery.event.id);
    key(conversation_pk(&delivery.key), sk)
}
