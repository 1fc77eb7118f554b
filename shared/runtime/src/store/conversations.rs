//! Conversations, and the events that are written with them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::events::{Filed, PositionedEvent, read_filed};
use super::item::{item, read};
use super::keys::{CONVERSATION_SK, conversation_pk};
use super::transaction::{Condition, TransactionResult, Write};
use super::{Item, NEW, PutResult, Store, StoreError, listing};
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
            return match self.put_if(self.event_item(identity, now)?, NEW).await? {
                PutResult::Written => Ok(WriteResult::New),
                PutResult::Refused(existing) => duplicate_of(existing.as_ref()),
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
}

fn duplicate_of(existing: Option<&Item>) -> Result<WriteResult, StoreError> {
    match read_filed(existing.ok_or_else(not_returned)?)? {
        Filed::Event(record) => Ok(WriteResult::Duplicate(record)),
        Filed::Claim(filed_at) => Ok(WriteResult::ClaimedAt(filed_at)),
    }
}

pub(super) fn not_returned() -> StoreError {
    StoreError::Corrupt {
        key: "EVT".into(),
        cause: Cause::new("DynamoDB did not return the existing item"),
    }
}
