//! A delivery from the queue: sent, or parked where it cannot be.

use jiff::Timestamp;

use super::attempt::attempt;
use super::record_outcome::{Conclusion, about, conclude};
use super::{DispatchError, Outbound, bot_watchdog};
use crate::alerts::{self, Report};
use crate::app::App;
use crate::model::{Delivery, Leg, Parked, Verdict, Wake};
use crate::store::ParkedAs;
use crate::telemetry::{self, Count};

/// Why a delivery waits that a person holds back.
const SUSPENDED: &str = "its connection is suspended";

/// Deals with a delivery, which the queue has given `received` times by now.
pub(super) async fn deliver<P: Outbound>(
    app: &App,
    platform: &P,
    delivery: &Delivery,
    received: u32,
) -> Result<(), DispatchError> {
    let mut attempts = 0;
    // A first receipt of a first message cannot have been settled: only others cost this read.
    if (received > 1 || delivery.again || delivery.replay)
        && let Some(known) = app.store.outcome(delivery).await?
    {
        let replayed = delivery.replay && known.verdict.can_be_replayed();
        if known.verdict.is_final() && !replayed {
            return Ok(());
        }
        if known.verdict == Verdict::Parked {
            // Whoever parked it may have died before it left the note.
            return wake(app, delivery, app.clock.now()).await;
        }
        attempts = if replayed { 0 } else { known.attempts };
    }
    let (leg, breaker) = app.directory.leg_and_breaker(&delivery.leg(), app.clock.now()).await?;
    if leg.parked > 0 {
        return park(app, &leg, delivery, attempts, None, "what is before it waits").await;
    }
    if breaker.is_open() {
        let reason = "its connection's breaker is open";
        park(app, &leg, delivery, attempts, None, reason).await?;
        // If the breaker closed just now, nobody may have seen that something is parked here.
        if !app.store.breaker(&delivery.to.connection).await?.is_open() {
            wake(app, delivery, app.clock.now()).await?;
        }
        return Ok(());
    }
    let connection = app.directory.connection(&delivery.to.connection, app.clock.now()).await?;
    let connection = connection.as_deref();
    if connection.is_some_and(|connection| connection.suspended) {
        return park(app, &leg, delivery, attempts, None, SUSPENDED).await;
    }
    let (leg, attempted) = attempt(app, platform, connection, leg, delivery).await?;
    match conclude(app, connection, &breaker, delivery, attempted, attempts + 1).await? {
        Conclusion::Settled => Ok(()),
        Conclusion::Again { due, reason } => {
            park(app, &leg, delivery, attempts + 1, Some(due), &reason).await
        }
    }
}

/// Parks a delivery behind what is parked on its leg; the first of them has its time noted.
async fn park(
    app: &App,
    leg: &Leg,
    delivery: &Delivery,
    attempts: u32,
    due: Option<Timestamp>,
    reason: &str,
) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let parked = Parked {
        seq: leg.next_seq,
        delivery: delivery.clone(),
        since: now,
        due,
        attempts,
        reason: reason.to_owned(),
    };
    if leg.parked == 0 {
        bot_watchdog::bot(app, delivery, now).await?;
    }
    let parked_as = app.store.park(leg, &parked, now).await?;
    match (due, parked_as) {
        (Some(due), _) => wake(app, delivery, due).await?,
        // Whoever parked it may have died before it left the note.
        (None, ParkedAs::Already) => wake(app, delivery, now).await?,
        (None, ParkedAs::New) => {}
    }
    app.store.settle(delivery, &parked.outcome(now)).await?;
    if parked_as == ParkedAs::New {
        let connection = app.directory.connection(&delivery.to.connection, now).await?;
        if let Some(connection) = &connection {
            telemetry::tell(now, Count::Parked, connection, about(delivery));
        }
        if leg.parked == 0 {
            let report = Report::parked(delivery, attempts, reason);
            alerts::tell(app, &delivery.to.connection, &report).await;
        }
    }
    Ok(())
}

/// Leaves a note to send what is parked on the delivery's leg then.
pub(super) async fn wake(
    app: &App,
    delivery: &Delivery,
    at: Timestamp,
) -> Result<(), DispatchError> {
    app.queues.wake(&Wake::leg_of(delivery, at), app.clock.now()).await?;
    Ok(())
}
