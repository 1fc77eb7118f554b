//! A conversation, who takes part, and who answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationKey, Platform, RouteId};

/// Who answers the customer now. Exactly one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The route's bot.
    Bot,
    /// People.
    Desk,
}

/// Whether a conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It goes on.
    Open,
    /// It is over; the customer's next message starts another.
    Closed,
}

/// A connection as it takes part in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Which.
    pub connection: ConnectionId,
    /// Its platform, which tells the queue.
    pub platform: Platform,
    /// Whether it wants copies of what is not addressed to it.
    #[serde(default)]
    pub copies: bool,
}

/// Who takes part. Settled when the conversation starts, so that no change of configuration
/// strands one that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// Where the customer is.
    pub channel: Party,
    /// What answers first.
    pub bot: Party,
    /// Who listens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<Party>,
}

/// One customer's exchange on one channel connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// What it is found by.
    pub key: ConversationKey,
    /// Its own id: what bots and desks know it by. A new one each time it starts.
    pub id: String,
    /// By which route it started.
    pub route: RouteId,
    /// Who takes part.
    pub parties: Parties,
    /// Who answers.
    pub owner: Owner,
    /// When the owner last changed from the bot to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_at: Option<Timestamp>,
    /// Whether it goes on.
    pub phase: Phase,
    /// When it started.
    pub started_at: Timestamp,
    /// When this record was last written. It is written anew now and then, so that one that goes on does
    /// not expire.
    pub touched_at: Timestamp,
    /// Counts the changes of this record; a change is made only on the version it was decided on.
    pub version: u64,
}

impl Conversation {
    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }
}
