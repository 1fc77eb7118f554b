//! Records the outcomes of deliveries that a worker sends at the same time together, in one call.
//!
//! Each leg that a worker processes takes part while it is at work. An outcome waits until every one of them
//! has an outcome to record, or for [`MAX_WAIT`]; then one of the legs records those that wait. A worker
//! acknowledges a message only after its outcome is recorded, so nothing is lost if it crashes meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementError, BatchStatementErrorCodeEnum, BatchStatementRequest,
};
use tokio::sync::{Notify, oneshot};

use super::item::string_attribute;
use super::outcomes::OutcomeUpdate;
use super::{Store, StoreError, unavailable};

/// How long an outcome waits for others: less than a call takes.
const MAX_WAIT: Duration = Duration::from_millis(5);
/// Largest number of statements of a batch (limit of `BatchExecuteStatement`).
const MAX_STATEMENTS: usize = 25;

/// An outcome that waits to be recorded.
struct Waiting {
    update: OutcomeUpdate,
    /// Whether it is recorded. If not, its own leg records it by a call of its own, whose errors the SDK retries.
    reply: oneshot::Sender<bool>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    /// The number of legs at work.
    legs: usize,
    waiting: Vec<Waiting>,
}

/// The outcomes that wait to be recorded together.
#[derive(Debug, Default)]
pub(super) struct OutcomeBatch {
    state: Mutex<State>,
    /// Wakes those who wait, because a leg has ended its work.
    left: Notify,
}

impl OutcomeBatch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the outcomes to record now: those of different events, as one batch cannot write an item twice.
    /// Nothing, if more outcomes are expected and `at_once` is false.
    fn take(&self, at_once: bool) -> Vec<Waiting> {
        let mut state = self.state();
        if !at_once && state.waiting.len() < state.legs {
            return Vec::new();
        }
        let (mut taken, mut left): (Vec<Waiting>, Vec<Waiting>) = (Vec::new(), Vec::new());
        for waiting in state.waiting.drain(..) {
            let is_same = |one: &Waiting| one.update.key == waiting.update.key;
            if taken.len() == MAX_STATEMENTS || taken.iter().any(is_same) {
                left.push(waiting);
            } else {
                taken.push(waiting);
            }
        }
        state.waiting = left;
        taken
    }
}

/// Takes part in recording outcomes together, until it is dropped.
#[derive(Debug)]
pub struct RecordsTogether(Arc<OutcomeBatch>);

impl Drop for RecordsTogether {
    fn drop(&mut self) {
        self.0.state().legs -= 1;
        self.0.left.notify_waiters();
    }
}

/// Returns whether a statement with this error needs no further call. A condition fails if the event has expired.
fn is_settled(error: Option<&BatchStatementError>) -> bool {
    error
        .is_none_or(|error| error.code == Some(BatchStatementErrorCodeEnum::ConditionalCheckFailed))
}

impl Store {
    /// Announces a leg whose outcomes are recorded together with those of others.
    #[must_use]
    pub fn record_together(&self) -> RecordsTogether {
        self.outcomes.state().legs += 1;
        RecordsTogether(Arc::clone(&self.outcomes))
    }

    /// Records an outcome, together with those of other legs if there are any.
    pub(super) async fn record(&self, update: OutcomeUpdate) -> Result<(), StoreError> {
        if self.outcomes.state().legs < 2 {
            return self.record_alone(update).await;
        }
        Box::pin(self.record_with_others(update)).await
    }

    async fn record_with_others(&self, update: OutcomeUpdate) -> Result<(), StoreError> {
        let (reply, mut recorded) = oneshot::channel();
        self.outcomes.state().waiting.push(Waiting { update: update.clone(), reply });
        let mut at_once = false;
        loop {
            self.record_waiting(self.outcomes.take(at_once)).await;
            at_once = tokio::select! {
                biased;
                // Without an answer, the leg that recorded it has panicked.
                result = &mut recorded => return match result {
                    Ok(true) => Ok(()),
                    Ok(false) | Err(_) => self.record_alone(update).await,
                },
                () = self.outcomes.left.notified() => false,
                () = tokio::time::sleep(MAX_WAIT) => true,
            };
        }
    }

    /// Records outcomes in one call and tells those who wait for them.
    async fn record_waiting(&self, batch: Vec<Waiting>) {
        if batch.len() < 2 {
            for Waiting { reply, .. } in batch {
                let _ = reply.send(false);
            }
            return;
        }
        let statements = batch.iter().map(|waiting| self.statement(&waiting.update)).collect();
        let output = match statements {
            Ok(statements) => {
                let call = self.dynamodb.batch_execute_statement();
                let output = call.set_statements(Some(statements)).send().await;
                output.map_err(|error| unavailable("BatchExecuteStatement", error))
            }
            Err(error) => Err(error),
        };
        let responses = output.map(|output| output.responses.unwrap_or_default());
        let responses = responses.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot record outcomes together: each is recorded alone");
            Vec::new()
        });
        let mut responses = responses.into_iter();
        for Waiting { reply, .. } in batch {
            // A batch is not atomic: each statement has an error of its own.
            let response = responses.next();
            let _ =
                reply.send(response.is_some_and(|response| is_settled(response.error.as_ref())));
        }
    }

    /// Returns the statement that records an outcome. It changes nothing if the event does not exist.
    fn statement(&self, update: &OutcomeUpdate) -> Result<BatchStatementRequest, StoreError> {
        let OutcomeUpdate { key, target, outcome, external_id } = update;
        let table = &self.table;
        let (ext, external_id) = match external_id {
            Some(id) => (" SET ext=?", Some(id)),
            None => ("", None),
        };
        let text =
            format!("UPDATE \"{table}\" SET outcomes.\"{target}\"=?{ext} WHERE pk=? AND sk=?");
        let of_key = |name: &str| string_attribute(key, name).to_owned();
        let parameters = std::iter::once(outcome.clone())
            .chain(external_id.cloned())
            .chain([of_key("pk"), of_key("sk")]);
        BatchStatementRequest::builder()
            .statement(text)
            .set_parameters(Some(parameters.map(AttributeValue::S).collect()))
            .build()
            .map_err(|error| unavailable("BatchExecuteStatement", error))
    }
}
