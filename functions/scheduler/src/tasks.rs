//! Scheduled tasks. A task that sends something becomes a job in the queue of its leg, because only the
//! leg's worker may send.

use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::{ConnectionId, DrainReason, Job, LegId, PlatformId, ScheduledTask};
use trunkline_runtime::app::App;
use trunkline_runtime::listener;
use trunkline_runtime::queue::{QueueError, QueueMessage};
use trunkline_runtime::schedule::schedule;
use trunkline_runtime::store::ParkedLeg;

use crate::{SchedulerError, timers};

/// Number of legs that are released with one read.
const LEGS_PER_PAGE: u16 = 100;
/// Number of pages that one task releases.
const PAGES_PER_TASK: usize = 10;
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
        return Ok(schedule(app, &task).await?);
    }
    match task {
        ScheduledTask::DrainLeg { platform, leg, .. } => {
            enqueue_drain(app, platform, leg, DrainReason::Due).await
        }
        ScheduledTask::Probe { platform, connection, opened_at, number, .. } => {
            probe(app, platform, connection, opened_at, number).await
        }
        ScheduledTask::ReleaseParked { platform, connection, after_group: after, .. } => {
            release_parked(app, platform, connection, after).await
        }
        ScheduledTask::Timer { key, timer, .. } => timers::check_timer(app, key, timer).await,
        ScheduledTask::CheckBotDown { leg, .. } => timers::check_bot_outage(app, leg).await,
        ScheduledTask::EnsureListener { platform, .. } => Ok(listener::check(app, platform).await?),
        ScheduledTask::SucceedListener { platform, predecessor, .. } => {
            Ok(listener::start_successor(app, platform, predecessor).await?)
        }
        ScheduledTask::ReleaseHeld { platform, leg, .. } => {
            enqueue(app, platform, leg.message_group(), Job::ReleaseHeld { leg }).await
        }
        ScheduledTask::RelayFile { platform, id, .. } => {
            enqueue(app, platform, id.message_group(), Job::RelayFile { id }).await
        }
    }
}

/// Probes an open breaker: sends the first delivery of one leg.
async fn probe(
    app: &App,
    platform: PlatformId,
    connection: ConnectionId,
    opened_at: Timestamp,
    number: u32,
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    // A worker and the tick can send the same probe.
    let last = now - MIN_PROBE_INTERVAL;
    if !app.store.record_probe(&connection, opened_at, last, now).await? {
        return Ok(());
    }
    let mut legs = app.store.parked_legs(&connection, None, PROBE_ROTATION).await?;
    if legs.is_empty() {
        return Ok(());
    }
    let turn = usize::try_from(number).unwrap_or(0) % legs.len();
    enqueue_drain(app, platform, legs.swap_remove(turn).leg, DrainReason::Probe).await
}

/// Releases the parked deliveries of a connection's legs, page by page.
async fn release_parked(
    app: &App,
    platform: PlatformId,
    connection: ConnectionId,
    mut after: Option<String>,
) -> Result<(), SchedulerError> {
    for _ in 0..PAGES_PER_TASK {
        let legs = app.store.parked_legs(&connection, after.as_deref(), LEGS_PER_PAGE).await?;
        let is_full = legs.len() == usize::from(LEGS_PER_PAGE);
        after = legs.last().map(|parked| parked.leg.message_group());
        enqueue_drains(app, platform, legs).await?;
        if !is_full {
            return Ok(());
        }
    }
    let rest = ScheduledTask::ReleaseParked { platform, connection, at: None, after_group: after };
    Ok(schedule(app, &rest).await?)
}

/// Queues a drain of each leg, ten in a call.
async fn enqueue_drains(
    app: &App,
    platform: PlatformId,
    legs: Vec<ParkedLeg>,
) -> Result<(), SchedulerError> {
    let messages = legs.into_iter().map(|parked| {
        let (group, id) = (parked.leg.message_group(), app.ids.next(app.clock.now()));
        let job = Job::Drain { leg: parked.leg, reason: DrainReason::Released };
        QueueMessage::new(platform, group, id, &job)
    });
    let messages = messages.collect::<Result<Vec<_>, QueueError>>()?;
    unless_not_deployed(app.queues.send_all(messages).await)
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
    unless_not_deployed(app.queues.enqueue(platform, group, id, &job).await)
}

fn unless_not_deployed(sent: Result<(), QueueError>) -> Result<(), SchedulerError> {
    match sent {
        Err(error @ QueueError::NotDeployed(_)) => {
            tracing::warn!(%error, "a job was dropped");
            Ok(())
        }
        sent => Ok(sent?),
    }
}
