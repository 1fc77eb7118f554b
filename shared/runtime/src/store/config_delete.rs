//! Deletes connections and routes.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};

use super::keys::{
    BREAKER_SK, CONNECTION_SK, CONNECTIONS, HEALTH_SK, REGISTRATION_SK, ROUTE_SK, ROUTES,
    breaker_pk, connection_pk, health_pk, route_pk,
};
use super::{Store, StoreError, unavailable};
use trunkline_core::model::{ConnectionId, RouteId};

/// The primary key of an item: partition key and sort key.
type Key = (String, String);

impl Store {
    /// Deletes a connection with its list entry, its breaker and the results of its checks.
    ///
    /// Parked and failed deliveries stay, and so do the entries that list them: a worker writes such an entry at
    /// most every ten minutes, so deleting it would hide the deliveries from operators. Transcripts, rejected
    /// requests and counters expire.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is another one.
    pub async fn delete_connection(
        &self,
        id: &ConnectionId,
        version: u64,
    ) -> Result<(), StoreError> {
        let others = vec![
            (CONNECTIONS.into(), id.to_string()),
            (breaker_pk(id), BREAKER_SK.into()),
            (health_pk(id), HEALTH_SK.into()),
            (health_pk(id), REGISTRATION_SK.into()),
        ];
        self.delete_version((connection_pk(id), CONNECTION_SK.into()), version, others).await
    }

    /// Deletes a route with its list entry.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is another one.
    pub async fn delete_route(&self, id: &RouteId, version: u64) -> Result<(), StoreError> {
        let others = vec![(ROUTES.into(), id.to_string())];
        self.delete_version((route_pk(id), ROUTE_SK.into()), version, others).await
    }

    /// Deletes an item that has this version, and others with it.
    async fn delete_version(
        &self,
        current: Key,
        version: u64,
        others: Vec<Key>,
    ) -> Result<(), StoreError> {
        let failed = |error| unavailable("TransactWriteItems", error);
        let delete = |(pk, sk): Key| {
            Delete::builder()
                .table_name(&*self.table)
                .key("pk", AttributeValue::S(pk))
                .key("sk", AttributeValue::S(sk))
        };
        let current = delete(current)
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        let mut transaction = self.dynamodb.transact_write_items();
        for entry in std::iter::once(current).chain(others.into_iter().map(delete)) {
            let entry = TransactWriteItem::builder().delete(entry.build().map_err(failed)?);
            transaction = transaction.transact_items(entry.build());
        }
        let Err(error) = transaction.send().await else { return Ok(()) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return Err(unavailable("TransactWriteItems", error));
        };
        let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
        if codes
            .into_iter()
            .any(|code| ["ConditionalCheckFailed", "TransactionConflict"].contains(&code))
        {
            return Err(StoreError::Conflict);
        }
        Err(unavailable("TransactWriteItems", error))
    }
}
