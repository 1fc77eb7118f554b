//! Records an attempt: its outcome on the event, its effect on the breaker, and whether to retry.

use jiff::{SignedDuration, Timestamp};

use super::{Attempt, OutboundError, breaker};
use crate::alerts::{self, Alert};
use crate::app::App;
use crate::inbound::{InboundError, ingest_from_target};
use crate::telemetry::{self, LogFields, Metric};
use trunkline_core::model::{
    Breaker, Connection, ConnectionId, Delivery, DeliveryPolicy, EventBody, EventId, Failed,
    MessageReference, Outcome, ReceiptStatus, Role, Verdict, time,
};

/// What happens to a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Nothing: it was delivered, skipped, or failed.
    Settled,
    /// It is retried at `due`.
    Retry { due: Timestamp, reason: String },
}

/// Records the outcome of attempt number `attempts`. `breaker` is its state before the attempt, and
/// `queue_age` is how long the delivery was in its queue.
pub(super) async fn record_outcome(
    app: &App,
    connection: Option<&Connection>,
    breaker: &Breaker,
    delivery: &Delivery,
    attempt: Attempt,
    attempts: u32,
    queue_age: SignedDuration,
) -> Result<NextStep, OutboundError> {
    let now = app.clock.now();
    let policy =
        connection.map_or_else(DeliveryPolicy::default, |connection| connection.delivery.clone());
    let Attempt { mut classification, status, retry_after, duration, .. } = attempt;
    classification.verdict = policy.verdict(classification.verdict, status);
    let reason = classification.reason.clone().unwrap_or_default();
    let outcome = |verdict| Outcome {
        verdict,
        at: now,
        status,
        reason: classification.reason.clone(),
        external_message_id: classification.external_message_id.clone(),
        attempts,
    };
    if classification.verdict.is_final() {
        if classification.verdict == Verdict::Permanent {
            give_up(app, delivery, attempts, &reason, now).await?;
        }
        let settled = outcome(classification.verdict);
        app.store.put_outcome(delivery, &settled).await?;
        if settled.verdict == Verdict::Delivered {
            report_sent(app, delivery).await?;
        }
        if let Some(connection) = connection {
            if status.is_some() {
                breaker::record_success(app, connection, breaker).await?;
            }
            record_metrics(connection, delivery, &settled, duration, queue_age);
        }
        return Ok(NextStep::Settled);
    }
    if let Some(connection) = connection {
        breaker::record_failure(app, connection, &reason).await?;
        let retried = outcome(classification.verdict);
        record_metrics(connection, delivery, &retried, duration, queue_age);
    }
    let unknown = classification.verdict == Verdict::Unknown;
    let asked = retry_after.map(|asked| asked.seconds(now));
    let next = policy.next_attempt(&delivery.id, attempts, unknown, asked, now);
    if let Some(due) = next {
        return Ok(NextStep::Retry { due, reason });
    }
    give_up(app, delivery, attempts, &reason, now).await?;
    app.store.put_outcome(delivery, &outcome(Verdict::Exhausted)).await?;
    Ok(NextStep::Settled)
}

/// Stores a delivery as failed, for operators to replay or discard.
async fn give_up(
    app: &App,
    delivery: &Delivery,
    attempts: u32,
    reason: &str,
    now: Timestamp,
) -> Result<(), OutboundError> {
    let failed =
        Failed { delivery: delivery.clone(), at: now, attempts, reason: reason.to_owned() };
    app.store.put_failed(&failed).await?;
    notify_sender(app, delivery, reason).await?;
    let alert = Alert::failed(delivery, attempts, reason);
    alerts::notify(app, &delivery.to.connection, &alert).await;
    Ok(())
}

/// Sends a failed receipt to the sender of a message, if the sender can receive one.
async fn notify_sender(app: &App, delivery: &Delivery, reason: &str) -> Result<(), OutboundError> {
    send_receipt(app, delivery, "failed", ReceiptStatus::Failed, Some(reason)).await
}

/// Sends a receipt to the sender of a message that the channel accepted, if the sender's platform waits for it.
async fn report_sent(app: &App, delivery: &Delivery) -> Result<(), OutboundError> {
    if delivery.to.role != Role::Channel || !delivery.to.last_part {
        return Ok(());
    }
    let sender = app.config_cache.connection(&delivery.from, app.clock.now()).await?;
    if !sender.is_some_and(|sender| sender.behaviour.awaits_sent_receipts) {
        return Ok(());
    }
    send_receipt(app, delivery, "sent", ReceiptStatus::Sent, None).await
}

/// Sends a receipt about a delivered or failed message to its sender.
async fn send_receipt(
    app: &App,
    delivery: &Delivery,
    name: &str,
    status: ReceiptStatus,
    reason: Option<&str>,
) -> Result<(), OutboundError> {
    let is_message =
        matches!(delivery.event.body, EventBody::Message { .. } | EventBody::Choice { .. });
    if !is_message || delivery.to.copy || delivery.from == ConnectionId::system() {
        return Ok(());
    }
    let target = MessageReference {
        connection: delivery.from.clone(),
        message: delivery.event.sender_message_id(),
    };
    let id = EventId::from_parts(&[name, delivery.id.as_str()]);
    ingest_receipt(app, delivery, id, target, status, reason.map(ToOwned::to_owned)).await
}

/// Ingests a receipt for `target`, as from the receiver of a delivery of that message.
pub(super) async fn ingest_receipt(
    app: &App,
    delivery: &Delivery,
    id: EventId,
    target: MessageReference,
    status: ReceiptStatus,
    reason: Option<String>,
) -> Result<(), OutboundError> {
    let message = delivery.id.as_str().into();
    let body = EventBody::Receipt { message, target: Some(target), status, reason };
    match Box::pin(ingest_from_target(app, delivery, id, body)).await {
        // The conversation may be closed, and then no receipt is possible.
        Ok(_) | Err(InboundError::Rejected(_)) => Ok(()),
        Err(internal) => Err(internal.into()),
    }
}

/// Returns the details that every log line about a delivery has. Ages below a second are left out, because
/// they are the rule and no alarm needs them.
pub(super) fn log_details(delivery: &Delivery, queue_age: SignedDuration) -> LogFields<'_> {
    LogFields {
        trace: delivery.event.trace,
        conversation: Some(delivery.conversation.as_str()),
        event: Some(delivery.event.body.kind()),
        delivery: Some(delivery.id.as_str()),
        queue_age: Some(queue_age.as_secs()).filter(|seconds| *seconds > 0),
        ..LogFields::default()
    }
}

/// Counts an attempt and logs a failed one.
fn record_metrics(
    connection: &Connection,
    delivery: &Delivery,
    outcome: &Outcome,
    duration: SignedDuration,
    queue_age: SignedDuration,
) {
    let now = outcome.at;
    let metric = match outcome.verdict {
        Verdict::Delivered => Metric::Delivered,
        Verdict::Skipped | Verdict::Discarded => Metric::Skipped,
        Verdict::Permanent | Verdict::Exhausted => Metric::Failed,
        Verdict::Retryable | Verdict::Unknown | Verdict::Parked => Metric::Retried,
    };
    let latency = now.duration_since(delivery.event.at);
    let fields = LogFields {
        status: outcome.status,
        ms: Some(time::millis(duration)),
        delivery_time: (metric == Metric::Delivered).then(|| time::millis(latency)),
        ..log_details(delivery, queue_age)
    };
    telemetry::record(now, metric, connection, fields);
    if metric == Metric::Delivered {
        telemetry::record_latency(&connection.id, now, latency);
    }
    if matches!(metric, Metric::Failed | Metric::Retried) {
        tracing::warn!(
            connection = %connection.id,
            delivery = %delivery.id,
            attempts = outcome.attempts,
            verdict = ?outcome.verdict,
            reason = outcome.reason.as_deref().unwrap_or(""),
            "delivery attempt failed"
        );
    }
}
