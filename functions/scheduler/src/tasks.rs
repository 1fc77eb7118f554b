//! Scheduled tasks. A task that sends something becomes a job in the queue of its leg, because only the
//! leg's worker may send.

use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::{
    ConnectionId, DrainReason, Job, LegId, PlatformId, ScheduledTask, next_probe,
};
use trunkline_runtime::app::App;
use trunkline_runtime::listener;
use trunkline_runtime::queue::QueueError;

use crate::{SchedulerError, timers};

/// Number of legs that one task releases.
const LEGS_PER_TASK: u16 = 100;
/// Number of legs that probes rotate through, so that one poisoned leg does not keep the breaker open.
const PROBE_ROTATION: u16 = 20;
/// Minimum time between two probes of a connection.
const MIN_PROBE_INTERVAL: SignedDuration = SignedDuration::from_secs(4);
/// A task that arrives less than this before its time runs at once.
const EARLY_TOLERANCE: SignedDuration = SignedDuration::from_millis(500);

/// Runs a task, or schedules it again if it is not due yet.
pub async fn run_task(app: &App, task: ScheduledTask) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    if task.at().is_some_and(|at| at > now + EARLY_TOLERANCE) {
        app.queues.schedule(&task, now).await?;
        return Ok(());
    }
    match task {
        ScheduledTask::DrainLeg { platform, leg, .. } => {
            enqueue_drain(app, platform, leg, DrainReason::Due).await
        }
        ScheduledTask::Probe {
            platform, connection, opened_at, previous_probes: round, ..
        } => probe(app, platform, connection, opened_at, round).await,
        ScheduledTask::ReleaseParked { platform, connection, after_group: after, .. } => {
            release_parked(app, platform, connection, after).await
        }
        ScheduledTask::Timer { key, timer, .. } => timers::check_timer(app, key, timer).await,
        ScheduledTask::CheckBotDown { leg, .. } => timers::check_bot_outage(app, leg).await,
        ScheduledTask::EnsureListener { platform, .. } => Ok(listener::check(app, platform).await?),
        ScheduledTask::ReleaseHeld { platform, leg, .. } => {
            enqueue(app, platform, leg.message_group(), Job::ReleaseHeld { leg }).await
        }
        ScheduledTask::RelayFile { platform, id, .. } => {
            enqueue(app, platform, id.message_group(), Job::RelayFile { id }).await
        }
    }
}

/// Probes an open breaker: sends the first delivery of one leg, and schedules the next probe.
async fn probe(
    app: &App,
    platform: PlatformId,
    connection: ConnectionId,
    opened_at: Timestamp,
    round: u32,
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let breaker = app.store.breaker(&connection).await?;
    // Deduplicates probe chains: if there are two for the same opening, one stops here.
    let recently_probed = breaker.probed_at.is_some_and(|probed| probed > now - MIN_PROBE_INTERVAL);
    if breaker.opened_at != Some(opened_at) || recently_probed {
        return Ok(());
    }
    // Schedule the next probe first: a crash during this one must not end the chain.
    let next = ScheduledTask::Probe {
        platform,
        connection: connection.clone(),
        opened_at,
        previous_probes: round.wrapping_add(1),
        at: next_probe(opened_at, now),
    };
    app.queues.schedule(&next, now).await?;
    app.store.record_probe(&connection, now).await?;
    let mut legs = app.store.parked_legs(&connection, None, PROBE_ROTATION).await?;
    if legs.is_empty() {
        return Ok(());
    }
    let turn = usize::try_from(round).unwrap_or(0) % legs.len();
    enqueue_drain(app, platform, legs.swap_remove(turn).leg, DrainReason::Probe).await
}

/// Releases the parked deliveries of a connection's legs, page by page.
async fn release_parked(
    app: &App,
    platform: PlatformId,
    connection: ConnectionId,
    after: Option<String>,
) -> Result<(), SchedulerError> {
    let legs = app.store.parked_legs(&connection, after.as_deref(), LEGS_PER_TASK).await?;
    let last = legs.last().map(|parked| parked.leg.message_group());
    let is_full = legs.len() == usize::from(LEGS_PER_TASK);
    for parked in legs {
        enqueue_drain(app, platform, parked.leg, DrainReason::Released).await?;
    }
    if is_full {
        let rest =
            ScheduledTask::ReleaseParked { platform, connection, at: None, after_group: last };
        app.queues.schedule(&rest, app.clock.now()).await?;
    }
    Ok(())
}

pub(crate) async fn enqueue_drain(
    app: &App,
    platform: PlatformId,
    leg: LegId,
    reason: DrainReason,
) -> Result<(), SchedulerError> {
    enqueue(app, platform, leg.message_group(), Job::Drain { leg, reason }).await
}

/// Queues a job for a platform's worker. If the stack does not have the platform, the job is dropped, because
/// repeating it would delay the others: deliveries stay parked until the platform is deployed again.
pub(crate) async fn enqueue(
    app: &App,
    platform: PlatformId,
    group: String,
    job: Job,
) -> Result<(), SchedulerError> {
    let id = app.ids.next(app.clock.now());
    match app.queues.enqueue(platform, group, id, &job).await {
        Err(error @ QueueError::NotDeployed(_)) => {
            tracing::warn!(%error, "a job was dropped");
            Ok(())
        }
        sent => Ok(sent?),
    }
}
