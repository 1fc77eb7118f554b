//! A conversation's events in the order of their arrival.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

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
        let mut found = self.batch_get(newest_first).await?;
        let oldest_first = newest_first.iter().rev();
        let items = oldest_first.filter_map(|item| found.remove(text(item, "sk")));
        items.map(|item| EventRecord::from_item(&item)).collect()
    }

    /// The whole items of one partition, by sort key. The index holds their keys only, so that an
    /// outcome's update does not write it as well.
    async fn batch_get(&self, keys: &[Item]) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        let only_keys = |item: &Item| {
            let part = |name: &str| Some((name.to_owned(), item.get(name)?.clone()));
            [part("pk"), part("sk")].into_iter().flatten().collect::<Item>()
        };
        let mut wanted: Vec<Item> = keys.iter().map(only_keys).collect();
        while !wanted.is_empty() {
            let wants = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true);
            let wants = wants.build().map_err(|error| unavailable("BatchGetItem", &error))?;
            let answer = self
                .dynamodb
                .batch_get_item()
                .request_items(&*self.table, wants)
                .send()
                .await
                .map_err(|error| unavailable("BatchGetItem", &error))?;
            let items = answer.responses.unwrap_or_default().remove(&*self.table);
            for item in items.unwrap_or_default() {
                found.insert(text(&item, "sk").to_owned(), item);
            }
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&*self.table);
            wanted = left.map(|left| left.keys).unwrap_or_default();
        }
        Ok(found)
    }
}
