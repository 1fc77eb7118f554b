//! What follows from an attempt: the outcome on the event, the breaker, and whether it is tried again.

use jiff::{SignedDuration, Timestamp};

use super::{Attempt, DispatchError, breaker};
use crate::alerts::{self, Report};
use crate::app::App;
use crate::inbound::{IntakeError, take_from_target};
use crate::model::{
    Breaker, Connection, ConnectionId, Delivery, EventBody, EventId, Failed, Outcome, Policy,
    ReceiptStatus, Reference, Verdict, time,
};
use crate::telemetry::{self, About, Count};

/// What is left to do about a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// Nothing: it arrived, was skipped, or is a person's now.
    Settled,
    /// It is to be tried again then.
    Again { due: Timestamp, reason: String },
}

/// Draws the conclusion from the `attempts`th attempt, and records it. `breaker` is as it was read
/// before.
pub(super) async fn conclude(
    app: &App,
    connection: Option<&Connection>,
    breaker: &Breaker,
    delivery: &Delivery,
    attempt: Attempt,
    attempts: u32,
) -> Result<Conclusion, DispatchError> {
    let now = app.clock.now();
    let Attempt { meaning, status, retry_after, took, .. } = attempt;
    let reason = meaning.reason.clone().unwrap_or_default();
    let outcome = |verdict| Outcome {
        verdict,
        at: now,
        status,
        reason: meaning.reason.clone(),
        external_id: meaning.external_id.clone(),
        attempts,
    };
    if meaning.verdict.is_final() {
        if meaning.verdict == Verdict::Permanent {
            give_up(app, delivery, attempts, &reason, now).await?;
        }
        let settled = outcome(meaning.verdict);
        app.store.settle(delivery, &settled).await?;
        if let Some(connection) = connection {
            if status.is_some() {
                breaker::worked(app, connection, breaker).await?;
            }
            report(connection, delivery, &settled, took);
        }
        return Ok(Conclusion::Settled);
    }
    if let Some(connection) = connection {
        breaker::failed(app, connection, &reason).await?;
        report(connection, delivery, &outcome(meaning.verdict), took);
    }
    let policy = connection.map_or_else(Policy::default, |connection| connection.delivery.clone());
    let unknown = meaning.verdict == Verdict::Unknown;
    let next = policy.next_attempt(&delivery.id, attempts, unknown, retry_after, now);
    if let Some(due) = next {
        return Ok(Conclusion::Again { due, reason });
    }
    give_up(app, delivery, attempts, &reason, now).await?;
    app.store.settle(delivery, &outcome(Verdict::Exhausted)).await?;
    Ok(Conclusion::Settled)
}

/// Leaves a delivery to a person.
async fn give_up(
    app: &App,
    delivery: &Delivery,
    attempts: u32,
    reason: &str,
    now: Timestamp,
) -> Result<(), DispatchError> {
    let failed =
        Failed { delivery: delivery.clone(), at: now, attempts, reason: reason.to_owned() };
    app.store.keep_failed(&failed).await?;
    tell_sender(app, delivery, reason).await?;
    let report = Report::failed(delivery, attempts, reason);
    alerts::tell(app, &delivery.to.connection, &report).await;
    Ok(())
}

/// Whoever said it is told that it did not arrive, if they can be told such things.
async fn tell_sender(app: &App, delivery: &Delivery, reason: &str) -> Result<(), DispatchError> {
    let is_said =
        matches!(delivery.event.body, EventBody::Message { .. } | EventBody::Choice { .. });
    if !is_said || delivery.to.copy || delivery.from == ConnectionId::house() {
        return Ok(());
    }
    let known_as = delivery.event.external_id.as_deref();
    let about = Reference {
        connection: delivery.from.clone(),
        message: known_as.unwrap_or(delivery.event.id.as_str()).to_owned(),
    };
    let body = EventBody::Receipt {
        message: delivery.id.clone(),
        about: Some(about),
        status: ReceiptStatus::Failed,
        reason: Some(reason.to_owned()),
    };
    let id = EventId::from_parts(&["failed", &delivery.id]);
    match Box::pin(take_from_target(app, delivery, id, body)).await {
        // The conversation may be over: then there is nobody to tell.
        Ok(_) | Err(IntakeError::Rejected(_)) => Ok(()),
        Err(ours) => Err(ours.into()),
    }
}

/// What is told of a delivery, whatever becomes of it.
pub(super) fn about(delivery: &Delivery) -> About<'_> {
    About {
        trace: delivery.event.trace,
        conversation: Some(&delivery.conversation),
        event: Some(delivery.event.body.kind()),
        delivery: Some(&delivery.id),
        ..About::default()
    }
}

fn report(connection: &Connection, delivery: &Delivery, outcome: &Outcome, took: SignedDuration) {
    let now = outcome.at;
    let what = match outcome.verdict {
        Verdict::Delivered => Count::Delivered,
        Verdict::Skipped | Verdict::Discarded => Count::Skipped,
        Verdict::Permanent | Verdict::Exhausted => Count::Failed,
        Verdict::Retryable | Verdict::Unknown | Verdict::Parked => Count::Retried,
    };
    let since = now.duration_since(delivery.event.at);
    let about = About {
        status: outcome.status,
        ms: Some(time::millis(took)),
        delivery_time: (what == Count::Delivered).then(|| time::millis(since)),
        ..about(delivery)
    };
    telemetry::tell(now, what, connection, about);
    if what == Count::Delivered {
        telemetry::took(&connection.id, now, since);
    }
    if matches!(what, Count::Failed | Count::Retried) {
        tracing::warn!(
            connection = %connection.id,
            delivery = delivery.id,
            attempts = outcome.attempts,
            verdict = ?outcome.verdict,
            reason = outcome.reason.as_deref().unwrap_or(""),
            "a delivery did not arrive"
        );
    }
}
