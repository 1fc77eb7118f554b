//! Recovers lost tasks, once a minute: a parked delivery whose scheduled task was lost gets a new one. Tasks
//! are scheduled before a message is acknowledged, so this is only for tasks that SQS itself loses.

use jiff::SignedDuration;
use trunkline_core::model::{ConnectionId, DrainReason, Reactivation, ScheduledTask};
use trunkline_runtime::app::App;
use trunkline_runtime::store::ParkedLeg;
use trunkline_runtime::telemetry;

use crate::SchedulerError;
use crate::tasks::enqueue_drain;

/// A delivery is overdue when its time passed this long ago.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Maximum number of legs of a connection that one sweep checks.
const MAX_LEGS: u16 = 500;

/// Checks every connection with parked deliveries, and records their number as a metric.
pub async fn sweep(app: &App) -> Result<(), SchedulerError> {
    let mut parked_count = 0;
    for connection in app.store.connections_with_parked().await? {
        let legs = app.store.parked_legs(&connection, None, MAX_LEGS).await?;
        parked_count += app.store.count_parked(&legs).await?;
        if legs.is_empty() {
            continue;
        }
        let breaker = app.store.breaker(&connection).await?;
        if let Some(opened_at) = breaker.opened_at {
            reschedule_probe(app, &connection, opened_at, breaker.probed_at, &legs).await?;
            continue;
        }
        for parked in legs {
            drain_if_overdue(app, parked).await?;
        }
    }
    telemetry::record_waiting(app.clock.now(), parked_count);
    Ok(())
}

async fn reschedule_probe(
    app: &App,
    connection: &ConnectionId,
    opened_at: jiff::Timestamp,
    probed_at: Option<jiff::Timestamp>,
    legs: &[ParkedLeg],
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let configured = app.config_cache.connection(connection, now).await?;
    let manual = configured.is_some_and(|c| c.delivery.reactivation == Reactivation::Manual);
    let Some(first) = legs.first().filter(|_| !manual) else { return Ok(()) };
    if probed_at.unwrap_or(opened_at) < now - OVERDUE_AFTER {
        let (platform, connection) = (first.platform, connection.clone());
        let task =
            ScheduledTask::Probe { platform, connection, opened_at, previous_probes: 0, at: now };
        app.queues.schedule(&task, now).await?;
    }
    Ok(())
}

async fn drain_if_overdue(app: &App, parked: ParkedLeg) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let first = app.store.parked(&parked.leg, None, 1).await?.into_iter().next();
    let due = first.map(|first| first.next_attempt_at.unwrap_or(first.parked_at));
    if due.is_some_and(|due| due < now - OVERDUE_AFTER) {
        enqueue_drain(app, parked.platform, parked.leg, DrainReason::Released).await?;
    }
    Ok(())
}
