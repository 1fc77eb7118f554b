//! Failed deliveries, which wait for an operator.

use super::item::{item, read};
use super::keys::failed_pk;
use super::{Store, StoreError};
use trunkline_core::model::{ConnectionId, DeliveryId, Failed};

impl Store {
    /// Stores a delivery that is not retried any more. Idempotent.
    pub async fn put_failed(&self, failed: &Failed) -> Result<(), StoreError> {
        let connection = &failed.delivery.to.connection;
        self.list_as_waiting(failed_pk(connection), connection, failed.at).await?;
        self.put(item(failed_pk(connection), failed.delivery.id.as_str().to_owned(), failed)?).await
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
}
