//! What became of deliveries.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{conversation_pk, event_sk, to_json};
use super::messages::external;
use super::{Store, StoreError, unavailable};
use crate::model::{Delivery, EventBody, Outcome};

impl Store {
    /// What became of a delivery so far.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn outcome(&self, delivery: &Delivery) -> Result<Option<Outcome>, StoreError> {
        let record = self.event(&delivery.key, &delivery.from, &delivery.event.id).await?;
        Ok(record.and_then(|mut record| record.outcomes.remove(&delivery.to.outcome_key())))
    }

    /// Records what became of a delivery. An event that has expired meanwhile stays gone.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn settle(&self, delivery: &Delivery, outcome: &Outcome) -> Result<(), StoreError> {
        let pk = conversation_pk(&delivery.key);
        let is_whole = delivery.to.last_part && !delivery.to.copy;
        let is_message = matches!(delivery.event.body, EventBody::Message { .. });
        let known_as = outcome.external_id.as_deref().filter(|_| is_whole && is_message);
        // What the delivery is called can be found without an index.
        let known_as = known_as.filter(|name| *name != delivery.id);
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
        let update = match known_as {
            // Receipts will name it so.
            Some(message) => update
                .update_expression("SET outcomes.#target = :outcome, ext = :ext")
                .expression_attribute_values(
                    ":ext",
                    AttributeValue::S(external(&delivery.to.connection, message)),
                ),
            None => update.update_expression("SET outcomes.#target = :outcome"),
        };
        let update = update.send().await;
        match update {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable("UpdateItem", &error)),
            },
        }
    }
}
