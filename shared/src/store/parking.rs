//! What is parked on legs. All is written by a leg's one writer, inside its message group.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{item, read, text};
use super::write::{Condition, Transacted, Write};
use super::{Store, StoreError};
use crate::model::{ConnectionId, Leg, LegId, Parked, Platform};

/// A leg on which something is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedLeg {
    /// Its platform.
    pub platform: Platform,
    /// Which.
    pub leg: LegId,
    /// Since when.
    pub since: Timestamp,
}

/// What came of parking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkedAs {
    /// It is parked now.
    New,
    /// It was parked before: a worker died between that and its answer to the queue.
    Already,
}

pub(super) const WAITING: &str = "WAITING";

fn park_pk(leg: &LegId) -> String {
    format!("PARK#{}", leg.group())
}

fn seq_sk(seq: u64) -> String {
    format!("SEQ#{seq:020}")
}

fn parked_pk(connection: &ConnectionId) -> String {
    format!("PARKED#{connection}")
}

impl Store {
    /// Parks a delivery behind whatever is parked on the leg, which is as it was read.
    ///
    /// # Errors
    /// If the table does not answer, or there is another writer.
    pub async fn park(
        &self,
        leg: &Leg,
        parked: &Parked,
        now: Timestamp,
    ) -> Result<ParkedAs, StoreError> {
        let pk = park_pk(&leg.id);
        let id = format!("ID#{}", parked.delivery.id);
        let mut writes = vec![
            Write::Put(item(pk.clone(), id, &parked.seq)?, Condition::New),
            Write::Put(item(pk, seq_sk(parked.seq), parked)?, Condition::New),
            self.leg_write(&leg.with_one_more(), now)?,
        ];
        if leg.parked == 0 {
            let platform = parked.delivery.to.platform;
            let entry = ParkedLeg { platform, leg: leg.id.clone(), since: now };
            let connection = &leg.id.connection;
            let entry = item(parked_pk(connection), leg.id.group(), &entry)?;
            let partition = item(WAITING.into(), parked_pk(connection), connection)?;
            writes.push(Write::Put(entry, Condition::None));
            writes.push(Write::Put(partition, Condition::None));
        }
        match self.try_transact(writes).await? {
            Transacted::Done => Ok(ParkedAs::New),
            Transacted::Refused(0, _) => Ok(ParkedAs::Already),
            Transacted::Refused(..) | Transacted::Busy => Err(StoreError::Conflict),
        }
    }

    /// What is parked on a leg, the next first, from after `after`, at most `most`.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn parked(
        &self,
        leg: &LegId,
        after: Option<u64>,
        most: u16,
    ) -> Result<Vec<Parked>, StoreError> {
        let after = after.map(seq_sk);
        let items = self.list(&park_pk(leg), "SEQ#", after.as_deref(), most).await?;
        items.iter().map(read).collect()
    }

    /// What is parked on a leg at one place.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn parked_at(&self, leg: &LegId, seq: u64) -> Result<Option<Parked>, StoreError> {
        let found = self.get(park_pk(leg), seq_sk(seq)).await?;
        found.as_ref().map(read).transpose()
    }

    /// Notes a further attempt of what is parked, or another reason why it waits.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn note_parked(&self, leg: &LegId, parked: &Parked) -> Result<(), StoreError> {
        self.put(item(park_pk(leg), seq_sk(parked.seq), parked)?).await
    }

    /// Takes a delivery out of what is parked, and answers with the leg after that.
    ///
    /// # Errors
    /// If the table does not answer, or there is another writer.
    pub async fn unpark(
        &self,
        leg: &Leg,
        parked: &Parked,
        now: Timestamp,
    ) -> Result<Leg, StoreError> {
        let pk = park_pk(&leg.id);
        let after = leg.with_one_less();
        let mut writes = vec![
            Write::Delete(pk.clone(), seq_sk(parked.seq)),
            Write::Delete(pk, format!("ID#{}", parked.delivery.id)),
            self.leg_write(&after, now)?,
        ];
        if after.parked == 0 {
            writes.push(Write::Delete(parked_pk(&leg.id.connection), leg.id.group()));
        }
        self.transact(writes).await?;
        Ok(after)
    }

    /// The legs of a connection on which something is parked, by group, from after `after`.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn parked_legs(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<ParkedLeg>, StoreError> {
        let items = self.list(&parked_pk(connection), "", after, most).await?;
        items.iter().map(read).collect()
    }

    /// The connections of which something is parked, or has been.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn connections_with_parked(&self) -> Result<Vec<ConnectionId>, StoreError> {
        self.waiting("PARKED#").await
    }

    pub(super) async fn waiting(&self, prefix: &str) -> Result<Vec<ConnectionId>, StoreError> {
        let mut found: Vec<ConnectionId> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let items = self.list(WAITING, prefix, after.as_deref(), 500).await?;
            for item in &items {
                found.push(read(item)?);
            }
            match items.last() {
                Some(last) if items.len() == 500 => after = Some(text(last, "sk").to_owned()),
                _ => return Ok(found),
            }
        }
    }
}
