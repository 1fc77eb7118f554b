//! Events that are held back, so that those before them can still come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read};
use super::{Store, StoreError};
use crate::model::{Event, LegId, time};

/// An event that is held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// What arrived.
    pub event: Event,
    /// Until when whatever came before it is waited for.
    pub until: Timestamp,
}

impl Held {
    /// By its own time, and its id where that is the same.
    fn sk(&self) -> String {
        format!("{}#{}", time::rfc3339_millis(self.event.at), self.event.id.as_str())
    }
}

fn held_pk(leg: &LegId) -> String {
    format!("HELD#{}", leg.group())
}

impl Store {
    /// Holds an event back. Holding it twice holds it once.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn hold(&self, leg: &LegId, held: &Held) -> Result<(), StoreError> {
        self.put(item(held_pk(leg), held.sk(), held)?).await
    }

    /// What is held back on a leg, in the order of its own times.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn held(&self, leg: &LegId, most: u16) -> Result<Vec<Held>, StoreError> {
        let items = self.list(&held_pk(leg), "", None, most).await?;
        items.iter().map(read).collect()
    }

    /// Forgets what was held back and is taken now.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn let_go(&self, leg: &LegId, held: &Held) -> Result<(), StoreError> {
        self.delete(held_pk(leg), held.sk()).await.map(|_| ())
    }
}
