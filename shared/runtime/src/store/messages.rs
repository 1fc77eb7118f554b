//! Finds the event that a platform's receipt refers to.
//!
//! If the platform chose the message id, the index `by_external_id` finds the event. If the id is the
//! delivery's own, which is derived from the delivery, the conversation's recent events are searched instead,
//! so that a message without receipts costs no index write.

use aws_sdk_dynamodb::types::AttributeValue;

use jiff::Timestamp;

use super::events::{event_from_item, is_claim};
use super::item::string_attribute;
use super::keys::parse_event_sk;
use super::transcript::later;
use super::{Store, StoreError, unavailable};
use trunkline_core::model::{
    ConnectionId, ConversationKey, Delivery, DeliveryId, EventId, EventRecord, ExternalMessageId,
};

/// Number of recent events that are searched for a delivery.
const RECENT_EVENTS: usize = 200;
/// Number of events that are searched for one that only its id names.
const MAX_EVENTS: usize = 10_000;
/// Number of events that the first page of a search has, and each later one.
const FIRST_PAGE: u16 = 10;
const LATER_PAGES: u16 = 100;
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
        now: Timestamp,
    ) -> Result<Option<EventRecord>, StoreError> {
        let is_of = |from: &ConnectionId, event: &EventId| {
            (0..MAX_PARTS)
                .any(|part| Delivery::make_part_id(key, from, event, connection, part) == *delivery)
        };
        let found = self.find_event(key, now, RECENT_EVENTS, is_of).await?;
        Ok(found.filter(|record| {
            let mut deliveries = record.delivery_ids();
            deliveries.any(|(id, to)| id == *delivery && to.last_part && !to.copy)
        }))
    }

    /// Returns a connection's own event of a conversation by its id alone: the newest one with that id.
    pub async fn event_by_id(
        &self,
        key: &ConversationKey,
        from: &ConnectionId,
        id: &EventId,
        now: Timestamp,
    ) -> Result<Option<EventRecord>, StoreError> {
        if let Some(found) = self.event(key, from, id, None).await? {
            return Ok(Some(found));
        }
        self.find_event(key, now, MAX_EVENTS, |source, event| source == from && event == id).await
    }

    /// Returns the newest event whose source and id fit, of up to `limit` events. Reads few at first, because
    /// most references are to one of the last events.
    async fn find_event(
        &self,
        key: &ConversationKey,
        now: Timestamp,
        limit: usize,
        fits: impl Fn(&ConnectionId, &EventId) -> bool,
    ) -> Result<Option<EventRecord>, StoreError> {
        let (mut start, mut seen, mut page_size) = (None, 0, FIRST_PAGE);
        while seen < limit {
            let page = self.newest_events(key, later(now), start, page_size).await?;
            let found = page.items.iter().filter(|item| !is_claim(item)).find(|item| {
                let parsed = parse_event_sk(string_attribute(item, "sk"));
                parsed.is_some_and(|(_, from, event)| fits(&from, &event))
            });
            if let Some(item) = found {
                return event_from_item(item).map(Some);
            }
            start = page.next;
            if start.is_none() {
                break;
            }
            seen += page.items.len();
            page_size = LATER_PAGES;
        }
        Ok(None)
    }
}
