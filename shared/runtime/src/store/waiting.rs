//! The connections that have, or had, parked or failed deliveries.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::item::{item, read, string_attribute};
use super::keys::{FAILED_PREFIX, PARKED_PREFIX, WAITING};
use super::{Store, StoreError};
use trunkline_core::model::ConnectionId;

/// How long a process remembers that it has written an entry.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Number of entries that one call reads.
const PAGE: u16 = 500;

/// The sort keys of the entries that a process has written, each with the time.
pub(super) type Listed = Mutex<HashMap<String, Timestamp>>;

impl Store {
    /// Lists a connection as one with parked or failed deliveries, before there is one. The entry is not part of the
    /// transaction that parks a delivery: in an outage all workers park deliveries of the same connection, and
    /// DynamoDB cancels transactions on the same item.
    pub(super) async fn list_as_waiting(
        &self,
        sort_key: String,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = self.listed().get(&sort_key).copied();
        if known.is_some_and(|written| now.duration_since(written) < REMEMBERED_FOR) {
            return Ok(());
        }
        self.put(item(WAITING.into(), sort_key.clone(), connection)?).await?;
        self.listed().insert(sort_key, now);
        Ok(())
    }

    fn listed(&self) -> std::sync::MutexGuard<'_, HashMap<String, Timestamp>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the connections that have, or had, parked deliveries.
    pub async fn connections_with_parked(&self) -> Result<Vec<ConnectionId>, StoreError> {
        self.waiting_connections(PARKED_PREFIX).await
    }

    /// Returns the connections that have, or had, failed deliveries.
    pub async fn connections_with_failed(&self) -> Result<Vec<ConnectionId>, StoreError> {
        self.waiting_connections(FAILED_PREFIX).await
    }

    async fn waiting_connections(&self, prefix: &str) -> Result<Vec<ConnectionId>, StoreError> {
        let mut found: Vec<ConnectionId> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let items = self.list(WAITING, prefix, after.as_deref(), PAGE).await?;
            for item in &items {
                found.push(read(item)?);
            }
            match items.last() {
                Some(last) if items.len() == usize::from(PAGE) => {
                    after = Some(string_attribute(last, "sk").to_owned());
                }
                _ => return Ok(found),
            }
        }
    }
}
