//! Conversations and their events.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use super::item::{corrupt, item, read, string_attribute};
use super::keys::{CONVERSATION_SK, conversation_pk, event_sk};
use super::transaction::{Condition, TransactionResult, Write};
use super::{Item, Store, StoreError, listing, unavailable};
use crate::error::Cause;
use trunkline_core::model::EventRecord;
use trunkline_core::model::{ConnectionId, Conversation, ConversationKey, EventId, time};

/// An event with its position in the transcript.
#[derive(Debug, Clone, Copy)]
pub struct PositionedEvent<'a> {
    pub record: &'a EventRecord,
    /// Time that determines the position: the arrival time, or the platform's own time.
    pub at: Timestamp,
    /// Index among the events that are written together.
    pub index: usize,
}

/// Result of writing events.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteResult {
    /// The events were written.
    New,
    /// The identifying event exists already, as this record. Nothing was written.
    Duplicate(Box<EventRecord>),
    /// The conversation has changed since it was read. Nothing was written: decide again.
    Conflict,
}

/// Reads an event and its outcomes.
pub(super) fn event_from_item(item: &Item) -> Result<EventRecord, StoreError> {
    let mut record: EventRecord = read(item)?;
    if let Some(AttributeValue::M(outcomes)) = item.get("outcomes") {
        for (connection, outcome) in outcomes {
            let outcome = outcome.as_s().map_or("", String::as_str);
            let outcome = serde_json::from_str(outcome);
            let outcome = outcome.map_err(|error| corrupt(string_attribute(item, "sk"), error))?;
            record.outcomes.insert(connection.clone(), outcome);
        }
    }
    Ok(record)
}

impl Store {
    /// Returns the current or last conversation of a channel and customer.
    pub async fn conversation(
        &self,
        key: &ConversationKey,
    ) -> Result<Option<Conversation>, StoreError> {
        let found = self.get(conversation_pk(key), CONVERSATION_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Returns an event with its outcomes so far.
    pub async fn event(
        &self,
        key: &ConversationKey,
        from: &ConnectionId,
        id: &EventId,
    ) -> Result<Option<EventRecord>, StoreError> {
        let found = self.get(conversation_pk(key), event_sk(from, id)).await?;
        found.as_ref().map(event_from_item).transpose()
    }

    /// Writes events and, if they change it, the conversation, in one transaction. The key of `identity`
    /// identifies all of them: if it exists, nothing is written.
    pub async fn write_events(
        &self,
        identity: &PositionedEvent<'_>,
        others: &[PositionedEvent<'_>],
        conversation: Option<&Conversation>,
        now: Timestamp,
    ) -> Result<WriteResult, StoreError> {
        if let ([], None) = (others, conversation) {
            return self.write_event(self.event_item(identity, now)?).await;
        }
        let mut writes = Vec::with_capacity(others.len() + 2);
        for event in std::iter::once(identity).chain(others) {
            writes.push(Write::Put(self.event_item(event, now)?, Condition::New));
        }
        if let Some(conversation) = conversation {
            let mut after =
                item(conversation_pk(&conversation.key), CONVERSATION_SK.into(), conversation)?;
            after.insert("version".into(), AttributeValue::N(conversation.version.to_string()));
            after.insert("expires".into(), self.expiry(now));
            after.extend(listing::list_attributes(conversation));
            let before = conversation.version.saturating_sub(1);
            let unchanged = if before == 0 { Condition::New } else { Condition::Version(before) };
            writes.push(Write::Put(after, unchanged));
        }
        // The first write is that of `identity`.
        match self.try_transact(writes).await? {
            TransactionResult::Committed => Ok(WriteResult::New),
            TransactionResult::ConditionFailed(0, existing) => duplicate_of(existing.as_ref()),
            TransactionResult::ConditionFailed(..) | TransactionResult::Conflict => {
                Ok(WriteResult::Conflict)
            }
        }
    }

    async fn write_event(&self, item: Item) -> Result<WriteResult, StoreError> {
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
            Ok(_) => Ok(WriteResult::New),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                    duplicate_of(failure.item.as_ref())
                }
                _ => Err(unavailable("PutItem", error)),
            },
        }
    }

    fn event_item(&self, event: &PositionedEvent<'_>, now: Timestamp) -> Result<Item, StoreError> {
        let PositionedEvent { record, at, index } = event;
        let sk = event_sk(&record.from, &record.event.id);
        let mut item = item(conversation_pk(&record.key), sk, record)?;
        let at = format!("{}#{index:03}", time::format_rfc3339_millis(*at));
        item.insert("at".into(), AttributeValue::S(at));
        item.insert("outcomes".into(), AttributeValue::M(Item::new()));
        item.insert("expires".into(), self.expiry(now));
        Ok(item)
    }
}

fn duplicate_of(existing: Option<&Item>) -> Result<WriteResult, StoreError> {
    match existing {
        Some(item) => Ok(WriteResult::Duplicate(Box::new(event_from_item(item)?))),
        None => Err(StoreError::Corrupt {
            key: "EVT".into(),
            cause: Cause::new("DynamoDB did not return the existing event"),
        }),
    }
}
