//! A leg: a conversation's presence on one connection, and its place in the order.

use std::collections::BTreeMap;

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

/// A conversation as the far side has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The conversation, as the leg knows it.
    pub conversation: String,
    /// What the far side knows it by.
    pub external_id: String,
    /// When the far side forgets it; never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether somebody must listen for what the far side says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listen: bool,
    /// What else its platform needs to go on: ids, never a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<String, String>,
}

impl Session {
    /// A session that lasts, of which nothing else is to be remembered.
    #[must_use]
    pub fn new(conversation: impl Into<String>, external_id: impl Into<String>) -> Self {
        Self {
            conversation: conversation.into(),
            external_id: external_id.into(),
            expires_at: None,
            listen: false,
            memory: BTreeMap::new(),
        }
    }

    /// Whether the far side still has it.
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// A leg as its one writer, the outbound function inside of its message group, keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Which.
    pub id: LegId,
    /// The last conversations as the far side has them, the newest last.
    pub sessions: Vec<Session>,
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
        Self { id, sessions: Vec::new(), parked: 0, next_seq: 0, touched_at: None, version: 0 }
    }

    /// A conversation as the far side has it, if it was opened there.
    #[must_use]
    pub fn session(&self, conversation: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.conversation == conversation)
    }

    /// The leg with a conversation opened on it, or with another session of the same.
    #[must_use]
    pub fn opened(&self, session: Session, now: Timestamp) -> Self {
        let mut after = self.renewed(now);
        after.sessions.retain(|known| known.conversation != session.conversation);
        if after.sessions.len() >= REMEMBERED {
            after.sessions.remove(0);
        }
        after.sessions.push(session);
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
