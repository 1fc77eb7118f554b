//! Parked deliveries. Only the leg's worker writes them, one at a time, inside the leg's message group.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read};
use super::keys::{SEQ_PREFIX, park_pk, parked_marker_sk, parked_pk, seq_sk};
use super::transaction::{Condition, TransactionResult, Write};
use super::{Store, StoreError};
use trunkline_core::model::{ConnectionId, Leg, LegId, Parked, PlatformId};

/// A leg with parked deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedLeg {
    pub platform: PlatformId,
    pub leg: LegId,
    /// When the first of them was parked.
    pub since: Timestamp,
}

/// Result of parking a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkResult {
    Parked,
    /// It was parked before: a worker crashed after parking it and before acknowledging the message.
    AlreadyParked,
}

impl Store {
    /// Parks a delivery behind the leg's other parked deliveries. `leg` is the leg as last read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the leg has changed since.
    pub async fn park(
        &self,
        leg: &Leg,
        parked: &Parked,
        now: Timestamp,
    ) -> Result<ParkResult, StoreError> {
        let pk = park_pk(&leg.id);
        let marker = parked_marker_sk(&parked.delivery.id);
        let mut writes = vec![
            Write::Put(item(pk.clone(), marker, &parked.seq)?, Condition::New),
            Write::Put(item(pk, seq_sk(parked.seq), parked)?, Condition::New),
            self.leg_write(&leg.with_one_more_parked(), now)?,
        ];
        if leg.parked == 0 {
            let platform = parked.delivery.to.platform;
            let entry = ParkedLeg { platform, leg: leg.id.clone(), since: now };
            let connection = &leg.id.connection;
            let entry = item(parked_pk(connection), leg.id.message_group(), &entry)?;
            writes.push(Write::Put(entry, Condition::None));
            self.list_as_waiting(parked_pk(connection), connection, now).await?;
        }
        match self.try_transact(writes).await? {
            TransactionResult::Committed => Ok(ParkResult::Parked),
            TransactionResult::ConditionFailed(0, _) => Ok(ParkResult::AlreadyParked),
            TransactionResult::ConditionFailed(..) | TransactionResult::Conflict => {
                Err(StoreError::Conflict)
            }
        }
    }

    /// Returns up to `limit` parked deliveries of a leg in order, starting after the number `after`.
    pub async fn parked(
        &self,
        leg: &LegId,
        after: Option<u64>,
        limit: u16,
    ) -> Result<Vec<Parked>, StoreError> {
        let after = after.map(seq_sk);
        let items = self.list(&park_pk(leg), SEQ_PREFIX, after.as_deref(), limit).await?;
        items.iter().map(read).collect()
    }

    /// Returns the parked delivery of a leg with this number.
    pub async fn parked_at(&self, leg: &LegId, seq: u64) -> Result<Option<Parked>, StoreError> {
        let found = self.get(park_pk(leg), seq_sk(seq)).await?;
        found.as_ref().map(read).transpose()
    }

    /// Updates a parked delivery after another attempt, or with another reason.
    pub async fn update_parked(&self, leg: &LegId, parked: &Parked) -> Result<(), StoreError> {
        self.put(item(park_pk(leg), seq_sk(parked.seq), parked)?).await
    }

    /// Removes a parked delivery and returns the leg after that.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the leg has changed since it was read.
    pub async fn unpark(
        &self,
        leg: &Leg,
        parked: &Parked,
        now: Timestamp,
    ) -> Result<Leg, StoreError> {
        let pk = park_pk(&leg.id);
        let after = leg.with_one_less_parked();
        let mut writes = vec![
            Write::Delete(pk.clone(), seq_sk(parked.seq)),
            Write::Delete(pk, parked_marker_sk(&parked.delivery.id)),
            self.leg_write(&after, now)?,
        ];
        if after.parked == 0 {
            writes.push(Write::Delete(parked_pk(&leg.id.connection), leg.id.message_group()));
        }
        self.transact(writes).await?;
        Ok(after)
    }

    /// Lists the legs of a connection with parked deliveries by message group, starting after `after`.
    pub async fn parked_legs(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<ParkedLeg>, StoreError> {
        let items = self.list(&parked_pk(connection), "", after, limit).await?;
        items.iter().map(read).collect()
    }
}
