//! Events: the keys that keep a transcript in order and recognize a repeated event.
//!
//! The sort key of an event begins with a time. Where the platform repeats an event's own time, that is the
//! time, and the key identifies the event: one conditional put both recognizes a repeat and keeps the order.
//! Any other event is first claimed, by a conditional put of an item that is identified by the event and
//! names the time in the event's key: that of its arrival.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::conversations::not_returned;
use super::item::{corrupt, item, key, read, string_attribute};
use super::keys::{claim_sk, conversation_pk, event_sk, parse_conversation_pk, parse_event_sk};
use super::{Item, NEW, PutResult, Store, StoreError};
use crate::error::Cause;
use trunkline_core::model::{
    ConnectionId, ConversationId, ConversationKey, Delivery, Disposition, Event, EventId,
    EventRecord, Outcome, Target, time,
};

/// How far an event's own time may be from its arrival and still be the time in its key. A reader that wants
/// the newest events by arrival reads beyond them by this time, because the keys may be off by it.
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

/// An event as its item has it: without what the key says, so that most events and one outcome fit into 1 KB,
/// the size of a write unit.
#[derive(Serialize, Deserialize)]
struct StoredEvent<'a> {
    conversation: Cow<'a, ConversationId>,
    event: Cow<'a, Event>,
    received_at: Timestamp,
    #[serde(default, skip_serializing_if = "is_routed")]
    disposition: Disposition,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    targets: Cow<'a, [Target]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    preceding: Cow<'a, [EventId]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    following: Cow<'a, [EventId]>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_routed(disposition: &Disposition) -> bool {
    *disposition == Disposition::Routed
}

/// Reads an event and its outcomes.
pub(super) fn event_from_item(item: &Item) -> Result<EventRecord, StoreError> {
    let stored: StoredEvent<'_> = read(item)?;
    let sk = string_attribute(item, "sk");
    let key = parse_conversation_pk(string_attribute(item, "pk"));
    let Some((key, (filed_at, from, _))) = key.zip(parse_event_sk(sk)) else {
        let cause = Cause::new("the key is not that of an event");
        return Err(StoreError::Corrupt { key: sk.to_owned(), cause });
    };
    let mut record = EventRecord {
        key,
        conversation: stored.conversation.into_owned(),
        from,
        event: stored.event.into_owned(),
        received_at: stored.received_at,
        filed_at,
        disposition: stored.disposition,
        targets: stored.targets.into_owned(),
        preceding: stored.preceding.into_owned(),
        following: stored.following.into_owned(),
        outcomes: BTreeMap::new(),
    };
    if let Some(AttributeValue::M(outcomes)) = item.get("outcomes") {
        for (target, outcome) in outcomes {
            let outcome = outcome.as_s().map_or("", String::as_str);
            let outcome = serde_json::from_str(outcome).map_err(|error| corrupt(sk, error))?;
            record.outcomes.insert(target.clone(), with_own_id(outcome, &record, target));
        }
    }
    Ok(record)
}

/// Stands for the delivery's own id in a stored outcome, because that follows from the delivery.
const OWN_ID: &str = "=";

/// Returns an outcome as it is stored.
pub(super) fn without_own_id(outcome: &Outcome, delivery: &Delivery) -> Outcome {
    let mut stored = outcome.clone();
    if let Some(id) = &mut stored.external_message_id
        && id.as_str() == delivery.id.as_str()
    {
        *id = OWN_ID.into();
    }
    stored
}

/// Returns a stored outcome as it was recorded. `target`: [`Target::outcome_key`].
fn with_own_id(mut outcome: Outcome, record: &EventRecord, target: &str) -> Outcome {
    if let Some(id) = outcome.external_message_id.as_mut().filter(|id| id.as_str() == OWN_ID) {
        let (connection, part) = target.split_once('#').unwrap_or((target, "0"));
        let (connection, part) = (connection.parse(), part.parse());
        if let (Ok(connection), Ok(part)) = (connection, part) {
            let EventRecord { key, from, event, .. } = record;
            let own = Delivery::make_part_id(key, from, &event.id, &connection, part);
            *id = own.as_str().into();
        }
    }
    outcome
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
        match self.put_if(claim, NEW).await? {
            PutResult::Written => Ok(Filing::At(now)),
            PutResult::Refused(existing) => {
                match read_filed(&existing.ok_or_else(not_returned)?)? {
                    Filed::Event(record) => Ok(Filing::Duplicate(record)),
                    Filed::Claim(at) => {
                        let found = self.event_at(key, from, &event.id, at).await?;
                        Ok(found
                            .map_or(Filing::At(at), |record| Filing::Duplicate(Box::new(record))))
                    }
                }
            }
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
        let stored = StoredEvent {
            conversation: Cow::Borrowed(&record.conversation),
            event: Cow::Borrowed(&record.event),
            received_at: record.received_at,
            disposition: record.disposition,
            targets: Cow::Borrowed(&record.targets),
            preceding: Cow::Borrowed(&record.preceding),
            following: Cow::Borrowed(&record.following),
        };
        let mut item = item(conversation_pk(&record.key), sk, &stored)?;
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

#[cfg(test)]
mod tests {
    use trunkline_core::model::{
        Author, AuthorRole, Capabilities, Content, EventBody, Party, PlatformId, Presentation,
        Role, Verdict,
    };

    use super::*;

    fn uuid() -> String {
        "0199c6c2-5c0e-7cc3-a3f1-0c6d8c1d2e3f".to_owned()
    }

    /// A text of 100 bytes to a bot that can show everything, with ids as long as UUIDs.
    fn record() -> EventRecord {
        let at: Timestamp = "2026-03-04T09:15:20.891Z".parse().unwrap();
        let customer = format!("+{}", "1".repeat(12));
        let key = ConversationKey { channel: "shop-whatsapp".parse().unwrap(), customer };
        let content = Content::text("x".repeat(100));
        let body = EventBody::Message { content, metadata: serde_json::Map::new() };
        let id = EventId::from_parts(&["e", &uuid()]);
        let author = Author::nameless(AuthorRole::Customer);
        let event = Event {
            external_message_id: Some(uuid().as_str().into()),
            trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00".parse().unwrap()),
            ..Event::new(id, key.customer.as_str(), at, author, body)
        };
        let bot = Party {
            connection: "answering-bot".parse().unwrap(),
            platform: PlatformId::from_static("faxline"),
            copies: false,
            presentation: Presentation { sender_prefix: false, capabilities: Capabilities::ALL },
        };
        EventRecord {
            from: key.channel.clone(),
            key,
            conversation: uuid().as_str().into(),
            event,
            received_at: at,
            filed_at: at,
            disposition: Disposition::Routed,
            targets: vec![Target::addressed(&bot, Role::Bot)],
            preceding: Vec::new(),
            following: Vec::new(),
            outcomes: BTreeMap::new(),
        }
    }

    fn outcome(delivery: &Delivery) -> Outcome {
        Outcome {
            verdict: Verdict::Delivered,
            at: delivery.event.at,
            status: Some(200),
            reason: None,
            external_message_id: Some(delivery.id.as_str().into()),
            attempts: 1,
        }
    }

    /// Returns the size of an item as AWS counts it (the names and values of all attributes; a map and its
    /// members have 3 bytes and 1 byte more).
    fn size(item: &Item) -> usize {
        let of = |(name, value): (&String, &AttributeValue)| match value {
            AttributeValue::S(text) => name.len() + text.len(),
            AttributeValue::N(number) => name.len() + number.len() / 2 + 2,
            AttributeValue::M(members) => name.len() + 3 + size(members) + members.len(),
            other => panic!("no size of {other:?}"),
        };
        item.iter().map(of).sum()
    }

    #[test]
    fn a_message_and_its_outcome_fit_into_one_write_unit() {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest());
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config.build()), "t".into(), 90);
        let mut record = record();
        let event = PositionedEvent { record: &record, at: record.received_at, index: 0 };
        let mut item = store.event_item(&event, record.received_at).unwrap();
        let delivery = record.deliveries().next().unwrap();
        let recorded = outcome(&delivery);
        let json = serde_json::to_string(&without_own_id(&recorded, &delivery)).unwrap();
        let outcomes = Item::from([("answering-bot".to_owned(), AttributeValue::S(json))]);
        item.insert("outcomes".into(), AttributeValue::M(outcomes));
        assert!(size(&item) <= 1_024, "{} bytes: {item:?}", size(&item));
        record.outcomes.insert("answering-bot".into(), recorded);
        assert_eq!(event_from_item(&item).unwrap(), record);
    }
}
