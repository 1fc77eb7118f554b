//! A leg: a conversation's presence on one connection, and its place in the order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, digest};

/// How many of a leg's earlier conversations are remembered.
const REMEMBERED: usize = 8;

/// Which leg. Successive conversations of one customer share it, so that they stay in order, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LegId {
    /// The customer's conversations.
    pub key: ConversationKey,
    /// On which connection.
    pub connection: ConnectionId,
}

impl LegId {
    /// The leg's place in the queue: all that is sent on one leg is in one group, in order.
    #[must_use]
    pub fn group(&self) -> String {
        digest(&[self.key.channel.as_str(), &self.key.customer, self.connection.as_str()])
    }
}

/// A leg as its one writer, the outbound function inside of its message group, keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Which.
    pub id: LegId,
    /// The far side's ids of the last conversations, by ours, the newest last.
    pub external_ids: Vec<(String, String)>,
    /// How many deliveries are parked on it. While any is, whatever comes parks behind.
    #[serde(default)]
    pub parked: u64,
    /// The next place among what is parked.
    #[serde(default)]
    pub next_seq: u64,
    /// When a conversation on it was last opened or renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched_at: Option<Timestamp>,
    /// Counts its writings.
    #[serde(default)]
    pub version: u64,
}

impl Leg {
    /// A leg on which nothing was sent yet.
    #[must_use]
    pub fn new(id: LegId) -> Self {
        Self { id, external_ids: Vec::new(), parked: 0, next_seq: 0, touched_at: None, version: 0 }
    }

    /// The far side's id of a conversation, if it was opened there.
    #[must_use]
    pub fn external_id(&self, conversation: &str) -> Option<&str> {
        let known = self.external_ids.iter().find(|(ours, _)| ours == conversation);
        known.map(|(_, theirs)| theirs.as_str())
    }

    /// The leg with one more conversation opened on it.
    #[must_use]
    pub fn opened(&self, conversation: &str, external_id: String, now: Timestamp) -> Self {
        let mut after = self.renewed(now);
        if after.external_ids.len() >= REMEMBERED {
            after.external_ids.remove(0);
        }
        after.external_ids.push((conversation.to_owned(), external_id));
        after
    }

    /// The leg as it is written anew, so that it does not expire.
    #[must_use]
    pub fn renewed(&self, now: Timestamp) -> Self {
        Self { touched_at: Some(now), version: self.version + 1, ..self.clone() }
    }

    /// The leg with one more delivery parked, at `next_seq`.
    #[must_use]
    pub fn with_one_more(&self) -> Self {
        let (parked, next_seq, version) = (self.parked + 1, self.next_seq + 1, self.version + 1);
        Self { parked, next_seq, version, ..self.clone() }
    }

    /// The leg with one delivery less parked.
    #[must_use]
    pub fn with_one_less(&self) -> Self {
        Self { parked: self.parked.saturating_sub(1), version: self.version + 1, ..self.clone() }
    }
}
