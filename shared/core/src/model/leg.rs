//! Legs: the presence of a customer's conversations on one connection.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, ExternalConversationId, SessionId, digest};

/// The maximum number of sessions that a leg remembers.
const MAX_SESSIONS: usize = 8;

/// The id of a leg. Successive conversations of one customer share the leg, so that their order is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LegId {
    /// The key of the customer's conversations.
    pub key: ConversationKey,
    pub connection: ConnectionId,
}

impl LegId {
    /// Returns the SQS message group of the leg. All deliveries of a leg are in one group, which keeps their
    /// order.
    #[must_use]
    pub fn message_group(&self) -> String {
        digest(&[self.key.channel.as_str(), &self.key.customer, self.connection.as_str()])
    }
}

/// A conversation as the platform knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The id by which the leg knows the conversation.
    pub id: SessionId,
    /// The id by which the platform knows the conversation.
    pub external_conversation_id: ExternalConversationId,
    /// When the session expires on the platform. `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether a listener must receive the events of this session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_listener: bool,
    /// Further ids that the platform needs in later calls. Never contains secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub platform_data: BTreeMap<String, String>,
}

impl Session {
    /// Creates a session that does not expire, without platform data.
    #[must_use]
    pub fn new(
        id: impl Into<SessionId>,
        external_conversation_id: impl Into<ExternalConversationId>,
    ) -> Self {
        Self {
            id: id.into(),
            external_conversation_id: external_conversation_id.into(),
            expires_at: None,
            needs_listener: false,
            platform_data: BTreeMap::new(),
        }
    }

    /// Returns whether the session has not expired.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// A leg as stored. Its only writer is the outbound function, inside the message group of the leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub id: LegId,
    /// The latest sessions, the newest last.
    pub sessions: Vec<Session>,
    /// The number of parked deliveries. While it is not 0, further deliveries are parked behind them.
    #[serde(default)]
    pub parked: u64,
    /// The sequence number of the next parked delivery.
    #[serde(default)]
    pub next_seq: u64,
    /// When a session was last opened or the record was last rewritten to prevent its expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched_at: Option<Timestamp>,
    /// Increases with each write.
    #[serde(default)]
    pub version: u64,
}

impl Leg {
    /// Creates a leg without sessions.
    #[must_use]
    pub fn new(id: LegId) -> Self {
        Self { id, sessions: Vec::new(), parked: 0, next_seq: 0, touched_at: None, version: 0 }
    }

    /// Returns the session with this id, if it was opened.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == *id)
    }

    /// Returns the leg with the session added, in place of an earlier one with the same id.
    #[must_use]
    pub fn with_session(&self, session: Session, now: Timestamp) -> Self {
        let mut after = self.touched(now);
        after.sessions.retain(|known| known.id != session.id);
        if after.sessions.len() >= MAX_SESSIONS {
            after.sessions.remove(0);
        }
        after.sessions.push(session);
        after
    }

    /// Returns the leg to write so that it does not expire.
    #[must_use]
    pub fn touched(&self, now: Timestamp) -> Self {
        Self { touched_at: Some(now), version: self.version + 1, ..self.clone() }
    }

    /// Returns the leg with one more parked delivery, at `next_seq`.
    #[must_use]
    pub fn with_one_more_parked(&self) -> Self {
        let (parked, next_seq, version) = (self.parked + 1, self.next_seq + 1, self.version + 1);
        Self { parked, next_seq, version, ..self.clone() }
    }

    /// Returns the leg with one parked delivery less.
    #[must_use]
    pub fn with_one_less_parked(&self) -> Self {
        Self { parked: self.parked.saturating_sub(1), version: self.version + 1, ..self.clone() }
    }
}
