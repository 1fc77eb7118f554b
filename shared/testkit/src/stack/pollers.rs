//! Lambda's pollers and the scheduler: they give queue messages to functions, one step at a time.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use trunkline_runtime::app::Clock;

use super::{TASKS, TestStack, outbound_queue};

/// The time limits of the functions, as in the template.
const OUTBOUND_TIMEOUT: Duration = Duration::from_secs(30);
const SCHEDULER_TIMEOUT: Duration = Duration::from_secs(15);
/// The time between two ticks, as in the template.
pub(super) const TICK_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// The name of the function for background work.
const SCHEDULER: &str = "scheduler";
/// More steps than this without an advance of the clock are an endless loop.
const MAX_STEPS: usize = 10_000;

impl TestStack {
    /// Gives one available queue message, or a batch of one message group, to its function, as Lambda's
    /// poller does: what succeeds is deleted, the rest is received again after its visibility timeout.
    /// Returns `false` if no message is available.
    pub async fn step(&self) -> bool {
        let has_poller = |name: &str| !name.ends_with("-dead.fifo") && !name.ends_with("-listen");
        let Some(queue) = self.sqs.next_queue(has_poller) else { return false };
        let messages = self.sqs.poll(&queue, self.batch_size.get(), !self.mixes_groups.get());
        if messages.is_empty() {
            // They were received too often and are in the dead-letter queue now.
            return true;
        }
        let failed = match self.platforms.keys().find(|name| outbound_queue(name) == queue) {
            Some(platform) => self.invoke_outbound(platform, &messages).await,
            None => self.invoke_scheduler(json!({"Records": messages}), &messages).await,
        };
        let Some(failed) = failed else { return true };
        for message in messages {
            if !failed.iter().any(|id| Some(id) == message.message_id.as_ref()) {
                self.sqs.acknowledge(&queue, &message);
            }
        }
        true
    }

    /// Invokes an outbound function. Returns the ids of the messages that failed; `None` if it crashed.
    async fn invoke_outbound(
        &self,
        platform: &str,
        messages: &[SqsMessage],
    ) -> Option<Vec<String>> {
        let deadline = self.clock.now() + SignedDuration::try_from(OUTBOUND_TIMEOUT).unwrap();
        let function = format!("{platform}-outbound");
        let records = messages.to_vec();
        let invoked = self.invoke(&function, OUTBOUND_TIMEOUT, messages, async |process| {
            let platform = process.platform.as_ref().unwrap();
            platform.outbound(&process.app, records, deadline).await
        });
        let response = invoked.await?;
        Some(
            response
                .batch_item_failures
                .into_iter()
                .map(|failure| failure.item_identifier)
                .collect(),
        )
    }

    /// Invokes the function for background work. Returns the ids of the messages that failed; `None` if it
    /// crashed or failed as a whole.
    async fn invoke_scheduler(
        &self,
        event: serde_json::Value,
        messages: &[SqsMessage],
    ) -> Option<Vec<String>> {
        let invoked = self.invoke(SCHEDULER, SCHEDULER_TIMEOUT, messages, async |process| {
            Box::pin(process.scheduler.handle(&process.app, event)).await
        });
        let response = invoked.await?.ok()?;
        Some(
            response
                .batch_item_failures
                .into_iter()
                .map(|failure| failure.item_identifier)
                .collect(),
        )
    }

    /// Takes steps until no message is available now. Delayed messages, and those in flight, remain.
    pub async fn run_until_idle(&self) {
        for _ in 0..MAX_STEPS {
            if !self.step().await {
                return;
            }
        }
        panic!("the queues do not get empty");
    }

    /// Moves the clock. A queue message that becomes visible on the way is processed at its time, and the tick
    /// runs once a minute.
    pub async fn advance(&self, by: SignedDuration) {
        let end = self.clock.now() + by;
        self.run_until_idle().await;
        loop {
            let tick = self.next_tick.get();
            let message = self.sqs.next_visible();
            if message.is_none_or(|at| at >= tick) && tick <= end {
                self.advance_to(tick).await;
                self.tick().await;
                self.run_until_idle().await;
            } else if let Some(at) = message.filter(|at| *at <= end) {
                self.advance_to(at).await;
            } else {
                break;
            }
        }
        self.advance_to(end).await;
    }

    /// Moves the clock without the tick, over a time with more ticks than a test has the time for. Queue messages are
    /// processed at their time.
    pub async fn skip(&self, by: SignedDuration) {
        let end = self.clock.now() + by;
        self.next_tick.set(end + TICK_INTERVAL);
        self.advance(by).await;
    }

    async fn advance_to(&self, time: Timestamp) {
        // Work may have taken longer than that.
        if time > self.clock.now() {
            self.clock.set(time);
        }
        self.run_until_idle().await;
    }

    /// Moves the clock to the next time at which a queue message becomes visible, and processes it. Returns
    /// `false` if no message is delayed or in flight.
    pub async fn advance_to_next(&self) -> bool {
        let Some(next) = self.sqs.next_visible() else { return false };
        self.advance_to(next).await;
        true
    }

    /// Runs what the scheduler runs once a minute. Returns whether it succeeded.
    pub async fn tick(&self) -> bool {
        self.next_tick.set(self.clock.now() + TICK_INTERVAL);
        self.invoke_scheduler(json!({"source": "aws.scheduler"}), &[]).await.is_some()
    }

    /// Loses every scheduled task, as SQS itself might.
    pub fn drop_scheduled_tasks(&self) {
        self.sqs.create(TASKS, super::tasks_config());
    }

    /// Returns the number of scheduled tasks that wait for their time.
    pub fn scheduled_tasks(&self) -> usize {
        self.sqs.messages(TASKS).len()
    }
}
