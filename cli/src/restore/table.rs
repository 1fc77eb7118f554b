//! The calls of DynamoDB that a copy needs.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeySchemaElement, KeyType, KeysAndAttributes, TableDescription, TableStatus,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use trunkline_runtime::error::Cause;

use super::error::RestoreError;
use super::item::{Item, Key, number};

/// The most keys that `BatchGetItem` accepts.
const BATCH: usize = 100;
/// How many batches are read at the same time.
const CONCURRENT_BATCHES: usize = 4;
/// How often a batch is sent again for the keys that DynamoDB did not process.
const BATCH_ATTEMPTS: u32 = 10;
/// The longest pause between two attempts of a batch.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A table of DynamoDB.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    pub(super) name: String,
}

/// A part of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Its number, from 0.
    pub(super) number: usize,
    /// The number of segments.
    pub(super) of: usize,
}

/// Items of a table, and the key after which the next page begins; `None` after the last.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    pub(super) last: Option<Key>,
}

impl Table {
    pub(super) fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Returns the table's description.
    pub(super) async fn describe(&self) -> Result<TableDescription, RestoreError> {
        let answer = self.client.describe_table().table_name(&self.name).send().await;
        let no_table = || RestoreError::NoTable(self.name.clone());
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(known) if known.is_resource_not_found_exception() => no_table(),
            _ => self.failed("DescribeTable", error),
        })?;
        answer.table.ok_or_else(no_table)
    }

    /// Returns a page of a segment with at most `limit` items. The restored table does not change, so the read need
    /// not be consistent.
    pub(super) async fn scan(
        &self,
        segment: Segment,
        after: Option<Key>,
        limit: i32,
    ) -> Result<Page, RestoreError> {
        let number = |number| i32::try_from(number).unwrap_or(i32::MAX);
        let answer = self
            .client
            .scan()
            .table_name(&self.name)
            .segment(number(segment.number))
            .total_segments(number(segment.of))
            .set_exclusive_start_key(after.map(|key| key.to_item()))
            .limit(limit)
            .send()
            .await
            .map_err(|error| self.failed("Scan", error))?;
        let last = answer.last_evaluated_key.as_ref().map(Key::of);
        Ok(Page { items: answer.items.unwrap_or_default(), last })
    }

    /// Returns a page of the items with a partition key.
    pub(super) async fn partition(
        &self,
        pk: &str,
        after: Option<Key>,
        limit: i32,
    ) -> Result<Page, RestoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .set_exclusive_start_key(after.map(|key| key.to_item()))
            .limit(limit)
            .send()
            .await
            .map_err(|error| self.failed("Query", error))?;
        let last = answer.last_evaluated_key.as_ref().map(Key::of);
        Ok(Page { items: answer.items.unwrap_or_default(), last })
    }

    /// Returns an item.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, RestoreError> {
        let call = self.client.get_item().table_name(&self.name).set_key(Some(key.to_item()));
        Ok(call.send().await.map_err(|error| self.failed("GetItem", error))?.item)
    }

    /// Returns those of the keys that the table has, each with the item's version (0 if it has none).
    pub(super) async fn existing(&self, keys: &[Key]) -> Result<HashMap<Key, u64>, RestoreError> {
        let batches = keys.chunks(BATCH).map(|batch| self.existing_batch(batch));
        let found: Vec<Vec<(Key, u64)>> =
            stream::iter(batches).buffer_unordered(CONCURRENT_BATCHES).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn existing_batch(&self, keys: &[Key]) -> Result<Vec<(Key, u64)>, RestoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(Key::to_item).collect();
        let mut found = Vec::with_capacity(keys.len());
        for attempt in 0..BATCH_ATTEMPTS {
            let wants = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .projection_expression("pk, sk, #version")
                .expression_attribute_names("#version", "version")
                .consistent_read(true)
                .build()
                .map_err(|error| self.failed("BatchGetItem", error))?;
            let call = self.client.batch_get_item().request_items(&self.name, wants);
            let answer = call.send().await.map_err(|error| self.failed("BatchGetItem", error))?;
            let items = answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default();
            let version = |item: &Item| number(item, "version").unwrap_or_default();
            found.extend(items.iter().map(|item| (Key::of(item), version(item))));
            let rest = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
            wanted = rest.map(|rest| rest.keys).unwrap_or_default();
            if wanted.is_empty() {
                return Ok(found);
            }
            let pause = Duration::from_millis(100) * 2u32.saturating_pow(attempt);
            tokio::time::sleep(pause.min(MAX_PAUSE)).await;
        }
        Err(RestoreError::Overloaded(self.name.clone()))
    }

    /// Writes an item if the table has none with its key, or in any case. Returns whether it was written.
    pub(super) async fn put(&self, item: Item, replace: bool) -> Result<bool, RestoreError> {
        let condition = (!replace).then(|| "attribute_not_exists(pk)".to_owned());
        let call = self.client.put_item().table_name(&self.name).set_item(Some(item));
        match call.set_condition_expression(condition).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(self.failed("PutItem", error)),
            },
        }
    }

    /// Deletes an item.
    pub(super) async fn delete(&self, key: &Key) -> Result<(), RestoreError> {
        let call = self.client.delete_item().table_name(&self.name).set_key(Some(key.to_item()));
        call.send().await.map_err(|error| self.failed("DeleteItem", error))?;
        Ok(())
    }

    fn failed(
        &self,
        call: &'static str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> RestoreError {
        RestoreError::DynamoDb { call, table: self.name.clone(), cause: Cause::sdk(error) }
    }
}

/// Checks that a restored table can be copied into the stack's table.
///
/// # Errors
/// If both are the same, one is not active, or one does not have the keys of Trunkline's table.
pub(super) fn check(from: &TableDescription, into: &TableDescription) -> Result<(), RestoreError> {
    let name = |table: &TableDescription| table.table_name.clone().unwrap_or_default();
    if name(from) == name(into) && from.table_arn == into.table_arn {
        return Err(RestoreError::SameTable(name(from)));
    }
    for table in [from, into] {
        if let Some(status) =
            table.table_status.as_ref().filter(|status| **status != TableStatus::Active)
        {
            let status = status.as_str().to_owned();
            return Err(RestoreError::NotActive { table: name(table), status });
        }
        let has = |key: &str, kind: &KeyType| {
            let same = |element: &&KeySchemaElement| {
                element.attribute_name == key && element.key_type == *kind
            };
            table.key_schema().iter().any(|element| same(&element))
        };
        if !has("pk", &KeyType::Hash) || !has("sk", &KeyType::Range) {
            let keys = table.key_schema().iter().map(|element| element.attribute_name.as_str());
            let keys = keys.collect::<Vec<_>>().join(", ");
            return Err(RestoreError::OtherKey { table: name(table), keys });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, keys: &[(&str, KeyType)]) -> TableDescription {
        let key = |(name, kind): &(&str, KeyType)| {
            let element = KeySchemaElement::builder().attribute_name(*name).key_type(kind.clone());
            element.build().unwrap()
        };
        TableDescription::builder()
            .table_name(name)
            .table_arn(format!("arn:aws:dynamodb:eu-central-1:1:table/{name}"))
            .table_status(TableStatus::Active)
            .set_key_schema(Some(keys.iter().map(key).collect()))
            .build()
    }

    #[test]
    fn only_a_restored_table_of_a_stack_is_accepted() {
        let usual = [("pk", KeyType::Hash), ("sk", KeyType::Range)];
        let own = table("own", &usual);
        assert!(check(&table("restored", &usual), &own).is_ok());
        let mut creating = table("restored", &usual);
        creating.table_status = Some(TableStatus::Creating);
        let swapped = [("sk", KeyType::Hash), ("pk", KeyType::Range)];
        for (from, expected) in [
            (own.clone(), "'own' is the stack's own table"),
            (creating, "has the status CREATING: wait"),
            (table("users", &[("id", KeyType::Hash)]), "the table 'users' has the key id, and"),
            (table("half", &[("pk", KeyType::Hash)]), "the table 'half' has the key pk, and"),
            (table("swapped", &swapped), "the table 'swapped' has the key sk, pk"),
        ] {
            let refused = check(&from, &own).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
