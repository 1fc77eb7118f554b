//! The SQS shell of every outbound function.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;

use super::bind_session::adopt;
use super::deliver::deliver;
use super::drain::{discard, drain};
use super::release_held::release;
use super::verify::{tend, verify};
use super::{Budget, DispatchError, Outbound};
use crate::app::App;
use crate::model::Job;
use crate::queue::Packed;
use crate::telemetry;

/// What our own side needs around a delivery.
const OURS: SignedDuration = SignedDuration::from_secs(2);
/// How long legs that share a batch go on with further messages.
const SHARED: SignedDuration = SignedDuration::from_secs(2);
/// How often a message may make us panic before it is a dead letter.
const PANICS: u32 = 3;
/// Seconds before a message that failed by our own fault is received again, by how often it was.
const WAITS: [u16; 6] = [1, 2, 5, 10, 30, 60];

/// Runs an outbound function until Lambda ends it.
///
/// # Errors
/// If the environment is not as the template makes it, or the Lambda runtime fails.
pub async fn serve<P: Outbound>(platform: P) -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let (app, platform) = (&app, &platform);
    lambda_runtime::run(lambda_runtime::service_fn(
        move |event: LambdaEvent<SqsEvent>| async move {
            telemetry::begin(&event.context.request_id);
            let deadline = i64::try_from(event.context.deadline).ok();
            let deadline = deadline.and_then(|millis| Timestamp::from_millisecond(millis).ok());
            let until = until(app.clock.now(), deadline.unwrap_or(Timestamp::MAX), P::LONGEST);
            let response = batch(app, platform, event.payload.records, Budget { until }).await;
            telemetry::flush(app).await;
            Ok::<_, std::convert::Infallible>(response)
        },
    ))
    .await
}

/// Until when a message may be begun: what it takes then still ends in time. A run that is too short for
/// that begins some all the same.
fn until(now: Timestamp, deadline: Timestamp, longest: SignedDuration) -> Timestamp {
    let left = deadline.duration_since(now).max(SignedDuration::ZERO);
    deadline - (longest + OURS).min(left * 2 / 3)
}

/// Works through a batch: legs side by side, each leg in order.
async fn batch<P: Outbound>(
    app: &App,
    platform: &P,
    records: Vec<SqsMessage>,
    budget: Budget,
) -> SqsBatchResponse {
    let mut groups: BTreeMap<String, Vec<SqsMessage>> = BTreeMap::new();
    for record in records {
        let group = record.attributes.get("MessageGroupId").cloned().unwrap_or_default();
        groups.entry(group).or_default().push(record);
    }
    // A batch ends with its slowest leg, and only then may the queue give the others' next messages.
    let until = if groups.len() > 1 { app.clock.now() + SHARED } else { budget.until };
    let budget = Budget { until: until.min(budget.until) };
    let legs = groups.into_iter().map(|(group, leg)| in_order(app, platform, group, leg, budget));
    let mut response = SqsBatchResponse::default();
    for id in join_all(legs).await.into_iter().flatten() {
        response.add_failure(id);
    }
    response
}

/// Works through a leg's messages; answers with the ids of those that go back to the queue. That is
/// only for faults of our own: what a platform does not take is parked, and costs no receipt of those
/// behind it.
async fn in_order<P: Outbound>(
    app: &App,
    platform: &P,
    group: String,
    leg: Vec<SqsMessage>,
    budget: Budget,
) -> Vec<String> {
    let mut messages = leg.into_iter();
    while let Some(message) = messages.next() {
        let done = !budget.is_spent(app) && handle(app, platform, &group, &message, budget).await;
        if !done {
            let rest: Vec<SqsMessage> = std::iter::once(message).chain(messages).collect();
            for message in &rest {
                postpone::<P>(app, message).await;
            }
            return rest.into_iter().filter_map(|message| message.message_id).collect();
        }
    }
    Vec::new()
}

/// Answers whether the message is dealt with.
async fn handle<P: Outbound>(
    app: &App,
    platform: &P,
    group: &str,
    message: &SqsMessage,
    budget: Budget,
) -> bool {
    let received = times_received(message);
    let body = message.body.as_deref().unwrap_or_default();
    let work = AssertUnwindSafe(work(app, platform, body, received, budget)).catch_unwind();
    let reason = match work.await {
        Ok(Ok(())) => return true,
        Ok(Err(DispatchError::Unreadable(why))) => format!("it cannot be read: {why}"),
        Ok(Err(error)) => {
            tracing::error!(%error, received, "a message could not be worked on: ours");
            return false;
        }
        Err(_) if received >= PANICS => format!("it made the worker panic {received} times"),
        Err(_) => {
            tracing::error!(received, "a message made the worker panic");
            return false;
        }
    };
    let id = message.message_id.clone().unwrap_or_default();
    let packed = Packed::raw(P::PLATFORM, group.to_owned(), id, body.to_owned());
    match app.queues.bury(packed, &reason).await {
        Ok(()) => {
            tracing::error!(reason, "a message is a dead letter");
            true
        }
        Err(error) => {
            tracing::error!(%error, reason, "a message could not be made a dead letter");
            false
        }
    }
}

/// Does what one message orders.
///
/// # Errors
/// Why it could not be done. Ours: the queue gives it again.
pub async fn work<P: Outbound>(
    app: &App,
    platform: &P,
    body: &str,
    received: u32,
    budget: Budget,
) -> Result<(), DispatchError> {
    match serde_json::from_str(body)? {
        Job::Deliver(delivery) => deliver(app, platform, &delivery, received).await,
        Job::Drain { leg, why } => drain(app, platform, &leg, why, budget).await,
        Job::Discard { leg, seq } => discard(app, &leg, seq).await,
        Job::Release { leg } => release(app, &leg).await,
        Job::Adopt { leg, session } => adopt(app, P::PLATFORM, &leg, session).await,
        Job::Verify { connection, challenge } => {
            verify(app, platform, &connection, &challenge).await
        }
        Job::Tend { connection } => tend(app, platform, &connection).await,
    }
}

/// Sets when the queue gives the message again. If that fails, it does so after its own, longer time.
async fn postpone<P: Outbound>(app: &App, message: &SqsMessage) {
    let Some(receipt) = &message.receipt_handle else { return };
    let index = usize::try_from(times_received(message).saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = WAITS[index.min(WAITS.len() - 1)];
    if let Err(error) = app.queues.postpone(P::PLATFORM, receipt, seconds).await {
        tracing::warn!(%error, "a message's next attempt could not be set");
    }
}

fn times_received(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_can_end_in_time() {
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let of = |seconds| SignedDuration::from_secs(seconds);
        assert_eq!(until(at(0), at(30), of(5)), at(23));
        assert_eq!(until(at(0), at(30), of(18)), at(10));
        assert_eq!(until(at(0), at(9), of(18)), at(3), "too short a run begins some");
        assert_eq!(until(at(9), at(3), of(5)), at(3));
    }
}
