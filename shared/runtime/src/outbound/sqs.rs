//! SQS handler of the outbound functions.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;

use super::bind_session::bind_session;
use super::deliver::deliver;
use super::drain::{discard, drain};
use super::relay::relay_file;
use super::release_held::release_held;
use super::verify::{fix_registration, reconcile_registration, verify};
use super::{Budget, Outbound, OutboundError};
use crate::app::App;
use crate::queue::QueueMessage;
use crate::telemetry;
use trunkline_core::model::{Job, Leg, LegId};

/// Time that Trunkline itself needs around a delivery.
pub(super) const OVERHEAD: SignedDuration = SignedDuration::from_secs(2);
/// How long legs that share a batch start further messages.
const SHARED_BATCH_TIME: SignedDuration = SignedDuration::from_secs(2);
/// How often a message may make the worker panic before it goes to the dead-letter queue.
const MAX_PANICS: u32 = 3;
/// Delays in seconds before a message that failed with an internal error is received again, by how often it
/// was received.
const RETRY_DELAYS: [u16; 6] = [1, 2, 5, 10, 30, 60];

/// Runs an outbound function until Lambda stops it.
///
/// # Errors
/// If an environment variable of the template is missing or invalid, or the Lambda runtime fails.
pub async fn serve<P: Outbound>(platform: P) -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let (app, platform) = (&app, &platform);
    lambda_runtime::run(lambda_runtime::service_fn(
        move |event: LambdaEvent<SqsEvent>| async move {
            telemetry::set_request_id(&event.context.request_id);
            let deadline = i64::try_from(event.context.deadline).ok();
            let deadline = deadline.and_then(|millis| Timestamp::from_millisecond(millis).ok());
            let deadline = deadline.unwrap_or(Timestamp::MAX);
            // Boxed, because the whole type is too deep for the compiler.
            let work = receive_batch(app, platform, event.payload.records, deadline).boxed();
            let response = work.await;
            telemetry::flush(app).await;
            Ok::<_, std::convert::Infallible>(response)
        },
    ))
    .await
}

/// Returns the latest time at which a delivery may start, so that it ends before the deadline. An invocation
/// that is too short for the slowest delivery still starts deliveries in its first third.
fn latest_start(now: Timestamp, deadline: Timestamp, longest: SignedDuration) -> Timestamp {
    let left = deadline.duration_since(now).max(SignedDuration::ZERO);
    deadline - (longest + OVERHEAD).min(left * 2 / 3)
}

/// Processes a batch of queue messages: different legs concurrently, the messages of one leg in order. The
/// invocation ends at `deadline`. Returns the ids of the messages that go back to the queue.
pub async fn receive_batch<P: Outbound>(
    app: &App,
    platform: &P,
    records: Vec<SqsMessage>,
    deadline: Timestamp,
) -> SqsBatchResponse {
    app.queues.chain().continue_from(&records);
    let latest_start = latest_start(app.clock.now(), deadline, P::MAX_DURATION);
    let mut groups: BTreeMap<String, Vec<SqsMessage>> = BTreeMap::new();
    for record in records {
        let group = record.attributes.get("MessageGroupId").cloned().unwrap_or_default();
        groups.entry(group).or_default().push(record);
    }
    // SQS hands out the next messages of a leg only when the batch ends, that is, with its slowest leg.
    let until = if groups.len() > 1 { app.clock.now() + SHARED_BATCH_TIME } else { latest_start };
    let budget = Budget { latest_start: until.min(latest_start), deadline };
    let groups = read_groups(app, groups).await;
    let legs = groups.into_iter().map(|group| receive_group(app, platform, group, budget));
    let mut response = SqsBatchResponse::default();
    for id in join_all(legs).await.into_iter().flatten() {
        response.add_failure(id);
    }
    response
}

/// The messages of a leg in a batch.
struct Group {
    id: String,
    messages: Vec<SqsMessage>,
    /// The job in the first message, if it was read already.
    first: Option<Job>,
    /// The leg as it is now, if the worker knows it.
    leg: Option<Leg>,
}

/// Reads the legs of the first messages of a batch in one call. A leg that cannot be read here is read with its
/// delivery.
async fn read_groups(app: &App, groups: BTreeMap<String, Vec<SqsMessage>>) -> Vec<Group> {
    let is_alone = groups.len() < 2;
    let groups = groups.into_iter().map(|(id, messages)| {
        let body = messages.first().filter(|_| !is_alone).and_then(|first| first.body.as_deref());
        let first = body.and_then(|body| serde_json::from_str(body).ok());
        Group { id, messages, first, leg: None }
    });
    let mut groups: Vec<Group> = groups.collect();
    let delivering = groups.iter_mut().filter_map(|group| Some((group.first_leg()?, group)));
    let (ids, delivering): (Vec<LegId>, Vec<&mut Group>) = delivering.unzip();
    if ids.len() < 2 {
        return groups;
    }
    match app.config_cache.legs(&ids, app.clock.now()).await {
        Ok(legs) => {
            delivering.into_iter().zip(legs).for_each(|(group, leg)| group.leg = Some(leg));
        }
        Err(error) => tracing::warn!(%error, "cannot read the legs of a batch together"),
    }
    groups
}

impl Group {
    /// Returns the leg of the first message, if that is a delivery.
    fn first_leg(&self) -> Option<LegId> {
        match &self.first {
            Some(Job::Deliver(delivery)) => Some(delivery.leg()),
            _ => None,
        }
    }
}

/// Processes a leg's messages. Returns the ids of those that go back to the queue, which happens only after
/// internal errors: a delivery that the platform does not accept is parked, so it does not use up the
/// receive count of those behind it.
async fn receive_group<P: Outbound>(
    app: &App,
    platform: &P,
    group: Group,
    budget: Budget,
) -> Vec<String> {
    let Group { id, messages, mut first, mut leg } = group;
    // While other legs of the batch are at work, their outcomes are recorded together with this leg's.
    let _recording = app.store.record_together();
    let mut messages = messages.into_iter();
    while let Some(message) = messages.next() {
        let work = Work { group: &id, message: &message, job: first.take(), leg: &mut leg };
        let done = !budget.is_spent(app) && receive(app, platform, work, budget).await;
        if !done {
            let rest: Vec<SqsMessage> = std::iter::once(message).chain(messages).collect();
            for message in &rest {
                delay_retry::<P>(app, message).await;
            }
            return rest.into_iter().filter_map(|message| message.message_id).collect();
        }
    }
    Vec::new()
}

/// A message to process, with what the worker knows.
struct Work<'a> {
    group: &'a str,
    message: &'a SqsMessage,
    /// The job in the message, if it was read already.
    job: Option<Job>,
    /// The leg as it is now, if the worker knows it, and afterwards again.
    leg: &'a mut Option<Leg>,
}

/// Processes one message. Returns whether it can be deleted from the queue.
async fn receive<P: Outbound>(app: &App, platform: &P, work: Work<'_>, budget: Budget) -> bool {
    let Work { group, message, job, leg } = work;
    let receipt = Receipt::of(message, app.clock.now());
    let received = receipt.times;
    let body = message.body.as_deref().unwrap_or_default();
    let job = async {
        let job = job.map_or_else(|| serde_json::from_str(body), Ok)?;
        run_job(app, platform, job, receipt, budget, leg).await
    };
    let job = AssertUnwindSafe(job).catch_unwind();
    let reason = match job.await {
        Ok(Ok(())) => return true,
        Ok(Err(OutboundError::Unreadable(why))) => format!("the message cannot be read: {why}"),
        Ok(Err(error)) => {
            let retryable = error.is_retryable();
            tracing::error!(%error, received, retryable, "outbound job failed: internal error");
            telemetry::record_queue_age(app.clock.now(), receipt.queue_age);
            return false;
        }
        Err(_) if received >= MAX_PANICS => {
            format!("the message made the worker panic {received} times")
        }
        Err(_) => {
            tracing::error!(received, "outbound job failed: the worker panicked");
            telemetry::record_queue_age(app.clock.now(), receipt.queue_age);
            return false;
        }
    };
    let id = message.message_id.clone().unwrap_or_default();
    let letter = QueueMessage::raw(P::SPEC.id, group.to_owned(), id, body.to_owned());
    match app.queues.send_to_dlq(letter, &reason).await {
        Ok(()) => {
            tracing::error!(reason, "message moved to the dead-letter queue");
            true
        }
        Err(error) => {
            tracing::error!(%error, reason, "cannot move a message to the dead-letter queue");
            false
        }
    }
}

/// How a message was received from its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// How often SQS has handed out the message, this time included.
    pub times: u32,
    /// Time since the message was sent to the queue.
    pub queue_age: SignedDuration,
}

impl Receipt {
    /// The first receipt of a message that was sent just now.
    pub const FIRST: Self = Self { times: 1, queue_age: SignedDuration::ZERO };

    fn of(message: &SqsMessage, now: Timestamp) -> Self {
        let sent_at = message.attributes.get("SentTimestamp").and_then(|at| at.parse().ok());
        let sent_at = sent_at.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let queue_age = now.duration_since(sent_at.unwrap_or(now)).max(SignedDuration::ZERO);
        Self { times: times_received(message), queue_age }
    }
}

/// Runs a job. `leg` is the leg as it is now, if the worker knows it. Only a delivery leaves it known.
///
/// # Errors
/// If an internal error occurred; SQS then hands the message out again.
async fn run_job<P: Outbound>(
    app: &App,
    platform: &P,
    job: Job,
    receipt: Receipt,
    budget: Budget,
    leg: &mut Option<Leg>,
) -> Result<(), OutboundError> {
    if !matches!(job, Job::Deliver(_)) {
        *leg = None;
    }
    match job {
        Job::Deliver(delivery) => deliver(app, platform, &delivery, receipt, leg).await,
        Job::Drain { leg, reason } => drain(app, platform, &leg, reason, budget).await,
        Job::Discard { leg, seq } => discard(app, &leg, seq).await,
        Job::ReleaseHeld { leg } => release_held(app, &leg).await,
        Job::BindSession { leg, session } => bind_session(app, P::SPEC.id, &leg, session).await,
        Job::RelayFile { id } => relay_file(app, platform, &id, budget).await,
        Job::Verify { connection, challenge } => {
            verify(app, platform, &connection, &challenge).await
        }
        Job::FixRegistration { connection, challenge } => {
            fix_registration(app, platform, &connection, &challenge).await
        }
        Job::ReconcileRegistration { connection } => {
            reconcile_registration(app, platform, &connection).await
        }
    }
}

/// Sets when SQS hands the message out again. If that fails, the queue's longer visibility timeout applies.
async fn delay_retry<P: Outbound>(app: &App, message: &SqsMessage) {
    let Some(receipt) = &message.receipt_handle else { return };
    let index = usize::try_from(times_received(message).saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = RETRY_DELAYS[index.min(RETRY_DELAYS.len() - 1)];
    if let Err(error) = app.queues.change_visibility(P::SPEC.id, receipt, seconds).await {
        tracing::warn!(%error, "cannot change the visibility timeout of a message");
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
    fn a_receipt_has_the_age_of_the_message() {
        let of = |sent: &str| {
            let mut message = SqsMessage::default();
            for (name, value) in [("SentTimestamp", sent), ("ApproximateReceiveCount", "3")] {
                message.attributes.insert(name.into(), value.into());
            }
            Receipt::of(&message, Timestamp::from_second(100).unwrap())
        };
        let age = |seconds| Receipt { times: 3, queue_age: SignedDuration::from_secs(seconds) };
        assert_eq!(of("40000"), age(60));
        assert_eq!(of("100900"), age(0), "the clock of SQS may be ahead");
        assert_eq!(of("?"), age(0));
    }

    #[test]
    fn budget_leaves_time_for_the_slowest_delivery() {
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let of = |seconds| SignedDuration::from_secs(seconds);
        assert_eq!(latest_start(at(0), at(30), of(5)), at(23));
        assert_eq!(latest_start(at(0), at(30), of(18)), at(10));
        assert_eq!(
            latest_start(at(0), at(9), of(18)),
            at(3),
            "a short invocation still starts deliveries"
        );
        assert_eq!(latest_start(at(9), at(3), of(5)), at(3));
    }
}
