//! Failed deliveries, which wait for an operator.

use super::item::{item, read};
use super::keys::{FAILED_PREFIX, WAITING, failed_pk};
use super::transaction::{Condition, Write};
use super::{Store, StoreError};
use trunkline_core::model::{ConnectionId, DeliveryId, Failed};

impl Store {
    /// Stores a delivery that is not retried any more. Idempotent.
    pub async fn put_failed(&self, failed: &Failed) -> Result<(), StoreError> {
        let connection = &failed.delivery.to.connection;
        let entry = item(failed_pk(connection), failed.delivery.id.as_str().to_owned(), failed)?;
        let partition = item(WAITING.into(), failed_pk(connection), connection)?;
        let writes =
            vec![Write::Put(entry, Condition::None), Write::Put(partition, Condition::None)];
        self.transact(writes).await
    }

    /// Lists a connection's failed deliveries by id, starting after `after`.
    pub async fn failed(
        &self,
        connection: &ConnectionId,
        after: Option<&DeliveryId>,
        limit: u16,
    ) -> Result<Vec<Failed>, StoreError> {
        let items =
            self.list(&failed_pk(connection), "", after.map(DeliveryId::as_str), limit).await?;
        items.iter().map(read).collect()
    }

    /// Deletes a failed delivery. Returns whether it existed.
    pub async fn delete_failed(&self, failed: &Failed) -> Result<bool, StoreError> {
        self.delete(
            failed_pk(&failed.delivery.to.connection),
            failed.delivery.id.as_str().to_owned(),
        )
        .await
    }

    /// Returns the connections that have, or had, failed deliveries.
    pub async fn connections_with_failed(&self) -> Result<Vec<ConnectionId>, StoreError> {
        self.waiting_connections(FAILED_PREFIX).await
    }
}
