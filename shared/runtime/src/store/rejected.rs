//! Rejected inbound bodies, stored for seven days so that operators can inspect them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::{item, read, string_attribute};
use super::keys::{rejected_pk, time_sk};
use super::{Store, StoreError, expires_in};
use trunkline_core::model::ConnectionId;

const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Number of bytes of a body that are stored.
const MAX_STORED_BYTES: usize = 32 * 1024;

/// An inbound body that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// When the body arrived.
    pub at: Timestamp,
    /// Why it was rejected.
    pub reason: String,
    /// Size of the whole body, in bytes.
    pub size: usize,
    /// The first 32 KiB, with invalid UTF-8 replaced by U+FFFD.
    pub body: String,
}

impl Rejected {
    /// Creates the record of a rejected `body`.
    #[must_use]
    pub fn new(at: Timestamp, reason: String, body: &[u8]) -> Self {
        let stored = &body[..body.len().min(MAX_STORED_BYTES)];
        Self { at, reason, size: body.len(), body: String::from_utf8_lossy(stored).into_owned() }
    }
}

impl Store {
    /// Stores a rejected body.
    pub async fn put_rejected(
        &self,
        connection: &ConnectionId,
        id: &str,
        rejected: &Rejected,
    ) -> Result<(), StoreError> {
        let sk = time_sk(rejected.at, id);
        let mut item = item(rejected_pk(connection), sk, rejected)?;
        item.insert("expires".into(), expires_in(rejected.at, RETENTION));
        self.put(item).await
    }

    /// Lists a connection's rejected bodies with their sort keys, newest first, starting after the sort key
    /// `after`.
    pub async fn rejected(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<(String, Rejected)>, StoreError> {
        let items = self.newest(&rejected_pk(connection), after, limit).await?;
        items
            .iter()
            .map(|item| Ok((string_attribute(item, "sk").to_owned(), read(item)?)))
            .collect()
    }
}
