//! Conversations and the events in them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{conversation_pk, event_sk, garbled, item, read, text};
use super::write::{Condition, Transacted, Write};
use super::{Item, Store, StoreError, listing, unavailable};
use crate::model::{
    ConnectionId, Conversation, ConversationKey, Delivery, Event, EventId, Outcome, Target, time,
};
use crate::rendering::render;
use crate::routing::Standing;

/// An event as it is kept: the transcript, and what became of each delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The conversation that it stands in.
    pub key: ConversationKey,
    /// Which of the key's conversations.
    pub conversation: String,
    /// Whence it came.
    pub from: ConnectionId,
    /// What happened.
    pub event: Event,
    /// When it came.
    pub arrived: Timestamp,
    /// How it stands.
    pub standing: Standing,
    /// Where it goes.
    pub targets: Vec<Target>,
    /// What the house said because of it, to be passed on before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<EventId>,
    /// The same, to be passed on after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<EventId>,
    /// What became of each delivery so far, by connection.
    #[serde(skip)]
    pub outcomes: BTreeMap<String, Outcome>,
}

/// An event with its place in the transcript.
#[derive(Debug, Clone, Copy)]
pub struct Sorted<'a> {
    /// The event.
    pub record: &'a EventRecord,
    /// By what time it stands there: that of its arrival, or the platform's own.
    pub at: Timestamp,
    /// Its place among those that happen as one.
    pub place: usize,
}

/// What came of writing an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It is new.
    New,
    /// It was there already, as this.
    Duplicate(Box<EventRecord>),
    /// The conversation has changed since it was read: decide again.
    Outdated,
}

impl EventRecord {
    /// The deliveries that have no final outcome yet.
    pub fn unsettled(&self) -> impl Iterator<Item = Delivery> {
        self.deliveries().filter(|delivery| {
            let outcome = self.outcomes.get(&delivery.to.outcome_key());
            outcome.is_none_or(|outcome| !outcome.verdict.is_final())
        })
    }

    /// All deliveries of the event: one a target, or more where it is too long for one.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        self.targets.iter().flat_map(move |target| {
            let parts = render(&self.event, target);
            let last = parts.len().saturating_sub(1);
            let numbered = parts.into_iter().enumerate();
            numbered.map(move |(part, event)| {
                let number = u16::try_from(part).unwrap_or(u16::MAX);
                let to = Target { part: number, last_part: part == last, ..target.clone() };
                Delivery {
                    id: Delivery::id(&self.key, &self.from, &self.event.id, &to),
                    key: self.key.clone(),
                    conversation: self.conversation.clone(),
                    from: self.from.clone(),
                    to,
                    event,
                    again: false,
                    replay: false,
                }
            })
        })
    }

    pub(super) fn from_item(item: &Item) -> Result<Self, StoreError> {
        let mut record: Self = read(item)?;
        if let Some(AttributeValue::M(outcomes)) = item.get("outcomes") {
            for (connection, outcome) in outcomes {
                let outcome = outcome.as_s().map_or("", String::as_str);
                let outcome = serde_json::from_str(outcome);
                let outcome = outcome.map_err(|error| garbled(text(item, "sk"), &error))?;
                record.outcomes.insert(connection.clone(), outcome);
            }
        }
        Ok(record)
    }
}

impl Store {
    /// The conversation, as last written.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn conversation(
        &self,
        key: &ConversationKey,
    ) -> Result<Option<Conversation>, StoreError> {
        let found = self.get(conversation_pk(key), "CONV".into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// An event as it was taken, with what became of it so far.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn event(
        &self,
        key: &ConversationKey,
        from: &ConnectionId,
        id: &EventId,
    ) -> Result<Option<EventRecord>, StoreError> {
        let found = self.get(conversation_pk(key), event_sk(from, id)).await?;
        found.as_ref().map(EventRecord::from_item).transpose()
    }

    /// Writes events that happen as one, once: the first's key is the identity of them all. Where the
    /// conversation changes by them it is written with them, provided that nobody changed it meanwhile.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn write_events(
        &self,
        events: &[Sorted<'_>],
        conversation: Option<&Conversation>,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        if let ([only], None) = (events, conversation) {
            return self.write_event(self.event_item(only, now)?).await;
        }
        let mut writes = Vec::with_capacity(events.len() + 1);
        for event in events {
            writes.push(Write::Put(self.event_item(event, now)?, Condition::New));
        }
        if let Some(conversation) = conversation {
            let mut after = item(conversation_pk(&conversation.key), "CONV".into(), conversation)?;
            after.insert("version".into(), AttributeValue::N(conversation.version.to_string()));
            after.insert("expires".into(), self.expiry(now));
            after.extend(listing::attributes(conversation));
            let before = conversation.version.saturating_sub(1);
            let unchanged = if before == 0 { Condition::New } else { Condition::Version(before) };
            writes.push(Write::Put(after, unchanged));
        }
        match self.try_transact(writes).await? {
            Transacted::Done => Ok(Written::New),
            Transacted::Refused(0, there) => duplicate(there.as_ref()),
            Transacted::Refused(..) | Transacted::Busy => Ok(Written::Outdated),
        }
    }

    async fn write_event(&self, item: Item) -> Result<Written, StoreError> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put {
            Ok(_) => Ok(Written::New),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(there)) => {
                    duplicate(there.item.as_ref())
                }
                _ => Err(unavailable("PutItem", &error)),
            },
        }
    }

    fn event_item(&self, sorted: &Sorted<'_>, now: Timestamp) -> Result<Item, StoreError> {
        let Sorted { record, at, place } = sorted;
        let sk = event_sk(&record.from, &record.event.id);
        let mut item = item(conversation_pk(&record.key), sk, record)?;
        let at = format!("{}#{place:03}", time::rfc3339_millis(*at));
        item.insert("at".into(), AttributeValue::S(at));
        item.insert("outcomes".into(), AttributeValue::M(Item::new()));
        item.insert("expires".into(), self.expiry(now));
        Ok(item)
    }
}

fn duplicate(there: Option<&Item>) -> Result<Written, StoreError> {
    match there {
        Some(item) => Ok(Written::Duplicate(Box::new(EventRecord::from_item(item)?))),
        None => Err(StoreError::Garbled {
            key: "an event".into(),
            cause: "the table did not return the event that is there".into(),
        }),
    }
}
