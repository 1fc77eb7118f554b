//! A conversation's events in the order of their arrival.

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::item::conversation_pk;
use super::{EventRecord, Store, StoreError, unavailable};
use crate::model::ConversationKey;

impl Store {
    /// The last `most` events of a conversation's key, the oldest of them first.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn transcript(
        &self,
        key: &ConversationKey,
        most: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let answer = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_time")
            .select(Select::AllAttributes)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(conversation_pk(key)))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        answer.items().iter().rev().map(EventRecord::from_item).collect()
    }
}
