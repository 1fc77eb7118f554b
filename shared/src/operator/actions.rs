//! What waits, and what a person can do about it.

use jiff::Timestamp;

use crate::app::{Clock, Ids};
use crate::model::{
    ConnectionId, DeadLetter, Delivery, Drain, Failed, Job, LegId, Outcome, Parked, Verdict,
};
use crate::queue::{Packed, QueueError, Queues};
use crate::store::{Store, StoreError};

/// How many are read at once.
const PAGE: u16 = 100;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// What an order is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// One delivery.
    pub delivery: Option<String>,
    /// All of a conversation, by its id.
    pub conversation: Option<String>,
    /// All to a connection.
    pub connection: Option<ConnectionId>,
    /// All that wait since then or later.
    pub since: Option<Timestamp>,
}

impl Selection {
    pub(super) fn holds(&self, delivery: &Delivery, at: Timestamp) -> bool {
        self.delivery.as_ref().is_none_or(|id| *id == delivery.id)
            && self.conversation.as_ref().is_none_or(|id| *id == delivery.conversation)
            && self.connection.as_ref().is_none_or(|id| *id == delivery.to.connection)
            && self.since.is_none_or(|since| at >= since)
    }
}

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Waiting {
    /// For its connection, or its time.
    Parked(Box<Parked>),
    /// For a person.
    Failed(Box<Failed>),
}

impl Waiting {
    /// The delivery, since when it waits, how often it was attempted, and why it waits.
    #[must_use]
    pub fn particulars(&self) -> (&Delivery, Timestamp, u32, &str) {
        match self {
            Self::Parked(parked) => {
                (&parked.delivery, parked.since, parked.attempts, &parked.reason)
            }
            Self::Failed(failed) => (&failed.delivery, failed.at, failed.attempts, &failed.reason),
        }
    }
}

/// Carries out orders.
#[derive(Debug, Clone, Copy)]
pub struct Operator<'a> {
    /// The table.
    pub store: &'a Store,
    /// The queues.
    pub queues: &'a Queues,
    /// The time.
    pub clock: &'a dyn Clock,
    /// New ids.
    pub ids: &'a dyn Ids,
}

impl Operator<'_> {
    /// All that waits of a selection: what is parked in its order, then what has failed.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn waiting(&self, selection: &Selection) -> Result<Vec<Waiting>, OrderError> {
        let (found, _) = self.page(selection, None, None, usize::MAX).await?;
        Ok(found)
    }

    /// Has all of a selection sent again: what has failed anew, what is parked now. Answers with how
    /// many.
    ///
    /// # Errors
    /// If the table or a queue does not answer. Ordering it again is safe.
    pub async fn replay(&self, selection: &Selection) -> Result<usize, OrderError> {
        let waiting = self.waiting(selection).await?;
        let mut failed: Vec<&Failed> = Vec::new();
        let mut legs: Vec<(LegId, crate::model::Platform)> = Vec::new();
        for one in &waiting {
            match one {
                Waiting::Failed(one) => failed.push(one),
                Waiting::Parked(parked) => {
                    let leg = (parked.delivery.leg(), parked.delivery.to.platform);
                    if !legs.contains(&leg) {
                        legs.push(leg);
                    }
                }
            }
        }
        // In the order in which they happened.
        failed.sort_by_key(|failed| failed.delivery.event.at);
        for failed in failed {
            let delivery = Delivery { replay: true, ..failed.delivery.clone() };
            let (platform, group) = (delivery.to.platform, delivery.leg().group());
            let job = Job::Deliver(Box::new(delivery));
            self.order(platform, group, &job).await?;
            self.store.forget_failed(failed).await?;
        }
        for (leg, platform) in legs {
            let group = leg.group();
            self.order(platform, group, &Job::Drain { leg, why: Drain::Released }).await?;
        }
        Ok(waiting.len())
    }

    /// Discards all of a selection: it is not sent. Answers with how many.
    ///
    /// # Errors
    /// If the table or a queue does not answer. Ordering it again is safe.
    pub async fn discard(&self, selection: &Selection) -> Result<usize, OrderError> {
        let waiting = self.waiting(selection).await?;
        for one in &waiting {
            match one {
                Waiting::Failed(failed) => {
                    let outcome = Outcome {
                        verdict: Verdict::Discarded,
                        at: self.clock.now(),
                        status: None,
                        reason: Some(failed.reason.clone()),
                        external_id: None,
                        attempts: failed.attempts,
                    };
                    self.store.settle(&failed.delivery, &outcome).await?;
                    self.store.forget_failed(failed).await?;
                }
                // Only the leg's one writer may touch what is parked on it.
                Waiting::Parked(parked) => {
                    let leg = parked.delivery.leg();
                    let (platform, group) = (parked.delivery.to.platform, leg.group());
                    self.order(platform, group, &Job::Discard { leg, seq: parked.seq }).await?;
                }
            }
        }
        Ok(waiting.len())
    }

    /// The dead letters, the oldest first.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, OrderError> {
        let mut found: Vec<DeadLetter> = Vec::new();
        loop {
            let after = found.last().map(|letter| letter.id.clone());
            let page = self.store.dead_letters(after.as_deref(), PAGE).await?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    }

    /// Puts dead letters back into their queues, the oldest first: one, or all. Answers with how many.
    ///
    /// # Errors
    /// If the table or a queue does not answer. Ordering it again is safe.
    pub async fn redrive(&self, only: Option<&str>) -> Result<usize, OrderError> {
        let mut letters = self.dead_letters().await?;
        letters.retain(|letter| only.is_none_or(|only| only == letter.id));
        for letter in &letters {
            let id = self.ids.next(self.clock.now());
            let (group, body) = (letter.group.clone(), letter.body.clone());
            self.queues.send(Packed::raw(letter.platform, group, id, body)).await?;
            self.store.forget_dead_letter(letter).await?;
        }
        Ok(letters.len())
    }

    async fn order(
        &self,
        platform: crate::model::Platform,
        group: String,
        job: &Job,
    ) -> Result<(), OrderError> {
        let id = self.ids.next(self.clock.now());
        Ok(self.queues.order(platform, group, id, job).await?)
    }
}
