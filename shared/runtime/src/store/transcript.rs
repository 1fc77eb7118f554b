//! Transcripts: a conversation's recent events in order.

use super::{Store, StoreError};
use trunkline_core::model::ConversationKey;
use trunkline_core::model::EventRecord;

/// Limit of one `BatchGetItem` call.
const MAX_EVENTS: u16 = 100;

impl Store {
    /// Returns the last `limit` events of a channel and customer (at most 100), oldest first.
    pub async fn transcript(
        &self,
        key: &ConversationKey,
        limit: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let (mut events, _) = self.timeline(key, None, limit.min(MAX_EVENTS)).await?;
        events.reverse();
        Ok(events)
    }
}
