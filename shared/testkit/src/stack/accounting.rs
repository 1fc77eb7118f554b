//! Where every delivery of every accepted event is.

use trunkline_core::model::{Delivery, Job, Verdict};
use trunkline_runtime::operator::{PendingDelivery, Selection};

use super::{TestStack, dead_queue, outbound_queue};

/// Where the deliveries of all accepted events are. Each is in exactly one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounting {
    /// The platform took it, or has no equivalent of it.
    pub delivered: usize,
    /// It waits in the table.
    pub parked: usize,
    /// It waits for an operator.
    pub failed: usize,
    /// An operator discarded it.
    pub discarded: usize,
    /// It is in an outbound queue.
    pub queued: usize,
    /// It is a dead letter, in the table or in a dead-letter queue.
    pub dead: usize,
    /// It is nowhere: a description of each.
    pub lost: Vec<String>,
}

impl TestStack {
    /// Finds every delivery of every event that was accepted from a channel, and of the events that belong
    /// to its conversations.
    pub async fn accounting(&self) -> Accounting {
        let mut accounting = Accounting::default();
        let (queued, dead) = (self.queued_jobs(false), self.queued_jobs(true));
        let letters = self.dead_letters().await;
        let letters: Vec<String> = letters.into_iter().map(|letter| letter.body).collect();
        let keys = self.conversations.borrow().clone();
        for key in keys {
            let transcript = self.transcript(key.channel.as_str(), &key.customer).await;
            for record in transcript {
                for delivery in record.deliveries() {
                    let outcome = record.outcomes.get(&delivery.to.outcome_key());
                    let verdict = outcome.map(|outcome| outcome.verdict);
                    let to = delivery.to.connection.as_str();
                    let same = |other: &Delivery| other.id == delivery.id;
                    match verdict {
                        Some(Verdict::Delivered | Verdict::Skipped) => accounting.delivered += 1,
                        Some(Verdict::Discarded) => accounting.discarded += 1,
                        _ if self.failed(to).await.iter().any(|one| same(&one.delivery)) => {
                            accounting.failed += 1;
                        }
                        _ if self.parked(to).await.iter().any(|one| same(&one.delivery)) => {
                            accounting.parked += 1;
                        }
                        _ if queued.iter().any(|body| is_delivery(body, &delivery)) => {
                            accounting.queued += 1;
                        }
                        _ if dead
                            .iter()
                            .chain(&letters)
                            .any(|body| is_delivery(body, &delivery)) =>
                        {
                            accounting.dead += 1;
                        }
                        _ => accounting.lost.push(format!(
                            "{} from {} to {to}: {verdict:?}",
                            record.event.body.kind(),
                            record.from
                        )),
                    }
                }
            }
        }
        accounting
    }

    /// Whether no message is in an outbound or dead-letter queue, also none that is in flight, and nothing
    /// is parked.
    pub async fn is_at_rest(&self) -> bool {
        let queued = [false, true].map(|dead| self.queued_jobs(dead).len());
        queued == [0, 0] && self.all_parked().await == 0
    }

    async fn all_parked(&self) -> usize {
        let pending = self.app.operator_actions().pending(&Selection::default()).await.unwrap();
        pending.iter().filter(|one| matches!(one, PendingDelivery::Parked(_))).count()
    }

    /// Returns the bodies of the messages in all outbound or all dead-letter queues.
    fn queued_jobs(&self, dead: bool) -> Vec<String> {
        let name = if dead { dead_queue } else { outbound_queue };
        let queues = self.platforms.keys().map(|platform| name(platform));
        queues.flat_map(|queue| self.sqs.messages(&queue)).map(|message| message.body).collect()
    }
}

fn is_delivery(body: &str, wanted: &Delivery) -> bool {
    match serde_json::from_str(body) {
        Ok(Job::Deliver(delivery)) => delivery.id == wanted.id,
        _ => false,
    }
}
