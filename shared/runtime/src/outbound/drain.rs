//! Sends the parked deliveries of a leg, in order. The job is in the leg's message group, so later
//! deliveries cannot overtake it.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::attempt::attempt;
use super::deliver::schedule_drain;
use super::record_outcome::{NextStep, record_outcome};
use super::relayed_files::{self, Prepared, waits_for_file};
use super::{Budget, Outbound, OutboundError, bot_watchdog, breaker};
use crate::app::App;
use crate::schedule::schedule;
use trunkline_core::model::{
    Delivery, DrainReason, Job, Leg, LegId, Outcome, Parked, PlatformId, ScheduledTask, Verdict,
};

/// How many parked deliveries one query reads.
const PAGE_SIZE: u16 = 25;

/// What the drain does after one delivery.
enum Step {
    /// Continues with the next delivery, on the leg as it is now.
    Continue(Leg),
    /// Stops until the next drain job.
    Stop,
}

/// Sends the parked deliveries of a leg until none is left, one must wait, or the time is up.
pub(super) async fn drain<P: Outbound>(
    app: &App,
    platform: &P,
    id: &LegId,
    cause: DrainReason,
    budget: Budget,
) -> Result<(), OutboundError> {
    let mut leg = app.store.leg(id).await?;
    while leg.parked > 0 {
        let page = app.store.parked(id, None, PAGE_SIZE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for parked in page {
            if budget.is_spent(app) {
                return continue_later(app, P::SPEC.id, id).await;
            }
            match drain_one(app, platform, leg, &parked, cause).await? {
                Step::Continue(after) => leg = after,
                Step::Stop => return Ok(()),
            }
        }
    }
    Ok(())
}

/// Sends one parked delivery, unless it must wait.
async fn drain_one<P: Outbound>(
    app: &App,
    platform: &P,
    leg: Leg,
    parked: &Parked,
    cause: DrainReason,
) -> Result<Step, OutboundError> {
    let delivery = &parked.delivery;
    let now = app.clock.now();
    // The previous worker may have crashed after recording the outcome.
    let outcome = app.store.outcome(delivery).await?;
    if outcome.is_some_and(|outcome| outcome.verdict.is_final()) {
        return Ok(Step::Continue(app.store.unpark(&leg, parked, now).await?));
    }
    let breaker = app.store.breaker(&leg.id.connection).await?;
    // After a successful probe the breaker is closed, and the rest of the leg is drained.
    let probe = cause == DrainReason::Probe && breaker.is_open();
    if breaker.is_open() && !probe {
        return Ok(Step::Stop);
    }
    // The job that has just fetched a file drains the leg before the delivery looks at the file again.
    let must_wait = cause == DrainReason::Due && !waits_for_file(parked);
    if let Some(due) = parked.next_attempt_at.filter(|due| must_wait && *due > now) {
        // The scheduled drain may be pending, or its worker may have crashed before scheduling it.
        schedule_drain(app, delivery, due).await?;
        return Ok(Step::Stop);
    }
    let loaded = app.config_cache.own_connection(&leg.id.connection, now).await?;
    let connection = loaded.as_ref().map(|loaded| &*loaded.connection);
    if connection.is_some_and(|connection| connection.suspended) {
        return Ok(Step::Stop);
    }
    let Some(sendable) = with_files(app, parked).await? else { return Ok(Step::Stop) };
    let (leg, attempted) = attempt(app, platform, loaded.as_ref(), leg, &sendable).await?;
    if probe && !attempted.classification.verdict.is_final() {
        // The connection is still down. That must not count as an attempt of the delivery.
        return Ok(Step::Stop);
    }
    // A delivery that was not sent proves nothing about the connection.
    if let Some(connection) = connection.filter(|_| probe && attempted.status.is_some()) {
        breaker::close(app, connection).await?;
    }
    let attempts = parked.attempts + 1;
    // A parked delivery is in no queue.
    let queue_age = SignedDuration::ZERO;
    match record_outcome(app, connection, &breaker, delivery, attempted, attempts, queue_age)
        .await?
    {
        NextStep::Settled => Ok(Step::Continue(app.store.unpark(&leg, parked, now).await?)),
        NextStep::Retry { due, reason } => {
            if waits_for_file(parked) {
                // Parking it for its file did not start the watch.
                bot_watchdog::schedule_check(app, delivery, now).await?;
            }
            wait(app, Parked { attempts, reason, ..parked.clone() }, due).await?;
            Ok(Step::Stop)
        }
    }
}

/// Returns a parked delivery in the form in which it is sent now. `None`: it waits for its files.
async fn with_files<'a>(
    app: &App,
    parked: &'a Parked,
) -> Result<Option<Cow<'a, Delivery>>, OutboundError> {
    match relayed_files::prepare(app, &parked.delivery).await? {
        Prepared::Unchanged => Ok(Some(Cow::Borrowed(&parked.delivery))),
        Prepared::Changed(changed) => Ok(Some(Cow::Owned(*changed))),
        Prepared::Waiting(until) => {
            let reason = relayed_files::WAITING.to_owned();
            wait(app, Parked { reason, ..parked.clone() }, until).await?;
            Ok(None)
        }
    }
}

/// Keeps a delivery parked until `due`.
async fn wait(app: &App, parked: Parked, due: Timestamp) -> Result<(), OutboundError> {
    let parked = Parked { next_attempt_at: Some(due), ..parked };
    let delivery = &parked.delivery;
    app.store.update_parked(&delivery.leg(), &parked).await?;
    schedule_drain(app, delivery, due).await?;
    app.store.put_outcome(delivery, &parked.outcome(app.clock.now())).await?;
    Ok(())
}

/// Discards a parked delivery on an operator's request.
pub(super) async fn discard(app: &App, id: &LegId, seq: u64) -> Result<(), OutboundError> {
    let leg = app.store.leg(id).await?;
    let Some(parked) = app.store.parked_at(id, seq).await? else { return Ok(()) };
    let now = app.clock.now();
    let outcome = Outcome { verdict: Verdict::Discarded, ..parked.outcome(now) };
    app.store.put_outcome(&parked.delivery, &outcome).await?;
    let after = app.store.unpark(&leg, &parked, now).await?;
    if after.parked > 0 {
        schedule_drain(app, &parked.delivery, now).await?;
    }
    Ok(())
}

/// Queues another drain job for the rest, or schedules it where the chain of jobs is long.
async fn continue_later(app: &App, platform: PlatformId, leg: &LegId) -> Result<(), OutboundError> {
    if app.queues.chain().is_long() {
        let at = app.clock.now();
        let task = ScheduledTask::DrainLeg { platform, leg: leg.clone(), at };
        return Ok(schedule(app, &task).await?);
    }
    let job = Job::Drain { leg: leg.clone(), reason: DrainReason::Due };
    let id = app.ids.next(app.clock.now());
    app.queues.enqueue(platform, leg.message_group(), id, &job).await?;
    Ok(())
}
