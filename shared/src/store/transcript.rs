//! A conversation's events in the order of their arrival.

use super::{EventRecord, Store, StoreError};
use crate::model::ConversationKey;

/// As many items as one `BatchGetItem` takes.
const MOST: u16 = 100;

impl Store {
    /// The last `most` events of a conversation's key (at most 100), the oldest of them first.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn transcript(
        &self,
        key: &ConversationKey,
        most: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let (mut events, _) = self.timeline(key, None, most.min(MOST)).await?;
        events.reverse();
        Ok(events)
    }
}
