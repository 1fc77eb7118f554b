//! Sessions that need a socket listener, and the listener's lease.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read, string_attribute};
use super::keys::{LEASE_SK, active_pk, listener_pk, time_sk};
use super::transaction::{Condition, Write};
use super::{Store, StoreError, unavailable};
use crate::error::Cause;
use trunkline_core::model::{LegId, PlatformId, Session, time};

/// A session that needs a socket listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveSession {
    pub leg: LegId,
    /// Session with the platform's conversation id.
    pub session: Session,
    /// When the session became active.
    pub since: Timestamp,
}

impl ActiveSession {
    /// Returns the sort key among the sessions of its platform: the time at which it became active, then the
    /// leg.
    #[must_use]
    pub fn sort_key(&self) -> String {
        time_sk(self.since, &self.leg.message_group())
    }
}

/// Lease of a platform's socket listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// id of the listener that holds the lease.
    pub holder: String,
    /// When the lease expires unless the holder renews it.
    pub until: Timestamp,
}

impl Store {
    pub(super) fn active_write(
        &self,
        platform: PlatformId,
        active: &ActiveSession,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let mut entry = item(active_pk(platform), active.sort_key(), active)?;
        entry.insert("expires".into(), self.expiry(now));
        Ok(Write::Put(entry, Condition::None))
    }

    /// Lists the active sessions of a platform, starting after the sort key `after`.
    pub async fn active_sessions(
        &self,
        platform: PlatformId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<ActiveSession>, StoreError> {
        let items = self.list(&active_pk(platform), "", after, limit).await?;
        items.iter().map(read).collect()
    }

    /// Removes a session that needs no listener any more.
    pub async fn deactivate(
        &self,
        platform: PlatformId,
        active: &ActiveSession,
    ) -> Result<(), StoreError> {
        self.delete(active_pk(platform), active.sort_key()).await.map(|_| ())
    }

    /// Returns the last lease of a platform's listener; `None` if there never was one.
    pub async fn lease(&self, platform: PlatformId) -> Result<Option<Lease>, StoreError> {
        let found = self.get(listener_pk(platform), LEASE_SK.into()).await?;
        let Some(found) = found else { return Ok(None) };
        let until = string_attribute(&found, "until").parse().map_err(|error: jiff::Error| {
            let (key, cause) = (listener_pk(platform), Cause::new(error));
            StoreError::Corrupt { key, cause }
        })?;
        Ok(Some(Lease { holder: string_attribute(&found, "holder").to_owned(), until }))
    }

    /// Acquires or renews the lease if it is expired, held by the same listener, or held by `predecessor`.
    /// Returns whether the listener holds it now.
    pub async fn take_lease(
        &self,
        platform: PlatformId,
        wanted: &Lease,
        predecessor: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let value = |text: &str| AttributeValue::S(text.to_owned());
        let instant = |at| AttributeValue::S(time::format_rfc3339_millis(at));
        let update = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(listener_pk(platform)))
            .key("sk", value(LEASE_SK))
            .update_expression("SET holder = :holder, #until = :until")
            .condition_expression(
                "attribute_not_exists(pk) OR #until < :now OR holder = :holder OR holder = :before",
            )
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":holder", value(&wanted.holder))
            .expression_attribute_values(":until", instant(wanted.until))
            .expression_attribute_values(":now", instant(now))
            .expression_attribute_values(":before", value(predecessor.unwrap_or(&wanted.holder)))
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unavailable("UpdateItem", error)),
            },
        }
    }
}
