//! Sends the tasks that wait in the table to their queue, shortly before their time. The tick does it, so each of
//! them starts a new chain of messages.

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::ScheduledTask;
use trunkline_runtime::app::App;
use trunkline_runtime::store::DUE_PARTITIONS;

use crate::SchedulerError;
use crate::concurrently::run_all;

/// How far ahead of its time a task is sent: the next tick comes before that, even if it is late.
const AHEAD: SignedDuration = SignedDuration::from_secs(90);
/// How many tasks are removed at the same time.
const CONCURRENCY: usize = 25;
/// The tick stops after this time. The next one continues.
const TIME_LIMIT: SignedDuration = SignedDuration::from_secs(8);

/// Sends every task that is due before the next tick.
///
/// # Errors
/// If the table or the queue of tasks does not answer. A task that was sent and not removed is sent again, which is
/// safe.
pub async fn send_due_tasks(app: &App) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let partitions = (0..DUE_PARTITIONS).map(|partition| send_partition(app, partition, now));
    try_join_all(partitions).await.map(|_| ())
}

async fn send_partition(app: &App, partition: u8, now: Timestamp) -> Result<(), SchedulerError> {
    let mut after = None;
    while app.clock.now() < now + TIME_LIMIT {
        let until = now + AHEAD;
        let (due, next) = app.store.due_tasks(partition, until, after.as_deref()).await?;
        let tasks: Vec<ScheduledTask> = due.iter().map(|due| due.task.clone()).collect();
        app.queues.send_tasks(&tasks, app.clock.now()).await?;
        run_all(CONCURRENCY, due.iter().map(|sent| app.store.remove_due_task(sent))).await?;
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
    tracing::warn!(partition, "more tasks are due than a tick sends: the next one continues");
    Ok(())
}
