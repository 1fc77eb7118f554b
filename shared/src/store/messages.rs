//! From the id by which a far side knows a message to the event that it was.
//!
//! Where the far side chose the id, an index leads there. Where it is the delivery's own, which is told
//! from what the delivery is, the conversation's last events are asked, so that a message that nobody
//! receipts has not cost an index's write.

use aws_sdk_dynamodb::types::AttributeValue;

use super::conversations::EventRecord;
use super::item::{event_named, text};
use super::{Store, StoreError, unavailable};
use crate::model::{ConnectionId, ConversationKey, Delivery};

/// Among how many of a conversation's last events a delivery is looked for.
const LOOKED_AT: u16 = 200;
/// Of how many parts of a long message.
const PARTS: u16 = 10;

pub(super) fn external(connection: &ConnectionId, message: &str) -> String {
    format!("{connection}#{message}")
}

impl Store {
    /// The event that a connection's far side knows by that id, as it was delivered there.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn message(
        &self,
        connection: &ConnectionId,
        message: &str,
    ) -> Result<Option<EventRecord>, StoreError> {
        let ext = external(connection, message);
        // A key has at most 2 KB, and no id of ours or of a platform comes near that.
        if ext.len() > 2_000 || message.is_empty() {
            return Ok(None);
        }
        let answer = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_external_id")
            .key_condition_expression("ext = :ext")
            .expression_attribute_values(":ext", AttributeValue::S(ext))
            .limit(1)
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        let Some(keys) = answer.items().first() else { return Ok(None) };
        let found = self.get(text(keys, "pk").to_owned(), text(keys, "sk").to_owned()).await?;
        found.as_ref().map(EventRecord::from_item).transpose()
    }

    /// The event of a conversation that was delivered to a connection under that id.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn delivered(
        &self,
        key: &ConversationKey,
        connection: &ConnectionId,
        delivery: &str,
    ) -> Result<Option<EventRecord>, StoreError> {
        let keys = self.newest_keys(key, None, LOOKED_AT).await?;
        let names: Vec<_> =
            keys.items().iter().filter_map(|k| event_named(text(k, "sk"))).collect();
        let is_it = |part| {
            names.iter().find(|(from, event)| {
                Delivery::part_id(key, from, event, connection, part) == delivery
            })
        };
        let Some((from, event)) = (0..PARTS).find_map(is_it) else { return Ok(None) };
        let found = self.event(key, from, event).await?;
        Ok(found.filter(|record| {
            let mut deliveries = record.deliveries();
            deliveries.any(|known| known.id == delivery && known.to.last_part && !known.to.copy)
        }))
    }
}
