//! Breakers. Many workers write the same breaker concurrently, so every write is one conditional update.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use super::item::string_attribute;
use super::keys::{BREAKER_SK, breaker_pk};
use super::{Item, Store, StoreError, unavailable};
use crate::error::Cause;
use trunkline_core::model::{Breaker, ConnectionId, time};

pub(super) fn from_item(item: &Item) -> Result<Breaker, StoreError> {
    let failures = item.get("failures").and_then(|value| value.as_n().ok());
    let instant = |name: &str| match string_attribute(item, name) {
        "" => Ok(None),
        value => value.parse().map(Some).map_err(|error| StoreError::Corrupt {
            key: string_attribute(item, "pk").to_owned(),
            cause: Cause::new(format!("{name}: {error}")),
        }),
    };
    Ok(Breaker {
        failures: failures.and_then(|count| count.parse().ok()).unwrap_or(0),
        opened_at: instant("opened_at")?,
        probed_at: instant("probed_at")?,
    })
}

impl Store {
    /// Returns a connection's breaker.
    pub async fn breaker(&self, connection: &ConnectionId) -> Result<Breaker, StoreError> {
        let found = self.get(breaker_pk(connection), BREAKER_SK.into()).await?;
        Ok(found.as_ref().map(from_item).transpose()?.unwrap_or_default())
    }

    /// Counts a failure and returns the number of consecutive failures.
    pub async fn count_failure(&self, connection: &ConnectionId) -> Result<u32, StoreError> {
        let update = self
            .breaker_update(connection)
            .update_expression("ADD failures :one")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", error))?;
        Ok(update.attributes.as_ref().map(from_item).transpose()?.unwrap_or_default().failures)
    }

    /// Resets the failures of a closed breaker to zero.
    pub async fn reset_failures(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        let update = self
            .breaker_update(connection)
            .update_expression("SET failures = :zero")
            .condition_expression("attribute_not_exists(opened_at)")
            .expression_attribute_values(":zero", AttributeValue::N("0".into()));
        apply_if_condition_holds(update).await.map(|_| ())
    }

    /// Opens a closed breaker. Returns whether this call opened it.
    pub async fn open_breaker(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .breaker_update(connection)
            .update_expression("SET opened_at = :now")
            .condition_expression("attribute_not_exists(opened_at)")
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()));
        apply_if_condition_holds(update).await
    }

    /// Records that an open breaker is probed now. Returns whether it may be: it is the same opening, and the last
    /// probe was not after `last`.
    pub async fn record_probe(
        &self,
        connection: &ConnectionId,
        opened_at: Timestamp,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let probe_time = |at| AttributeValue::S(time::format_rfc3339_millis(at));
        let update = self
            .breaker_update(connection)
            .update_expression("SET probed_at = :now")
            .condition_expression(
                "opened_at = :opened AND (attribute_not_exists(probed_at) OR probed_at <= :last)",
            )
            .expression_attribute_values(":opened", AttributeValue::S(opened_at.to_string()))
            .expression_attribute_values(":last", probe_time(last))
            .expression_attribute_values(":now", probe_time(now));
        apply_if_condition_holds(update).await
    }

    /// Closes an open breaker. Returns whether this call closed it.
    pub async fn close_breaker(&self, connection: &ConnectionId) -> Result<bool, StoreError> {
        let update = self
            .breaker_update(connection)
            .update_expression("SET failures = :zero REMOVE opened_at, probed_at")
            .condition_expression("attribute_exists(opened_at)")
            .expression_attribute_values(":zero", AttributeValue::N("0".into()));
        apply_if_condition_holds(update).await
    }

    fn breaker_update(&self, connection: &ConnectionId) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(breaker_pk(connection)))
            .key("sk", AttributeValue::S(BREAKER_SK.into()))
    }
}

/// Sends an update and returns whether its condition held.
async fn apply_if_condition_holds(update: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(unavailable("UpdateItem", error)),
        },
    }
}
