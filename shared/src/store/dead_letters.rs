//! Queues' messages that our own side could not handle.

use super::item::{item, read};
use super::{Store, StoreError};
use crate::model::DeadLetter;

const DEAD: &str = "DEAD";

impl Store {
    /// Keeps a dead letter.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn keep_dead_letter(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.put(item(DEAD.into(), letter.id.clone(), letter)?).await
    }

    /// The dead letters, the oldest first, from after `after`.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn dead_letters(
        &self,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.list(DEAD, "", after, most).await?.iter().map(read).collect()
    }

    /// Forgets a dead letter; answers whether it was there.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn forget_dead_letter(&self, letter: &DeadLetter) -> Result<bool, StoreError> {
        self.delete(DEAD.into(), letter.id.clone()).await
    }
}
