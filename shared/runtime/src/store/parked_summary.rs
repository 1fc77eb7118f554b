//! Numbers of parked and failed deliveries, counted without reading them.

use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;

use super::keys::{SEQ_PREFIX, failed_pk, park_pk};
use super::{ParkedLeg, Store, StoreError, unavailable};
use trunkline_core::model::ConnectionId;

/// Number of legs whose parked deliveries are counted. Every further leg counts as one delivery.
const COUNTED_LEGS: usize = 25;
/// Maximum number of legs that are read.
const MAX_LEGS: u16 = 200;

/// Summary of a connection's parked deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedSummary {
    /// Number of parked deliveries; a lower bound.
    pub count: usize,
    /// When the oldest was parked; `None` if there is none.
    pub since: Option<Timestamp>,
    /// Why the oldest is parked.
    pub reason: Option<String>,
}

impl Store {
    /// Summarizes a connection's parked deliveries. If many legs have some, counts those of the first legs
    /// only.
    pub async fn parked_summary(
        &self,
        connection: &ConnectionId,
    ) -> Result<ParkedSummary, StoreError> {
        let legs = self.parked_legs(connection, None, MAX_LEGS).await?;
        let Some(oldest) = legs.iter().min_by_key(|parked| parked.since) else {
            return Ok(ParkedSummary::default());
        };
        let first = self.parked(&oldest.leg, None, 1).await?.into_iter().next();
        let count = self.count_parked(&legs).await?;
        let reason = first.as_ref().map(|first| first.reason.clone());
        Ok(ParkedSummary {
            count,
            since: Some(first.map_or(oldest.since, |first| first.parked_at)),
            reason,
        })
    }

    /// Counts the parked deliveries of these legs; a lower bound.
    pub async fn count_parked(&self, legs: &[ParkedLeg]) -> Result<usize, StoreError> {
        let counted = legs.iter().take(COUNTED_LEGS).map(|parked| {
            let pk = park_pk(&parked.leg);
            async move { self.count_items(&pk, SEQ_PREFIX).await }
        });
        let counted = futures_util::future::try_join_all(counted).await?;
        Ok(counted.iter().sum::<usize>() + legs.len().saturating_sub(COUNTED_LEGS))
    }

    /// Counts a connection's failed deliveries.
    pub async fn count_failed(&self, connection: &ConnectionId) -> Result<usize, StoreError> {
        self.count_items(&failed_pk(connection), "").await
    }

    /// Counts a partition's items, up to the limit of one query (1 MB).
    async fn count_items(&self, pk: &str, prefix: &str) -> Result<usize, StoreError> {
        let answer = self
            .query(pk, prefix)
            .select(Select::Count)
            .send()
            .await
            .map_err(|error| unavailable("Query", error))?;
        Ok(usize::try_from(answer.count).unwrap_or_default())
    }
}
