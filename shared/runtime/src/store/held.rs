//! Held events: events that wait until earlier ones arrive (`reorder_window`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read};
use super::keys::{held_pk, time_sk};
use super::{Store, StoreError};
use trunkline_core::model::{Event, LegId};

/// An event that waits until earlier ones arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldEvent {
    pub event: Event,
    /// When the wait for earlier events ends.
    pub until: Timestamp,
}

impl HeldEvent {
    /// Orders held events by the platform's time, then by id.
    fn sk(&self) -> String {
        time_sk(self.event.at, self.event.id.as_str())
    }
}

impl Store {
    /// Holds an event. Idempotent.
    pub async fn hold(&self, leg: &LegId, held: &HeldEvent) -> Result<(), StoreError> {
        self.put(item(held_pk(leg), held.sk(), held)?).await
    }

    /// Returns the held events of a leg in the order of the platform's times, starting after `after`.
    pub async fn held(
        &self,
        leg: &LegId,
        after: Option<&HeldEvent>,
        limit: u16,
    ) -> Result<Vec<HeldEvent>, StoreError> {
        let after = after.map(HeldEvent::sk);
        let items = self.list(&held_pk(leg), "", after.as_deref(), limit).await?;
        items.iter().map(read).collect()
    }

    /// Removes a held event, once it is ingested.
    pub async fn remove_held(&self, leg: &LegId, held: &HeldEvent) -> Result<(), StoreError> {
        self.delete(held_pk(leg), held.sk()).await.map(|_| ())
    }
}
