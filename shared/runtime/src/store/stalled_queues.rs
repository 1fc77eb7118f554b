//! Outbound queues that have messages and no worker.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::item::{item, read};
use super::keys::STALLED_QUEUES;
use super::{Store, StoreError};
use trunkline_core::model::PlatformId;

impl Store {
    /// Returns the platforms whose outbound queues are stalled, each with the time since when.
    pub async fn stalled_queues(&self) -> Result<BTreeMap<PlatformId, Timestamp>, StoreError> {
        let found = self.get(STALLED_QUEUES.into(), STALLED_QUEUES.into()).await?;
        let stalled: BTreeMap<String, Timestamp> =
            found.as_ref().map(read).transpose()?.unwrap_or_default();
        // Another version may have platforms that this one does not know.
        Ok(stalled.into_iter().filter_map(|(id, since)| Some((id.parse().ok()?, since))).collect())
    }

    /// Sets the platforms whose outbound queues are stalled.
    pub async fn put_stalled_queues(
        &self,
        stalled: &BTreeMap<PlatformId, Timestamp>,
    ) -> Result<(), StoreError> {
        self.put(item(STALLED_QUEUES.into(), STALLED_QUEUES.into(), stalled)?).await
    }
}
