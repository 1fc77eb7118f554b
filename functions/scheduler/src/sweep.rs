//! Looks after parked deliveries once a minute: sends the next minute's probes to connections whose breaker is open,
//! and drains legs whose scheduled task was lost. Tasks are scheduled before a message is acknowledged, so that
//! happens only if SQS itself loses one.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::{ConnectionId, DrainReason, Reactivation, ScheduledTask};
use trunkline_runtime::app::App;
use trunkline_runtime::store::ParkedLeg;
use trunkline_runtime::telemetry;

use crate::SchedulerError;
use crate::concurrently::run_all;
use crate::tasks::enqueue_drain;

/// A delivery is overdue when its time passed this long ago.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Maximum number of legs of a connection that one sweep checks.
const MAX_LEGS: u16 = 500;
/// The time that a tick schedules probes for: until the next one.
const PROBED_TIME: SignedDuration = SignedDuration::from_mins(1);
/// How many connections, and legs of a connection, are checked at the same time.
const CONCURRENCY: usize = 16;
/// The checks stop after this time. The next tick continues.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// Checks every connection with parked deliveries, and records their number as a metric before that.
///
/// # Errors
/// If the table or a queue does not answer. Each connection is checked nevertheless.
pub async fn sweep(app: &App) -> Result<(), SchedulerError> {
    let connections = app.store.connections_with_parked().await?;
    let parked = stream::iter(connections).map(|connection| async {
        let legs = app.store.parked_legs(&connection, None, MAX_LEGS).await?;
        let count = app.store.count_parked(&legs).await?;
        Ok::<_, SchedulerError>((connection, legs, count))
    });
    let parked: Vec<_> = parked.buffer_unordered(CONCURRENCY).collect().await;
    let counted = parked.iter().filter_map(|found| found.as_ref().ok());
    telemetry::record_waiting(app.clock.now(), counted.map(|(_, _, count)| count).sum());
    let checks = parked.into_iter().map(|found| async {
        let (connection, legs, _) = found?;
        check_connection(app, &connection, legs).await
    });
    if let Ok(checked) = tokio::time::timeout(TIME_LIMIT, run_all(CONCURRENCY, checks)).await {
        return checked;
    }
    tracing::warn!("more legs are parked than a tick checks: the next one continues");
    Ok(())
}

async fn check_connection(
    app: &App,
    connection: &ConnectionId,
    legs: Vec<ParkedLeg>,
) -> Result<(), SchedulerError> {
    let Some(first) = legs.first() else { return Ok(()) };
    let breaker = app.store.breaker(connection).await?;
    if let Some(opened_at) = breaker.opened_at {
        return schedule_probes(app, connection, opened_at, first).await;
    }
    let drains = legs.into_iter().map(|parked| drain_if_overdue(app, parked));
    run_all(CONCURRENCY, drains).await
}

/// Sends the next minute's probes. They are no chain of messages, of which each would send the next.
async fn schedule_probes(
    app: &App,
    connection: &ConnectionId,
    opened_at: Timestamp,
    first: &ParkedLeg,
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let configured = app.config_cache.connection(connection, now).await?;
    if configured.is_some_and(|c| c.delivery.reactivation == Reactivation::Manual) {
        return Ok(());
    }
    let probes = ScheduledTask::probes(first.platform, connection, opened_at, now, PROBED_TIME);
    Ok(app.queues.send_tasks(&probes, now).await?)
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
