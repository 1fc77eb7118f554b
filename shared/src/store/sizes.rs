//! How much waits, without reading all of it.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use jiff::Timestamp;

use super::{ParkedLeg, Store, StoreError, unavailable};
use crate::model::ConnectionId;

/// Of how many legs what is parked is counted; each other counts as one.
const LEGS: usize = 25;
/// As many legs as are read.
const MOST: u16 = 200;

/// How much of a connection is parked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedSize {
    /// How many deliveries, at least.
    pub count: usize,
    /// Since when the oldest waits.
    pub since: Option<Timestamp>,
    /// Why that waits.
    pub reason: Option<String>,
}

impl Store {
    /// How much of a connection is parked. Counted on its first legs only, where there are many.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn parked_size(&self, connection: &ConnectionId) -> Result<ParkedSize, StoreError> {
        let legs = self.parked_legs(connection, None, MOST).await?;
        let Some(oldest) = legs.iter().min_by_key(|parked| parked.since) else {
            return Ok(ParkedSize::default());
        };
        let first = self.parked(&oldest.leg, None, 1).await?.into_iter().next();
        let count = self.count_parked(&legs).await?;
        let reason = first.as_ref().map(|first| first.reason.clone());
        Ok(ParkedSize {
            count,
            since: Some(first.map_or(oldest.since, |first| first.since)),
            reason,
        })
    }

    /// How much is parked on these legs, at least.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn count_parked(&self, legs: &[ParkedLeg]) -> Result<usize, StoreError> {
        let counted = legs.iter().take(LEGS).map(|parked| {
            let pk = format!("PARK#{}", parked.leg.group());
            async move { self.size(pk, "SEQ#").await }
        });
        let counted = futures_util::future::try_join_all(counted).await?;
        Ok(counted.iter().sum::<usize>() + legs.len().saturating_sub(LEGS))
    }

    /// How many deliveries to a connection wait for a person.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn failed_size(&self, connection: &ConnectionId) -> Result<usize, StoreError> {
        self.size(format!("FAILED#{connection}"), "").await
    }

    /// How many items a partition has, as far as one call counts them.
    async fn size(&self, pk: String, prefix: &str) -> Result<usize, StoreError> {
        let query = self.dynamodb.query().table_name(&*self.table).select(Select::Count);
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
        };
        let answer = query
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        Ok(usize::try_from(answer.count).unwrap_or_default())
    }
}
