//! Deliveries that wait for a person.

use super::item::{item, read};
use super::parking::WAITING;
use super::write::{Condition, Write};
use super::{Store, StoreError};
use crate::model::{ConnectionId, Failed};

fn failed_pk(connection: &ConnectionId) -> String {
    format!("FAILED#{connection}")
}

impl Store {
    /// Keeps a delivery that is not tried any more. Doing so again changes nothing.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn keep_failed(&self, failed: &Failed) -> Result<(), StoreError> {
        let connection = &failed.delivery.to.connection;
        let kept = item(failed_pk(connection), failed.delivery.id.clone(), failed)?;
        let partition = item(WAITING.into(), failed_pk(connection), connection)?;
        let writes =
            vec![Write::Put(kept, Condition::None), Write::Put(partition, Condition::None)];
        self.transact(writes).await
    }

    /// A connection's failed deliveries by id, from after `after`.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn failed(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<Failed>, StoreError> {
        let items = self.list(&failed_pk(connection), "", after, most).await?;
        items.iter().map(read).collect()
    }

    /// Forgets a failed delivery; answers whether it was there.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn forget_failed(&self, failed: &Failed) -> Result<bool, StoreError> {
        self.delete(failed_pk(&failed.delivery.to.connection), failed.delivery.id.clone()).await
    }

    /// The connections of which something has failed, or had.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn connections_with_failed(&self) -> Result<Vec<ConnectionId>, StoreError> {
        self.waiting("FAILED#").await
    }
}
