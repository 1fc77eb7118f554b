//! Sends a delivery from the queue, or parks it if it cannot be sent now.

use jiff::Timestamp;

use super::attempt::attempt;
use super::record_outcome::{NextStep, log_details, record_outcome};
use super::relayed_files::{self, Prepared};
use super::{Outbound, OutboundError, Receipt, bot_watchdog};
use crate::alerts::{self, Alert};
use crate::app::App;
use crate::schedule::schedule;
use crate::store::ParkResult;
use crate::telemetry::{self, Metric};
use trunkline_core::model::{Delivery, Leg, Parked, Resend, ScheduledTask, Verdict};

/// Why a delivery is parked while an operator has suspended its connection.
const SUSPENDED: &str = "its connection is suspended";

/// Processes a delivery. `known` is the leg as it is now, if the worker knows it, and afterwards again.
pub(super) async fn deliver<P: Outbound>(
    app: &App,
    platform: &P,
    delivery: &Delivery,
    receipt: Receipt,
    known: &mut Option<Leg>,
) -> Result<(), OutboundError> {
    let known_before = known.take();
    let mut attempts = 0;
    // A delivery that is received for the first time has no outcome yet: only others need this read.
    if (receipt.times > 1 || delivery.resend != Resend::No)
        && let Some(outcome) = app.store.outcome(delivery).await?
    {
        let replayed = delivery.resend == Resend::ByOperator && outcome.verdict.can_be_replayed();
        if outcome.verdict.is_final() && !replayed {
            return Ok(());
        }
        if outcome.verdict == Verdict::Parked {
            // The worker that parked this may have crashed before scheduling the drain.
            return schedule_drain(app, delivery, app.clock.now()).await;
        }
        attempts = if replayed { 0 } else { outcome.attempts };
    }
    let (id, now) = (&delivery.to.connection, app.clock.now());
    let (leg, breaker) = match known_before {
        Some(leg) => (leg, app.config_cache.breaker(id, now).await?),
        None => app.config_cache.leg_and_breaker(&delivery.leg(), now).await?,
    };
    if leg.parked > 0 {
        let reason = "an earlier delivery is parked";
        return park(app, &leg, delivery, receipt, attempts, None, reason).await;
    }
    if breaker.is_open() {
        let reason = "its connection's breaker is open";
        park(app, &leg, delivery, receipt, attempts, None, reason).await?;
        // If the breaker closed just now, its release may have missed this leg.
        if !app.store.breaker(&delivery.to.connection).await?.is_open() {
            schedule_drain(app, delivery, app.clock.now()).await?;
        }
        return Ok(());
    }
    let loaded = app.config_cache.own_connection(id, now).await?;
    let connection = loaded.as_ref().map(|loaded| &*loaded.connection);
    if connection.is_some_and(|connection| connection.suspended) {
        return park(app, &leg, delivery, receipt, attempts, None, SUSPENDED).await;
    }
    let prepared = relayed_files::prepare(app, delivery).await?;
    let sendable = match &prepared {
        Prepared::Unchanged => delivery,
        Prepared::Changed(changed) => changed,
        Prepared::Waiting(until) => {
            return park_until_file_is_ready(app, &leg, delivery, attempts, *until).await;
        }
    };
    let (leg, attempted) = attempt(app, platform, loaded.as_ref(), leg, sendable).await?;
    let attempts = attempts + 1;
    let queue_age = receipt.queue_age;
    match record_outcome(app, connection, &breaker, delivery, attempted, attempts, queue_age)
        .await?
    {
        NextStep::Settled => {
            *known = Some(leg);
            Ok(())
        }
        NextStep::Retry { due, reason } => {
            park(app, &leg, delivery, receipt, attempts, Some(due), &reason).await
        }
    }
}

/// Parks a delivery behind those that are parked on its leg, and schedules a drain if it is due at a time.
async fn park(
    app: &App,
    leg: &Leg,
    delivery: &Delivery,
    receipt: Receipt,
    attempts: u32,
    due: Option<Timestamp>,
    reason: &str,
) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let parked = Parked {
        seq: leg.next_seq,
        delivery: delivery.clone(),
        parked_at: now,
        next_attempt_at: due,
        attempts,
        reason: reason.to_owned(),
    };
    if leg.parked == 0 {
        bot_watchdog::schedule_check(app, delivery, now).await?;
    }
    let result = app.store.park(leg, &parked, now).await?;
    match (due, result) {
        (Some(due), _) => schedule_drain(app, delivery, due).await?,
        // The worker that parked this may have crashed before scheduling the drain.
        (None, ParkResult::AlreadyParked) => schedule_drain(app, delivery, now).await?,
        (None, ParkResult::Parked) => {}
    }
    app.store.put_outcome(delivery, &parked.outcome(now)).await?;
    if result == ParkResult::Parked {
        let connection = app.config_cache.connection(&delivery.to.connection, now).await?;
        if let Some(connection) = &connection {
            telemetry::record(
                now,
                Metric::Parked,
                connection,
                log_details(delivery, receipt.queue_age),
            );
        }
        if leg.parked == 0 {
            let alert = Alert::parked(delivery, attempts, reason);
            alerts::notify(app, &delivery.to.connection, &alert).await;
        }
    }
    Ok(())
}

/// Parks a delivery, which keeps its place on the leg, until its files were looked at again. The connection
/// has not failed, so neither the breaker nor operators hear of it.
async fn park_until_file_is_ready(
    app: &App,
    leg: &Leg,
    delivery: &Delivery,
    attempts: u32,
    until: Timestamp,
) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let parked = Parked {
        seq: leg.next_seq,
        delivery: delivery.clone(),
        parked_at: now,
        next_attempt_at: Some(until),
        attempts,
        reason: relayed_files::WAITING.to_owned(),
    };
    app.store.park(leg, &parked, now).await?;
    schedule_drain(app, delivery, until).await?;
    app.store.put_outcome(delivery, &parked.outcome(now)).await?;
    Ok(())
}

/// Schedules a drain of the delivery's leg.
pub(super) async fn schedule_drain(
    app: &App,
    delivery: &Delivery,
    at: Timestamp,
) -> Result<(), OutboundError> {
    Ok(schedule(app, &ScheduledTask::drain_leg(delivery, at)).await?)
}
