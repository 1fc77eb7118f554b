//! Reads the state of the stack.

use trunkline_core::model::EventRecord;
use trunkline_core::model::{
    Breaker, Conversation, ConversationKey, DeadLetter, Failed, Outcome, Parked,
};
use trunkline_runtime::app::Clock;
use trunkline_runtime::operator::{PendingDelivery, Selection};
use trunkline_runtime::store::Health;

use super::TestStack;

/// The number of events that a test reads.
const TRANSCRIPT: u16 = 1_000;

impl TestStack {
    /// Returns the key of a customer's conversation.
    pub fn key(&self, channel: &str, customer: &str) -> ConversationKey {
        ConversationKey { channel: channel.parse().unwrap(), customer: customer.to_owned() }
    }

    /// Returns the current or last conversation of a customer.
    pub async fn conversation(&self, channel: &str, customer: &str) -> Conversation {
        let found = self.app.store.conversation(&self.key(channel, customer)).await.unwrap();
        found.unwrap_or_else(|| panic!("{customer} has no conversation on {channel}"))
    }

    /// Returns the events of a customer's conversations, the oldest first.
    pub async fn transcript(&self, channel: &str, customer: &str) -> Vec<EventRecord> {
        let (key, now) = (self.key(channel, customer), self.clock.now());
        self.app.store.transcript(&key, TRANSCRIPT, now).await.unwrap()
    }

    /// Returns the outcome of the first part of a message on a connection; `None` while there is none.
    /// `text` is the message's whole text.
    pub async fn outcome(
        &self,
        channel: &str,
        customer: &str,
        text: &str,
        connection: &str,
    ) -> Option<Outcome> {
        let transcript = self.transcript(channel, customer).await;
        let body = super::message(text);
        let record = transcript.into_iter().find(|record| record.event.body == body);
        let record = record.unwrap_or_else(|| panic!("no message '{text}' in the transcript"));
        record.outcomes.get(connection).cloned()
    }

    /// Returns the parked deliveries to a connection, those of a leg in order.
    pub async fn parked(&self, connection: &str) -> Vec<Parked> {
        let pending = self.pending(connection).await;
        let parked = |one| match one {
            PendingDelivery::Parked(parked) => Some(*parked),
            PendingDelivery::Failed(_) => None,
        };
        pending.into_iter().filter_map(parked).collect()
    }

    /// Returns the failed deliveries to a connection.
    pub async fn failed(&self, connection: &str) -> Vec<Failed> {
        let pending = self.pending(connection).await;
        let failed = |one| match one {
            PendingDelivery::Failed(failed) => Some(*failed),
            PendingDelivery::Parked(_) => None,
        };
        pending.into_iter().filter_map(failed).collect()
    }

    async fn pending(&self, connection: &str) -> Vec<PendingDelivery> {
        let connection = Some(connection.parse().unwrap());
        let selection = Selection { connection, ..Selection::default() };
        self.app.operator_actions().pending(&selection).await.unwrap()
    }

    /// Returns the dead letters in the table, the oldest first.
    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.app.operator_actions().dead_letters().await.unwrap()
    }

    /// Verifies a connection as an operator does, and returns the result.
    pub async fn verify(&self, connection: &str) -> Health {
        let connection = self.connection(connection);
        let actions = self.app.operator_actions();
        let verified = actions.verify(&connection.id, connection.platform, 20);
        let work = async {
            loop {
                self.run_until_idle().await;
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        // The operator waits while the outbound function works.
        tokio::select! {
            health = verified => health.unwrap(),
            () = work => unreachable!("it works for ever"),
        }
    }

    /// Returns the breaker of a connection.
    pub async fn breaker(&self, connection: &str) -> Breaker {
        self.app.store.breaker(&connection.parse().unwrap()).await.unwrap()
    }
}
