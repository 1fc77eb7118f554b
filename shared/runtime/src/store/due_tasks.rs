//! Tasks that wait in the table until the minute's tick sends them to their queue.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use trunkline_core::model::{ScheduledTask, digest};

use super::item::{item, key, read, string_attribute};
use super::keys::{due_pk, due_sk_after, time_sk};
use super::{Store, StoreError, unavailable};

/// Number of partitions of the waiting tasks, so that one partition's write rate does not limit them.
pub const DUE_PARTITIONS: u8 = 8;

/// Number of tasks that one query reads.
const PAGE: i32 = 100;

/// A task that waits in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTask {
    pub task: ScheduledTask,
    partition: u8,
    sort_key: String,
}

impl Store {
    /// Stores a task until its time, or until the next tick if it has none. Idempotent.
    pub async fn put_due_task(
        &self,
        task: &ScheduledTask,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut item = item(String::new(), String::new(), task)?;
        let id = digest(&[string_attribute(&item, "json")]);
        let partition = id.bytes().next().unwrap_or_default() % DUE_PARTITIONS;
        item.extend(key(due_pk(partition), time_sk(task.at().unwrap_or(now), &id)));
        self.put(item).await
    }

    /// Returns tasks of a partition whose time is not after `until`, the earliest first, and the sort key after which
    /// the next call continues; `None` if there are no more. A task that cannot be read stays where it is.
    pub async fn due_tasks(
        &self,
        partition: u8,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<(Vec<DueTask>, Option<String>), StoreError> {
        let pk = due_pk(partition);
        let output = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk AND sk < :end")
            .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
            .expression_attribute_values(":end", AttributeValue::S(due_sk_after(until)))
            .set_exclusive_start_key(after.map(|sk| key(pk, sk)))
            .limit(PAGE)
            .send()
            .await
            .map_err(|error| unavailable("Query", error))?;
        let task = |item| match read(item) {
            Ok(task) => {
                let sort_key = string_attribute(item, "sk").to_owned();
                Some(DueTask { task, partition, sort_key })
            }
            Err(error) => {
                tracing::error!(%error, "a waiting task cannot be read");
                None
            }
        };
        let tasks = output.items().iter().filter_map(task).collect();
        let next = output.last_evaluated_key().map(|last| string_attribute(last, "sk").to_owned());
        Ok((tasks, next))
    }

    /// Removes a task that was sent.
    pub async fn remove_due_task(&self, sent: &DueTask) -> Result<(), StoreError> {
        self.delete(due_pk(sent.partition), sent.sort_key.clone()).await.map(|_| ())
    }
}
