//! Legs with their breakers, and the way back from a far side's id to the conversation.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{conversation_pk, item, key, read, text};
use super::write::{Condition, Write};
use super::{Active, Item, Store, StoreError, unavailable};
use crate::model::{Breaker, ConnectionId, ConversationKey, Leg, LegId, Platform};

/// Whose leg an external id is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegAddress {
    /// The conversation.
    pub key: ConversationKey,
    /// Which of the key's conversations.
    pub conversation: String,
}

fn leg_sk(connection: &ConnectionId) -> String {
    format!("LEG#{connection}")
}

pub(super) fn index_pk(connection: &ConnectionId, external_id: &str) -> String {
    format!("LEG#{connection}#{external_id}")
}

pub(super) fn breaker_pk(connection: &ConnectionId) -> String {
    format!("BREAKER#{connection}")
}

impl Store {
    /// A leg and its connection's breaker, in one call.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn leg_and_breaker(&self, id: &LegId) -> Result<(Leg, Breaker), StoreError> {
        let wanted = vec![
            key(conversation_pk(&id.key), leg_sk(&id.connection)),
            key(breaker_pk(&id.connection), "BREAKER"),
        ];
        let mut found: HashMap<String, Item> = self.batch_get(wanted).await?;
        let leg = found.remove(&leg_sk(&id.connection));
        let leg = leg.as_ref().map(read).transpose()?.unwrap_or_else(|| Leg::new(id.clone()));
        let breaker = found.remove("BREAKER");
        let breaker = breaker.as_ref().map(super::breakers::from_item).transpose()?;
        Ok((leg, breaker.unwrap_or_default()))
    }

    /// A leg.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn leg(&self, id: &LegId) -> Result<Leg, StoreError> {
        let found = self.get(conversation_pk(&id.key), leg_sk(&id.connection)).await?;
        Ok(found.as_ref().map(read).transpose()?.unwrap_or_else(|| Leg::new(id.clone())))
    }

    /// The whole items of some keys with different sort keys, by sort key.
    pub(super) async fn batch_get(
        &self,
        mut wanted: Vec<Item>,
    ) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::with_capacity(wanted.len());
        while !wanted.is_empty() {
            let wants = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true);
            let wants = wants.build().map_err(|error| unavailable("BatchGetItem", &error))?;
            let answer = self
                .dynamodb
                .batch_get_item()
                .request_items(&*self.table, wants)
                .send()
                .await
                .map_err(|error| unavailable("BatchGetItem", &error))?;
            let items = answer.responses.unwrap_or_default().remove(&*self.table);
            for item in items.unwrap_or_default() {
                found.insert(text(&item, "sk").to_owned(), item);
            }
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&*self.table);
            wanted = left.map(|left| left.keys).unwrap_or_default();
        }
        Ok(found)
    }

    /// Writes a leg on which a conversation was opened: from now on the far side's id leads back to
    /// it. Only the leg's one writer, inside its message group, calls this.
    ///
    /// # Errors
    /// If the table does not answer, or there is another writer.
    pub async fn open_leg(
        &self,
        platform: Platform,
        leg: &Leg,
        conversation: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writes = vec![self.leg_write(leg, now)?];
        if let Some(session) = leg.session(conversation) {
            let address =
                LegAddress { key: leg.id.key.clone(), conversation: conversation.to_owned() };
            let mut index =
                item(index_pk(&leg.id.connection, &session.external_id), "LEG".into(), &address)?;
            index.insert("expires".into(), self.expiry(now));
            writes.push(Write::Put(index, Condition::None));
            if session.listen {
                let (leg, session) = (leg.id.clone(), session.clone());
                let active = Active { leg, session, since: now };
                writes.push(self.active_write(platform, &active, now)?);
            }
        }
        self.transact(writes).await
    }

    /// The writing of a leg, provided that nobody wrote it since it was read.
    pub(super) fn leg_write(&self, leg: &Leg, now: Timestamp) -> Result<Write, StoreError> {
        let mut after = item(conversation_pk(&leg.id.key), leg_sk(&leg.id.connection), leg)?;
        after.insert("version".into(), AttributeValue::N(leg.version.to_string()));
        // While anything is parked, the order of it must not expire.
        if leg.parked == 0 {
            after.insert("expires".into(), self.expiry(now));
        }
        let before = leg.version.saturating_sub(1);
        let condition = if before == 0 { Condition::New } else { Condition::Version(before) };
        Ok(Write::Put(after, condition))
    }

    /// Whose leg an external id is.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn leg_address(
        &self,
        connection: &ConnectionId,
        external_id: &str,
    ) -> Result<Option<LegAddress>, StoreError> {
        let found = self.get(index_pk(connection, external_id), "LEG".into()).await?;
        found.as_ref().map(read).transpose()
    }
}
