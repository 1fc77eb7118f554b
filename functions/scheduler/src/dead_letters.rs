//! Dead letters: stored in the table with their reason, from where an operator can redrive them.

use trunkline_core::model::{ConnectionId, DeadLetter, Job, PlatformId, time};
use trunkline_runtime::alerts::{self, Alert};
use trunkline_runtime::app::App;
use trunkline_runtime::queue::DeadMessage;
use trunkline_runtime::telemetry;

use crate::SchedulerError;
use crate::concurrently::run_all;

/// Stores the messages of a platform's dead-letter queue in the table, until the queue is empty. Returns their number.
///
/// # Errors
/// If the table or the queue does not answer. The message stays in the queue.
pub(crate) async fn store_all(app: &App, platform: PlatformId) -> Result<u64, SchedulerError> {
    let mut stored = 0;
    loop {
        let messages = app.queues.receive_dead_letters(platform).await?;
        if messages.is_empty() {
            return Ok(stored);
        }
        let work = messages.iter().map(|message| store(app, platform, message));
        run_all(messages.len(), work).await?;
        stored += messages.len() as u64;
    }
}

/// Stores a dead letter, and then deletes it from its queue. Storing it twice overwrites the same item.
async fn store(
    app: &App,
    platform: PlatformId,
    message: &DeadMessage,
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let reason = message.reason.clone().unwrap_or_else(|| {
        "the worker crashed, or could not reach the table, each time that it received the message".into()
    });
    let sent_at = time::format_rfc3339_millis(message.sent_at.unwrap_or(now));
    let letter = DeadLetter {
        id: format!("{sent_at}#{}", message.id),
        platform,
        at: now,
        reason: reason.clone(),
        group: message.group.clone(),
        body: message.body.clone(),
    };
    app.store.put_dead_letter(&letter).await?;
    app.queues.delete_dead_letter(platform, message).await?;
    telemetry::record_dead_letter(now, platform);
    tracing::error!(id = letter.id, %platform, reason, "dead letter stored: see `trunkline deliveries --dead`");
    if let Some(connection) = connection_of(&letter) {
        alerts::notify(app, &connection, &Alert::dead_letter(&letter)).await;
    }
    Ok(())
}

/// Returns the connection of the job; if the job does not name one or is unreadable, the platform's name instead.
fn connection_of(letter: &DeadLetter) -> Option<ConnectionId> {
    let connection = match serde_json::from_str(&letter.body) {
        Ok(Job::Deliver(delivery)) => delivery.to.connection,
        Ok(
            Job::Drain { leg, .. }
            | Job::Discard { leg, .. }
            | Job::ReleaseHeld { leg }
            | Job::BindSession { leg, .. },
        ) => leg.connection,
        Ok(
            Job::Verify { connection, .. }
            | Job::FixRegistration { connection, .. }
            | Job::ReconcileRegistration { connection },
        ) => connection,
        Ok(Job::RelayFile { .. }) | Err(_) => letter.platform.as_str().parse().ok()?,
    };
    Some(connection)
}
