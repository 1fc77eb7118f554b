//! Finds the event that a platform's receipt refers to.
//!
//! If the platform chose the message id, the index `by_external_id` finds the event. If the id is the
//! delivery's own, which is derived from the delivery, the conversation's recent events are searched instead,
//! so that a message without receipts costs no index write.

use aws_sdk_dynamodb::types::AttributeValue;

use super::conversations::event_from_item;
use super::item::string_attribute;
use super::keys::parse_event_sk;
use super::{Store, StoreError, unavailable};
use trunkline_core::model::EventRecord;
use trunkline_core::model::{
    ConnectionId, ConversationKey, Delivery, DeliveryId, ExternalMessageId,
};

/// Number of recent events that are searched for a delivery.
const RECENT_EVENTS: u16 = 200;
/// Number of parts of a long message that are considered.
const MAX_PARTS: u16 = 16;

pub(super) fn external_id_key(connection: &ConnectionId, message: &ExternalMessageId) -> String {
    format!("{connection}#{message}")
}

impl Store {
    /// Returns the event that a connection's platform knows by this message id.
    pub async fn event_by_external_id(
        &self,
        connection: &ConnectionId,
        message: &ExternalMessageId,
    ) -> Result<Option<EventRecord>, StoreError> {
        let ext = external_id_key(connection, message);
        // DynamoDB limits a partition key to 2 KB. No genuine message id is that long.
        if ext.len() > 2_000 || message.as_str().is_empty() {
            return Ok(None);
        }
        let output = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_external_id")
            .key_condition_expression("ext = :ext")
            .expression_attribute_values(":ext", AttributeValue::S(ext))
            .limit(1)
            .send()
            .await
            .map_err(|error| unavailable("Query", error))?;
        let Some(keys) = output.items().first() else { return Ok(None) };
        let found = self
            .get(string_attribute(keys, "pk").to_owned(), string_attribute(keys, "sk").to_owned())
            .await?;
        found.as_ref().map(event_from_item).transpose()
    }

    /// Returns the event of a conversation that was delivered to a connection with this delivery id.
    pub async fn event_by_delivery(
        &self,
        key: &ConversationKey,
        connection: &ConnectionId,
        delivery: &DeliveryId,
    ) -> Result<Option<EventRecord>, StoreError> {
        let keys = self.newest_keys(key, None, RECENT_EVENTS).await?;
        let candidates: Vec<_> =
            keys.items().iter().filter_map(|k| parse_event_sk(string_attribute(k, "sk"))).collect();
        let with_part = |part| {
            candidates.iter().find(|(from, event)| {
                Delivery::make_part_id(key, from, event, connection, part) == *delivery
            })
        };
        let Some((from, event)) = (0..MAX_PARTS).find_map(with_part) else { return Ok(None) };
        let found = self.event(key, from, event).await?;
        Ok(found.filter(|record| {
            let mut deliveries = record.delivery_ids();
            deliveries.any(|(id, to)| id == *delivery && to.last_part && !to.copy)
        }))
    }
}
