//! Deliveries that are parked or failed, and the actions of operators on them.

use jiff::Timestamp;

use crate::app::{Clock, IdGenerator};
use crate::error::BackendError;
use crate::queue::{QueueMessage, Queues};
use crate::store::Store;
use trunkline_core::model::{
    ConnectionId, ConversationId, DeadLetter, Delivery, DeliveryId, DrainReason, Failed, Job,
    LegId, Outcome, Parked, PlatformId, Resend, Verdict,
};

/// How many dead letters one query reads.
const PAGE_SIZE: u16 = 100;

/// The deliveries to which an action applies. All given criteria must match; without any, every pending
/// delivery is selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only the delivery with this id.
    pub delivery: Option<DeliveryId>,
    /// A conversation id.
    pub conversation: Option<ConversationId>,
    /// The connection to which the deliveries are sent.
    pub connection: Option<ConnectionId>,
    /// The earliest time of parking or failure.
    pub since: Option<Timestamp>,
}

impl Selection {
    pub(super) fn matches(&self, delivery: &Delivery, at: Timestamp) -> bool {
        self.delivery.as_ref().is_none_or(|id| *id == delivery.id)
            && self.conversation.as_ref().is_none_or(|id| *id == delivery.conversation)
            && self.connection.as_ref().is_none_or(|id| *id == delivery.to.connection)
            && self.since.is_none_or(|since| at >= since)
    }
}

/// A delivery that is parked or failed.
#[derive(Debug, Clone, PartialEq)]
pub enum PendingDelivery {
    /// Waits for its connection, or for its next attempt.
    Parked(Box<Parked>),
    /// Waits for an operator.
    Failed(Box<Failed>),
}

/// The details that parked and failed deliveries have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PendingDetails<'a> {
    pub delivery: &'a Delivery,
    /// When the delivery was parked or failed.
    pub since: Timestamp,
    /// The number of attempts so far.
    pub attempts: u32,
    /// Why it is parked or failed.
    pub reason: &'a str,
}

impl PendingDelivery {
    /// Returns the details that parked and failed deliveries have in common.
    #[must_use]
    pub fn details(&self) -> PendingDetails<'_> {
        match self {
            Self::Parked(parked) => PendingDetails {
                delivery: &parked.delivery,
                since: parked.parked_at,
                attempts: parked.attempts,
                reason: &parked.reason,
            },
            Self::Failed(failed) => PendingDetails {
                delivery: &failed.delivery,
                since: failed.at,
                attempts: failed.attempts,
                reason: &failed.reason,
            },
        }
    }
}

/// The actions of operators.
#[derive(Debug, Clone, Copy)]
pub struct OperatorActions<'a> {
    pub store: &'a Store,
    pub queues: &'a Queues,
    pub clock: &'a dyn Clock,
    pub ids: &'a dyn IdGenerator,
}

impl OperatorActions<'_> {
    /// Returns all selected deliveries: the parked ones in their order, then the failed ones.
    pub async fn pending(
        &self,
        selection: &Selection,
    ) -> Result<Vec<PendingDelivery>, BackendError> {
        let (found, _) = self.page(selection, None, None, usize::MAX).await?;
        Ok(found)
    }

    /// Replays all selected deliveries: failed ones start over, parked ones are sent now. Returns how many.
    ///
    /// # Errors
    /// If the table or a queue fails. Calling it again is safe.
    pub async fn replay(&self, selection: &Selection) -> Result<usize, BackendError> {
        let pending = self.pending(selection).await?;
        let mut failed: Vec<&Failed> = Vec::new();
        let mut legs: Vec<(LegId, PlatformId)> = Vec::new();
        for delivery in &pending {
            match delivery {
                PendingDelivery::Failed(delivery) => failed.push(delivery),
                PendingDelivery::Parked(parked) => {
                    let leg = (parked.delivery.leg(), parked.delivery.to.platform);
                    if !legs.contains(&leg) {
                        legs.push(leg);
                    }
                }
            }
        }
        // In the order of their events. Events with one timestamp failed in the order of their leg.
        failed.sort_by_key(|failed| (failed.delivery.event.at, failed.at));
        for failed in failed {
            let delivery = Delivery { resend: Resend::ByOperator, ..failed.delivery.clone() };
            let (platform, group) = (delivery.to.platform, delivery.leg().message_group());
            let job = Job::Deliver(Box::new(delivery));
            self.enqueue(platform, group, &job).await?;
            self.store.delete_failed(failed).await?;
        }
        for (leg, platform) in legs {
            let group = leg.message_group();
            self.enqueue(platform, group, &Job::Drain { leg, reason: DrainReason::Released })
                .await?;
        }
        Ok(pending.len())
    }

    /// Discards all selected deliveries, so that they are never sent. Returns how many.
    ///
    /// # Errors
    /// If the table or a queue fails. Calling it again is safe.
    pub async fn discard(&self, selection: &Selection) -> Result<usize, BackendError> {
        let pending = self.pending(selection).await?;
        for delivery in &pending {
            match delivery {
                PendingDelivery::Failed(failed) => {
                    let outcome = Outcome {
                        verdict: Verdict::Discarded,
                        at: self.clock.now(),
                        status: None,
                        reason: Some(failed.reason.clone()),
                        external_message_id: None,
                        attempts: failed.attempts,
                    };
                    self.store.put_outcome(&failed.delivery, &outcome).await?;
                    self.store.delete_failed(failed).await?;
                }
                // Only the worker of the leg's message group may change what is parked on it.
                PendingDelivery::Parked(parked) => {
                    let leg = parked.delivery.leg();
                    let (platform, group) = (parked.delivery.to.platform, leg.message_group());
                    self.enqueue(platform, group, &Job::Discard { leg, seq: parked.seq }).await?;
                }
            }
        }
        Ok(pending.len())
    }

    /// Returns the dead letters, the oldest first.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, BackendError> {
        let mut found: Vec<DeadLetter> = Vec::new();
        loop {
            let after = found.last().map(|letter| letter.id.clone());
            let page = self.store.dead_letters(after.as_deref(), PAGE_SIZE).await?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    }

    /// Moves dead letters back into their queues, the oldest first: the one with the id `only`, or all.
    /// Returns how many.
    ///
    /// # Errors
    /// If the table or a queue fails. Calling it again is safe.
    pub async fn redrive(&self, only: Option<&str>) -> Result<usize, BackendError> {
        let mut letters = self.dead_letters().await?;
        letters.retain(|letter| only.is_none_or(|only| only == letter.id));
        for letter in &letters {
            let id = self.ids.next(self.clock.now());
            let (group, body) = (letter.group.clone(), letter.body.clone());
            self.queues.send(QueueMessage::raw(letter.platform, group, id, body)).await?;
            self.store.delete_dead_letter(letter).await?;
        }
        Ok(letters.len())
    }

    async fn enqueue(
        &self,
        platform: PlatformId,
        group: String,
        job: &Job,
    ) -> Result<(), BackendError> {
        let id = self.ids.next(self.clock.now());
        Ok(self.queues.enqueue(platform, group, id, job).await?)
    }
}
