//! Conversations, and the events that are written with them.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use super::events::{Filed, PositionedEvent, read_filed};
use super::item::{item, read};
use super::keys::{CONVERSATION_SK, conversation_pk};
use super::transaction::{Condition, TransactionResult, Write};
use super::{Item, Store, StoreError, listing, unavailable};
use crate::error::Cause;
use trunkline_core::model::{Conversation, ConversationKey, EventRecord};

/// Result of writing events.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteResult {
    /// The events were written.
    New,
    /// The identifying event exists already, as this record. Nothing was written.
    Duplicate(Box<EventRecord>),
    /// The event was claimed before for another time in its key. Nothing was written: decide again, with this time.
    ClaimedAt(Timestamp),
    /// The conversation has changed since it was read. Nothing was written: decide again.
    Conflict,
}

/// Result of a put on the condition that the item is new.
pub(super) enum PutResult {
    Written,
    /// The item exists already, like this.
    Exists(Item),
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
            return match self.put_new(self.event_item(identity, now)?).await? {
                PutResult::Written => Ok(WriteResult::New),
                PutResult::Exists(existing) => duplicate_of(Some(&existing)),
            };
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

    /// Writes an item if its key is new.
    pub(super) async fn put_new(&self, item: Item) -> Result<PutResult, StoreError> {
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
            Ok(_) => Ok(PutResult::Written),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                    failure.item.clone().map(PutResult::Exists).ok_or_else(not_returned)
                }
                _ => Err(unavailable("PutItem", error)),
            },
        }
    }
}

fn duplicate_of(existing: Option<&Item>) -> Result<WriteResult, StoreError> {
    match read_filed(existing.ok_or_else(not_returned)?)? {
        Filed::Event(record) => Ok(WriteResult::Duplicate(record)),
        Filed::Claim(filed_at) => Ok(WriteResult::ClaimedAt(filed_at)),
    }
}

fn not_returned() -> StoreError {
    StoreError::Corrupt {
        key: "EVT".into(),
        cause: Cause::new("DynamoDB did not return the existing item"),
    }
}
