//! Bodies that could not be read: kept for a week, so that a person can see what came.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::{item, read, text};
use super::{Store, StoreError, expires_in};
use crate::model::{ConnectionId, time};

const KEEP: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How much of a body is kept, in bytes.
const MAX_KEPT: usize = 32 * 1024;

/// A body that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// When it came.
    pub at: Timestamp,
    /// Why it could not be read.
    pub reason: String,
    /// Its size in bytes.
    pub size: usize,
    /// Its first 32 KiB, with what is not UTF-8 replaced.
    pub body: String,
}

impl Rejected {
    /// What is kept of `body`.
    #[must_use]
    pub fn new(at: Timestamp, reason: String, body: &[u8]) -> Self {
        let kept = &body[..body.len().min(MAX_KEPT)];
        Self { at, reason, size: body.len(), body: String::from_utf8_lossy(kept).into_owned() }
    }
}

impl Store {
    /// Keeps a body that could not be read.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn keep_rejected(
        &self,
        connection: &ConnectionId,
        id: &str,
        rejected: &Rejected,
    ) -> Result<(), StoreError> {
        let sk = format!("{}#{id}", time::rfc3339_millis(rejected.at));
        let mut item = item(format!("REJECT#{connection}"), sk, rejected)?;
        item.insert("expires".into(), expires_in(rejected.at, KEEP));
        self.put(item).await
    }

    /// The bodies of a connection that could not be read, each with its place, the newest first, from
    /// after a place.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn rejected(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<(String, Rejected)>, StoreError> {
        let items = self.newest(&format!("REJECT#{connection}"), after, most).await?;
        items.iter().map(|item| Ok((text(item, "sk").to_owned(), read(item)?))).collect()
    }
}
