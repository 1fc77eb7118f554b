//! Sends what is parked on a leg, in order. This is a message in the leg's own group, so nothing that
//! arrives meanwhile can overtake it.

use super::attempt::attempt;
use super::deliver::wake;
use super::record_outcome::{Conclusion, conclude};
use super::{Budget, DispatchError, Outbound, breaker};
use crate::app::App;
use crate::model::{Drain, Job, Leg, LegId, Outcome, Parked, Verdict};

/// How many are read at once.
const PAGE: u16 = 25;

/// What a drain does next.
enum Next {
    /// The next of what is parked, on the leg as it is now.
    Go(Leg),
    /// Nothing, until somebody is told so.
    Wait,
}

/// Sends what is parked on a leg until it is empty, or one must wait, or the time is up.
pub(super) async fn drain<P: Outbound>(
    app: &App,
    platform: &P,
    id: &LegId,
    why: Drain,
    budget: Budget,
) -> Result<(), DispatchError> {
    let mut leg = app.store.leg(id).await?;
    while leg.parked > 0 {
        let page = app.store.parked(id, None, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for parked in page {
            if budget.is_spent(app) {
                return go_on(app, P::PLATFORM, id).await;
            }
            match one(app, platform, leg, &parked, why).await? {
                Next::Go(after) => leg = after,
                Next::Wait => return Ok(()),
            }
        }
    }
    Ok(())
}

async fn one<P: Outbound>(
    app: &App,
    platform: &P,
    leg: Leg,
    parked: &Parked,
    why: Drain,
) -> Result<Next, DispatchError> {
    let delivery = &parked.delivery;
    let now = app.clock.now();
    // A worker may have died after it recorded the outcome.
    let known = app.store.outcome(delivery).await?;
    if known.is_some_and(|known| known.verdict.is_final()) {
        return Ok(Next::Go(app.store.unpark(&leg, parked, now).await?));
    }
    let breaker = app.store.breaker(&leg.id.connection).await?;
    // A probe that worked has closed the breaker, and the rest of its leg follows.
    let probe = why == Drain::Probe && breaker.is_open();
    if breaker.is_open() && !probe {
        return Ok(Next::Wait);
    }
    if let Some(due) = parked.due.filter(|due| why == Drain::Due && *due > now) {
        // Its note may be on the way, or whoever was to leave it may have died.
        wake(app, delivery, due).await?;
        return Ok(Next::Wait);
    }
    let connection = app.directory.connection(&leg.id.connection, now).await?;
    let connection = connection.as_deref();
    if connection.is_some_and(|connection| connection.suspended) {
        return Ok(Next::Wait);
    }
    let (leg, attempted) = attempt(app, platform, connection, leg, delivery).await?;
    if probe && !attempted.meaning.verdict.is_final() {
        // It shows only that the connection is still down: that is not the delivery's fault.
        return Ok(Next::Wait);
    }
    // What was not sent at all shows nothing.
    if let Some(connection) = connection.filter(|_| probe && attempted.status.is_some()) {
        breaker::proved(app, connection).await?;
    }
    let attempts = parked.attempts + 1;
    match conclude(app, connection, &breaker, delivery, attempted, attempts).await? {
        Conclusion::Settled => Ok(Next::Go(app.store.unpark(&leg, parked, now).await?)),
        Conclusion::Again { due, reason } => {
            let again = Parked { attempts, due: Some(due), reason, ..parked.clone() };
            app.store.note_parked(&leg.id, &again).await?;
            wake(app, delivery, due).await?;
            app.store.settle(delivery, &again.outcome(now)).await?;
            Ok(Next::Wait)
        }
    }
}

/// Takes a delivery out of what is parked, because a person does not want it sent.
pub(super) async fn discard(app: &App, id: &LegId, seq: u64) -> Result<(), DispatchError> {
    let leg = app.store.leg(id).await?;
    let Some(parked) = app.store.parked_at(id, seq).await? else { return Ok(()) };
    let now = app.clock.now();
    let outcome = Outcome { verdict: Verdict::Discarded, ..parked.outcome(now) };
    app.store.settle(&parked.delivery, &outcome).await?;
    let after = app.store.unpark(&leg, &parked, now).await?;
    if after.parked > 0 {
        wake(app, &parked.delivery, now).await?;
    }
    Ok(())
}

/// Leaves the rest to another invocation.
async fn go_on(
    app: &App,
    platform: crate::model::Platform,
    leg: &LegId,
) -> Result<(), DispatchError> {
    let job = Job::Drain { leg: leg.clone(), why: Drain::Due };
    let id = app.ids.next(app.clock.now());
    app.queues.order(platform, leg.group(), id, &job).await?;
    Ok(())
}
