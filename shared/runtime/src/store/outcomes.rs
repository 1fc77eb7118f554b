//! Outcomes of deliveries.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::events::{event_key, without_own_id};
use super::item::to_json;
use super::messages::external_id_key;
use super::{Item, Store, StoreError, unavailable};
use trunkline_core::model::{Delivery, EventBody, Outcome};

impl Store {
    /// Returns the outcome of a delivery so far.
    pub async fn outcome(&self, delivery: &Delivery) -> Result<Option<Outcome>, StoreError> {
        let filed_at = delivery.filed_at();
        let record =
            self.event_at(&delivery.key, &delivery.from, &delivery.event.id, filed_at).await?;
        Ok(record.and_then(|mut record| record.outcomes.remove(&delivery.to.outcome_key())))
    }

    /// Records the outcome of a delivery, together with those of other deliveries if the worker sends any at the
    /// same time. Does nothing if the event has expired.
    pub async fn put_outcome(
        &self,
        delivery: &Delivery,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        let is_whole = delivery.to.last_part && !delivery.to.copy;
        let is_message = matches!(delivery.event.body, EventBody::Message { .. });
        let external_id = outcome.external_message_id.as_ref().filter(|_| is_whole && is_message);
        // A receipt with the delivery's own id is resolved without an index entry.
        let external_id = external_id.filter(|id| id.as_str() != delivery.id.as_str());
        let external_id = external_id.map(|id| external_id_key(&delivery.to.connection, id));
        let (key, target) = (event_key(delivery), delivery.to.outcome_key());
        let outcome = to_json("EVT", &without_own_id(outcome, delivery))?;
        self.record(OutcomeUpdate { key, target, outcome, external_id }).await
    }

    /// Records an outcome by a call of its own.
    pub(super) async fn record_alone(&self, update: OutcomeUpdate) -> Result<(), StoreError> {
        let OutcomeUpdate { key, target, outcome, external_id } = update;
        let update = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#target", target)
            .expression_attribute_values(":outcome", AttributeValue::S(outcome));
        let update = match external_id {
            // Receipts refer to this id.
            Some(id) => update
                .update_expression("SET outcomes.#target = :outcome, ext = :ext")
                .expression_attribute_values(":ext", AttributeValue::S(id)),
            None => update.update_expression("SET outcomes.#target = :outcome"),
        };
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable("UpdateItem", error)),
            },
        }
    }
}

/// An outcome to record on its event.
#[derive(Clone)]
pub(super) struct OutcomeUpdate {
    /// The key of the event.
    pub(super) key: Item,
    /// The key of the outcome in the event.
    pub(super) target: String,
    /// The outcome, as JSON.
    pub(super) outcome: String,
    /// The key of the event in the index of external message ids.
    pub(super) external_id: Option<String>,
}
