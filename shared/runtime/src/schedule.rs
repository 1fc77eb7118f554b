//! Schedules tasks: the next minutes' as delayed messages, later ones in the table.

use crate::app::App;
use crate::error::BackendError;
use crate::queue::MAX_DELAY;
use trunkline_core::model::ScheduledTask;

/// Schedules a task. It waits in the table if it is further ahead than SQS delays a message, or if the chain of messages
/// that led to it is long: the minute's tick then sends it, and starts a new chain.
///
/// # Errors
/// If the table or the queue of tasks does not answer. Scheduling a task again is safe.
pub async fn schedule(app: &App, task: &ScheduledTask) -> Result<(), BackendError> {
    let now = app.clock.now();
    let is_late = task.at().is_some_and(|at| at > now + MAX_DELAY);
    if is_late || app.queues.chain().is_long() {
        app.store.put_due_task(task, now).await?;
    } else {
        app.queues.send_task(task, now).await?;
    }
    Ok(())
}
