//! Erasure of a customer's data, stored files included.

use futures_util::future::try_join_all;

use crate::app::App;
use crate::error::BackendError;
use trunkline_core::model::ConversationKey;

impl App {
    /// Erases everything about a customer on a channel: the stored files, then the records. Returns the number
    /// of events. Safe to repeat.
    ///
    /// A file that is being stored at this moment is deleted when the bucket's files expire. Its link does not
    /// work, because its record is gone.
    pub async fn erase_customer(&self, key: &ConversationKey) -> Result<usize, BackendError> {
        if let Some(files) = &self.files {
            let now = self.clock.now();
            let ids = self.store.files_of(key).await?;
            for some in ids.chunks(10) {
                let deletions = some.iter().map(|id| files.store().delete(id, now));
                try_join_all(deletions).await.map_err(BackendError::Files)?;
            }
        }
        Ok(self.store.erase(key).await?)
    }
}
