//! A conversation: its parties, its owner and its state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Capabilities, Choice, ConnectionId, ConversationId, ConversationKey, HandoverId, Offer,
    PlatformId, Presentation, RouteId,
};

/// The owner of a conversation: the party that answers the customer. There is always exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Bot,
    /// Human agents, at the desk or on the channel's own platform.
    Desk,
}

/// Whether a conversation is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Open,
    /// The customer's next message starts a new conversation.
    Closed,
}

/// A connection as a party of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub connection: ConnectionId,
    /// The platform, which determines the queue.
    pub platform: PlatformId,
    /// Whether the party receives copies of events that are not addressed to it: a bot while the desk owns the
    /// conversation, a desk until the first handover.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub copies: bool,
    #[serde(default)]
    pub presentation: Presentation,
}

impl Party {
    /// Returns what the platform and the connection can show and do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.presentation.capabilities
    }
}

/// The parties of a conversation. They are resolved when the conversation starts, and the bot or desk
/// again when it receives the conversation, so that a change of configuration does not strand open
/// conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// The channel of the customer.
    pub channel: Party,
    /// `None`: the desk answers first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Party>,
    /// `None` if the route has no desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<Party>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<Party>,
}

/// A handover: agents own the conversation, or the conversation is offered to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The id by which the desk knows the conversation. Each handover has a new one.
    pub id: HandoverId,
    pub location: AgentLocation,
    pub trigger: HandoverTrigger,
    /// The reason that the requesting party gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the handover was requested.
    pub at: Timestamp,
    /// When an agent accepted. `None` while pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// The name of the agent who accepted. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Where the agents of a handover work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgentLocation {
    Desk,
    /// On the channel's own platform, such as Webex Connect's contact centre.
    Channel,
}

/// The cause of a handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HandoverTrigger {
    /// The bot requested it.
    Bot,
    /// The channel's platform reported it.
    Channel,
    /// An agent at the desk started the conversation.
    Desk,
    /// The customer sent one of the route's handover keywords.
    Keyword,
    /// An operator requested it.
    Operator,
    /// The bot's connection was down for longer than `bot_down_after`.
    BotDown,
    Route,
}

/// How a bot or desk currently participates in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Participation {
    /// It owns the conversation and answers.
    Active,
    /// The conversation is offered to it and not accepted yet. Messages go to it already.
    Pending,
    /// It does not own the conversation; it may receive copies.
    Standby,
}

/// The state of a conversation, for lists and filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConversationState))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The bot owns it.
    Bot,
    /// It is offered to agents who have not accepted yet.
    Pending,
    /// Agents own the conversation.
    Desk,
    Closed,
}

impl State {
    /// All states, in this order.
    pub const ALL: [Self; 4] = [Self::Bot, Self::Pending, Self::Desk, Self::Closed];

    /// Returns the name of the state as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Pending => "pending",
            Self::Desk => "desk",
            Self::Closed => "closed",
        }
    }
}

/// A conversation of one customer on one channel connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The key under which the conversation is stored.
    pub key: ConversationKey,
    /// Trunkline's id, by which a bot knows the conversation. The customer's next conversation has a new
    /// one.
    pub id: ConversationId,
    /// The route on which the conversation started.
    pub route: RouteId,
    pub parties: Parties,
    /// `None` while the bot owns the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// When the bot last became the owner.
    pub bot_since: Timestamp,
    pub phase: Phase,
    /// The customer's language (BCP 47), as last received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Data of the channel's platform that replies must return to it, as last received.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub origin: Map<String, Value>,
    /// The choices that the customer last received as numbered text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered_choices: Vec<Choice>,
    /// The message that offered them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Whether the customer has received the notice that a message cannot be shown. It is sent once.
    #[serde(default)]
    pub unsupported_notice_sent: bool,
    pub started_at: Timestamp,
    /// When this record was last written. The record of an open conversation is rewritten from time to time
    /// so that it does not expire.
    pub touched_at: Timestamp,
    /// Increases with each change. A change is only written to the version that it was based on.
    pub version: u64,
}

impl Conversation {
    /// Returns whether the conversation is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Returns the state of the conversation.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.is_open(), self.owner()) {
            (false, _) => State::Closed,
            (true, Owner::Bot) => State::Bot,
            (true, owner) if self.participation(owner) == Participation::Pending => State::Pending,
            (true, Owner::Desk) => State::Desk,
        }
    }

    /// Returns the owner of the conversation.
    #[must_use]
    pub fn owner(&self) -> Owner {
        if self.handover.is_some() || self.parties.bot.is_none() { Owner::Desk } else { Owner::Bot }
    }

    /// Returns how the bot or the desk currently participates.
    #[must_use]
    pub fn participation(&self, of: Owner) -> Participation {
        match (&self.handover, of) {
            _ if self.owner() != of || !self.is_open() => Participation::Standby,
            (Some(handover), Owner::Desk) if handover.accepted_at.is_none() => {
                Participation::Pending
            }
            (None, Owner::Desk) => Participation::Pending,
            _ => Participation::Active,
        }
    }

    /// Returns the current handover if it is to the route's desk.
    #[must_use]
    pub fn at_desk(&self) -> Option<&Handover> {
        self.handover.as_ref().filter(|handover| handover.location == AgentLocation::Desk)
    }
}
