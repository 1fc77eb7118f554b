//! Sessions on whose far side somebody must listen, and who listens.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read, text};
use super::write::{Condition, Write};
use super::{Store, StoreError, unavailable};
use crate::model::{LegId, Platform, Session, time};

/// A session on whose far side somebody must listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Its leg.
    pub leg: LegId,
    /// The conversation as the far side has it.
    pub session: Session,
    /// Since when.
    pub since: Timestamp,
}

impl Active {
    /// Its place among those of its platform: by the time that it became active.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}#{}", time::rfc3339_millis(self.since), self.leg.group())
    }
}

/// Who listens for a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The listener's id.
    pub holder: String,
    /// Until when, unless it says so again.
    pub until: Timestamp,
}

fn active_pk(platform: Platform) -> String {
    format!("ACTIVE#{platform}")
}

impl Store {
    pub(super) fn active_write(
        &self,
        platform: Platform,
        active: &Active,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let mut entry = item(active_pk(platform), active.place(), active)?;
        entry.insert("expires".into(), self.expiry(now));
        Ok(Write::Put(entry, Condition::None))
    }

    /// The sessions of a platform that are listened to, from after a place.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn active(
        &self,
        platform: Platform,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<Active>, StoreError> {
        let items = self.list(&active_pk(platform), "", after, most).await?;
        items.iter().map(read).collect()
    }

    /// Nobody needs to listen to that session any more.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn deactivate(&self, platform: Platform, active: &Active) -> Result<(), StoreError> {
        self.delete(active_pk(platform), active.place()).await.map(|_| ())
    }

    /// Who listens for a platform, if anybody ever did.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn lease(&self, platform: Platform) -> Result<Option<Lease>, StoreError> {
        let found = self.get(format!("LISTENER#{platform}"), "LEASE".into()).await?;
        let Some(found) = found else { return Ok(None) };
        let until = text(&found, "until").parse().map_err(|error: jiff::Error| {
            let (key, cause) = (format!("LISTENER#{platform}"), error.to_string());
            StoreError::Garbled { key, cause }
        })?;
        Ok(Some(Lease { holder: text(&found, "holder").to_owned(), until }))
    }

    /// Takes or renews the lease, if it is free, one's own, or that of `predecessor`. Answers whether it
    /// is one's own now.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn take_lease(
        &self,
        platform: Platform,
        wanted: &Lease,
        predecessor: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let value = |text: &str| AttributeValue::S(text.to_owned());
        let instant = |at| AttributeValue::S(time::rfc3339_millis(at));
        let update = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(format!("LISTENER#{platform}")))
            .key("sk", value("LEASE"))
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
                _ => Err(unavailable("UpdateItem", &error)),
            },
        }
    }
}
