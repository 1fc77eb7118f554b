//! Outcomes of deliveries.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::item::to_json;
use super::keys::{conversation_pk, event_sk};
use super::messages::external_id_key;
use super::{Store, StoreError, unavailable};
use trunkline_core::model::{Delivery, EventBody, Outcome};

impl Store {
    /// Returns the outcome of a delivery so far.
    pub async fn outcome(&self, delivery: &Delivery) -> Result<Option<Outcome>, StoreError> {
        let record = self.event(&delivery.key, &delivery.from, &delivery.event.id).await?;
        Ok(record.and_then(|mut record| record.outcomes.remove(&delivery.to.outcome_key())))
    }

    /// Records the outcome of a delivery. Does nothing if the event has expired.
    pub async fn put_outcome(
        &self,
        delivery: &Delivery,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        let pk = conversation_pk(&delivery.key);
        let is_whole = delivery.to.last_part && !delivery.to.copy;
        let is_message = matches!(delivery.event.body, EventBody::Message { .. });
        let external_id = outcome.external_message_id.as_ref().filter(|_| is_whole && is_message);
        // A receipt with the delivery's own id is resolved without an index entry.
        let external_id = external_id.filter(|id| id.as_str() != delivery.id.as_str());
        let outcome = to_json(&pk, outcome)?;
        let update = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(event_sk(&delivery.from, &delivery.event.id)))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#target", delivery.to.outcome_key())
            .expression_attribute_values(":outcome", AttributeValue::S(outcome));
        let update = match external_id {
            // Receipts refer to this id.
            Some(message) => update
                .update_expression("SET outcomes.#target = :outcome, ext = :ext")
                .expression_attribute_values(
                    ":ext",
                    AttributeValue::S(external_id_key(&delivery.to.connection, message)),
                ),
            None => update.update_expression("SET outcomes.#target = :outcome"),
        };
        let update = update.send().await;
        match update {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable("UpdateItem", error)),
            },
        }
    }
}
