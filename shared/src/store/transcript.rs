//! A conversation's events in the order of their arrival.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{conversation_pk, text};
use super::{EventRecord, Item, Store, StoreError, unavailable};
use crate::model::ConversationKey;

/// As many items as one `BatchGetItem` takes.
const MOST: u16 = 100;

impl Store {
    /// The last `most` events of a conversation's key (at most 100), the oldest of them first.
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
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(conversation_pk(key)))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::from(most.min(MOST)))
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        let newest_first = answer.items();
        let only_keys = |item: &Item| {
            let part = |name: &str| Some((name.to_owned(), item.get(name)?.clone()));
            [part("pk"), part("sk")].into_iter().flatten().collect::<Item>()
        };
        // The index holds keys only, so that an outcome's update does not write it as well.
        let mut found = self.batch_get(newest_first.iter().map(only_keys).collect()).await?;
        let oldest_first = newest_first.iter().rev();
        let items = oldest_first.filter_map(|item| found.remove(text(item, "sk")));
        items.map(|item| EventRecord::from_item(&item)).collect()
    }
}
