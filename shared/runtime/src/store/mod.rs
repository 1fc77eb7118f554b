//! The DynamoDB table. No other module reads or writes it.
//!
//! [`ITEMS`] lists every kind of item. Each item has its schema number in `v`: see [`SCHEMA`].

mod access;
mod active_sessions;
mod breakers;
mod config;
mod config_cache;
mod config_delete;
mod conversations;
mod correlation;
mod dead_letters;
mod due_tasks;
mod erase;
mod events;
mod export;
mod failed;
mod files;
mod held;
mod item;
mod keys;
mod legs;
mod listing;
mod messages;
mod outcome_batch;
mod outcomes;
mod parked_summary;
mod parking;
mod rates;
mod rejected;
mod stalled_queues;
mod transaction;
mod transcript;
mod waiting;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::{SignedDuration, Timestamp};

use crate::error::Cause;
use outcome_batch::OutcomeBatch;
use waiting::Listed;

pub use active_sessions::{ActiveSession, Lease};
pub use config::{ConnectionSummary, Health, Registration};
pub use config_cache::{ConfigCache, LoadedConnection};
pub use conversations::WriteResult;
pub use due_tasks::{DUE_PARTITIONS, DueTask};
pub use events::{Filing, MAX_SKEW, PositionedEvent, is_near, own_key_time};
pub use export::ExportEntry;
pub use held::HeldEvent;
pub use item::SCHEMA;
pub use keys::{ITEMS, ItemKind};
pub use legs::LegAddress;
pub use listing::{ListQuery, list_sort_key};
pub use outcome_batch::RecordsTogether;
pub use parked_summary::ParkedSummary;
pub use parking::{ParkResult, ParkedLeg};
pub use rates::{Counts, start_of_minute};
pub use rejected::Rejected;
pub use transcript::EventCursor;

type Item = HashMap<String, AttributeValue>;

/// Why the table did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is down, slow or throttles. Internal and retryable.
    #[error("DynamoDB {call} failed: {cause}")]
    Unavailable {
        /// DynamoDB operation, for example `GetItem`.
        call: &'static str,
        /// Error of the AWS SDK.
        #[source]
        cause: Cause,
    },
    /// Another worker wrote the same item first. Internal and retryable.
    #[error("write conflict: another worker wrote the same item")]
    Conflict,
    /// An item is not in the format that Trunkline writes. Internal; an operator must inspect it.
    #[error("cannot parse item {key}: {cause}")]
    Corrupt {
        /// Kind of the item and its sort key, without the customer.
        key: String,
        #[source]
        cause: Cause,
    },
    /// A later version of Trunkline wrote the item in a schema that this version does not know. Internal;
    /// the item becomes readable when that version is deployed again.
    #[error(
        "item {key} has schema {version}, written by a later Trunkline: deploy that version again"
    )]
    UnsupportedSchema {
        /// Kind of the item, for example `CONV`.
        key: String,
        /// Schema number of the item.
        version: u64,
    },
}

/// The condition that no item has the key.
const NEW: &str = "attribute_not_exists(pk)";

/// Result of a put on a condition.
enum PutResult {
    Written,
    /// The condition is not met: the item with the key, if there is one.
    Refused(Option<Item>),
}

impl PutResult {
    fn is_written(&self) -> bool {
        matches!(self, Self::Written)
    }
}

/// Client of the DynamoDB table.
#[derive(Debug, Clone)]
pub struct Store {
    dynamodb: aws_sdk_dynamodb::Client,
    table: Arc<str>,
    retention: SignedDuration,
    /// The outcomes that wait to be recorded together.
    outcomes: Arc<OutcomeBatch>,
    /// The entries of `WAITING` that this process has written.
    listed: Arc<Listed>,
}

impl Store {
    /// Creates a client of the table with that name, which keeps transcripts for `retention_days`.
    #[must_use]
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, table: String, retention_days: u32) -> Self {
        let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
        Self {
            dynamodb,
            table: table.into(),
            retention,
            outcomes: Arc::default(),
            listed: Arc::default(),
        }
    }

    /// Reads one item, strongly consistent.
    async fn get(&self, pk: String, sk: String) -> Result<Option<Item>, StoreError> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable("GetItem", error))?;
        Ok(output.item)
    }

    /// Starts a query for the items of a partition whose sort key has a prefix; all items if it is empty.
    fn query(&self, pk: &str, prefix: &str) -> QueryFluentBuilder {
        let query = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        if prefix.is_empty() {
            return query.key_condition_expression("pk = :pk");
        }
        query
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
    }

    /// Reads up to `limit` items of a partition in order, starting after the sort key `after`.
    async fn list(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<Item>, StoreError> {
        let start = after.map(|sk| item::key(pk, sk));
        self.collect(self.query(pk, prefix).consistent_read(true), start, limit).await
    }

    /// Reads up to `limit` items of a query, starting after the key `start`. One response of DynamoDB has at most
    /// 1 MB, so several may be needed: fewer items than `limit` mean that there are no more.
    async fn collect(
        &self,
        query: QueryFluentBuilder,
        mut start: Option<Item>,
        limit: u16,
    ) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        loop {
            let left = usize::from(limit) - found.len();
            let output = query
                .clone()
                .set_exclusive_start_key(start)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| unavailable("Query", error))?;
            found.extend(output.items.unwrap_or_default());
            start = output.last_evaluated_key;
            if start.is_none() || found.len() >= usize::from(limit) {
                return Ok(found);
            }
        }
    }

    async fn delete(&self, pk: String, sk: String) -> Result<bool, StoreError> {
        let output = self
            .dynamodb
            .delete_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| unavailable("DeleteItem", error))?;
        Ok(output.attributes.is_some())
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.dynamodb
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| unavailable("PutItem", error))?;
        Ok(())
    }

    /// Writes an item on a condition.
    async fn put_if(&self, item: Item, condition: &str) -> Result<PutResult, StoreError> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put {
            Ok(_) => Ok(PutResult::Written),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                    Ok(PutResult::Refused(failure.item.clone()))
                }
                _ => Err(unavailable("PutItem", error)),
            },
        }
    }

    /// Returns whether an item last written at `touched_at` must be written again, so that it does not expire
    /// while it is in use. True once per quarter of the retention, so the cost per message is negligible.
    #[must_use]
    pub fn is_stale(&self, touched_at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(touched_at) > self.retention / 4
    }

    fn expiry(&self, now: Timestamp) -> AttributeValue {
        expires_in(now, self.retention)
    }
}

fn expires_in(now: Timestamp, keep: SignedDuration) -> AttributeValue {
    AttributeValue::N((now + keep).as_second().to_string())
}

fn unavailable(
    call: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::Unavailable { call, cause: Cause::sdk(error) }
}
