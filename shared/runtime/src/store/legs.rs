//! Legs with their breakers, and the index from a platform's conversation id to the conversation.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, key, read, string_attribute};
use super::keys::{BREAKER_SK, LEG_INDEX_SK, breaker_pk, conversation_pk, leg_index_pk, leg_sk};
use super::transaction::{Condition, Write};
use super::{ActiveSession, Item, Store, StoreError, unavailable};
use crate::error::Cause;
use trunkline_core::model::{
    Breaker, ConnectionId, ConversationKey, ExternalConversationId, Leg, LegId, PlatformId,
    SessionId,
};

/// How long to wait before `DynamoDB` is asked again for the keys that it did not process, because it is throttled.
///
/// Source: `DynamoDB` API reference, `BatchGetItem`, which recommends an exponential backoff.
const UNPROCESSED_PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// The conversation that an external conversation id belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegAddress {
    /// Channel and customer of the conversation.
    pub key: ConversationKey,
    /// Session of the leg: a conversation id or a handover id.
    pub session_id: SessionId,
}

impl Store {
    /// Returns a leg and its connection's breaker, in one call.
    pub async fn leg_and_breaker(&self, id: &LegId) -> Result<(Leg, Breaker), StoreError> {
        let (mut legs, mut breakers) =
            self.legs_and_breakers(std::slice::from_ref(id), &[&id.connection]).await?;
        let leg = legs.pop().unwrap_or_else(|| Leg::new(id.clone()));
        Ok((leg, breakers.pop().unwrap_or_default()))
    }

    /// Returns legs and breakers, in the order of their ids, in one call. No id may occur twice, and there may be
    /// at most 100 of both together.
    pub async fn legs_and_breakers(
        &self,
        legs: &[LegId],
        breakers: &[&ConnectionId],
    ) -> Result<(Vec<Leg>, Vec<Breaker>), StoreError> {
        let leg_keys = legs.iter().map(|id| (conversation_pk(&id.key), leg_sk(&id.connection)));
        let leg_keys: Vec<_> = leg_keys.collect();
        let breaker_keys: Vec<_> = breakers.iter().map(|id| breaker_pk(id)).collect();
        let wanted = leg_keys.iter().map(|(pk, sk)| key(pk.as_str(), sk.as_str()));
        let wanted = wanted.chain(breaker_keys.iter().map(|pk| key(pk.as_str(), BREAKER_SK)));
        let found = self.batch_get(wanted.collect()).await?;
        let item = |pk: &str, sk: &str| {
            let is_at = |item: &&Item| {
                string_attribute(item, "pk") == pk && string_attribute(item, "sk") == sk
            };
            found.iter().find(is_at)
        };
        let leg = |((pk, sk), id): (&(String, String), &LegId)| {
            item(pk, sk).map_or_else(|| Ok(Leg::new(id.clone())), read)
        };
        let breaker = |pk: &String| {
            item(pk, BREAKER_SK).map_or_else(|| Ok(Breaker::default()), super::breakers::from_item)
        };
        let legs: Result<_, _> = leg_keys.iter().zip(legs).map(leg).collect();
        let breakers: Result<_, _> = breaker_keys.iter().map(breaker).collect();
        Ok((legs?, breakers?))
    }

    /// Returns a leg; an empty one if it is not stored.
    pub async fn leg(&self, id: &LegId) -> Result<Leg, StoreError> {
        let found = self.get(conversation_pk(&id.key), leg_sk(&id.connection)).await?;
        Ok(found.as_ref().map(read).transpose()?.unwrap_or_else(|| Leg::new(id.clone())))
    }

    /// Returns the items with these keys, in any order.
    pub(super) async fn batch_get(&self, mut wanted: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::with_capacity(wanted.len());
        let mut pauses = UNPROCESSED_PAUSES.into_iter();
        while !wanted.is_empty() {
            let wants = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true);
            let wants = wants.build().map_err(|error| unavailable("BatchGetItem", error))?;
            let output = self
                .dynamodb
                .batch_get_item()
                .request_items(&*self.table, wants)
                .send()
                .await
                .map_err(|error| unavailable("BatchGetItem", error))?;
            let items = output.responses.unwrap_or_default().remove(&*self.table);
            found.extend(items.unwrap_or_default());
            let unprocessed = output.unprocessed_keys.unwrap_or_default().remove(&*self.table);
            wanted = unprocessed.map(|rest| rest.keys).unwrap_or_default();
            if !wanted.is_empty() {
                tokio::time::sleep(pauses.next().ok_or_else(unprocessed_keys)?).await;
            }
        }
        Ok(found)
    }

    /// Writes a leg on which a session was opened, and the index entry from the platform's conversation id to
    /// it. Only the leg's worker calls this, inside its message group.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the leg has changed since it was read.
    pub async fn open_leg(
        &self,
        platform: PlatformId,
        leg: &Leg,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writes = vec![self.leg_write(leg, now)?];
        if let Some(session) = leg.session(session_id) {
            let address = LegAddress { key: leg.id.key.clone(), session_id: session_id.clone() };
            let mut index = item(
                leg_index_pk(&leg.id.connection, &session.external_conversation_id),
                LEG_INDEX_SK.into(),
                &address,
            )?;
            index.insert("expires".into(), self.expiry(now));
            writes.push(Write::Put(index, Condition::None));
            if session.needs_listener {
                let (leg, session) = (leg.id.clone(), session.clone());
                let active = ActiveSession { leg, session, since: now };
                writes.push(self.active_write(platform, &active, now)?);
            }
        }
        self.transact(writes).await
    }

    /// Returns the write of a leg, on the condition that it has not changed since it was read.
    pub(super) fn leg_write(&self, leg: &Leg, now: Timestamp) -> Result<Write, StoreError> {
        let mut written = item(conversation_pk(&leg.id.key), leg_sk(&leg.id.connection), leg)?;
        written.insert("version".into(), AttributeValue::N(leg.version.to_string()));
        // The leg defines the order of its parked deliveries, so it must not expire while there are any.
        if leg.parked == 0 {
            written.insert("expires".into(), self.expiry(now));
        }
        let before = leg.version.saturating_sub(1);
        let condition = if before == 0 { Condition::New } else { Condition::Version(before) };
        Ok(Write::Put(written, condition))
    }

    /// Returns the conversation that an external conversation id belongs to.
    pub async fn leg_address(
        &self,
        connection: &ConnectionId,
        external_id: &ExternalConversationId,
    ) -> Result<Option<LegAddress>, StoreError> {
        let found = self.get(leg_index_pk(connection, external_id), LEG_INDEX_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }
}

fn unprocessed_keys() -> StoreError {
    StoreError::Unavailable {
        call: "BatchGetItem",
        cause: Cause::new("some keys stay unprocessed"),
    }
}
