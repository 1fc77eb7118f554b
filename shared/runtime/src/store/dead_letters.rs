//! Dead letters: queue messages that Trunkline could not process.

use super::item::{item, read};
use super::keys::DEAD;
use super::{Store, StoreError};
use trunkline_core::model::DeadLetter;

impl Store {
    /// Stores a dead letter. Idempotent.
    pub async fn put_dead_letter(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.put(item(DEAD.into(), letter.id.clone(), letter)?).await
    }

    /// Lists the dead letters, oldest first, starting after the id `after`.
    pub async fn dead_letters(
        &self,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.list(DEAD, "", after, limit).await?.iter().map(read).collect()
    }

    /// Deletes a dead letter. Returns whether it existed.
    pub async fn delete_dead_letter(&self, letter: &DeadLetter) -> Result<bool, StoreError> {
        self.delete(DEAD.into(), letter.id.clone()).await
    }
}
