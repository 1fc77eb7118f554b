//! A conversation, who takes part, and who answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Capabilities, Choice, ConnectionId, ConversationKey, Feature, Platform, RouteId};

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
    /// Whether what people say to it begins with their name: they share one account there.
    #[serde(default)]
    pub sender_prefix: bool,
    /// The longest text that it takes, in characters, where that differs from its platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_limit: Option<u32>,
    /// What it shows beyond its platform's row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<Feature>,
}

impl Party {
    /// What it can be given.
    #[must_use]
    pub fn can(&self) -> Capabilities {
        self.platform.capabilities().with(&self.shows)
    }
}

/// Who takes part. Settled when the conversation starts, and for a bot or desk anew when it gets the
/// conversation, so that no change of configuration strands one that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// Where the customer is.
    pub channel: Party,
    /// What answers first, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Party>,
    /// Where people are, if the route has such a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<Party>,
    /// Who listens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<Party>,
}

/// That people have a conversation, or are asked to take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// What the desk knows the conversation by: a new one each time.
    pub id: String,
    /// Where the people are.
    pub place: Place,
    /// What brought it about.
    pub by: Trigger,
    /// Why, in the words of who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for.
    pub at: Timestamp,
    /// When one of them took it; pending, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Who took it, as far as we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Where people are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the route's desk.
    Desk,
    /// On the channel's own side, such as Webex Connect's contact centre.
    Channel,
}

/// What brought a handover about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The bot asked.
    Bot,
    /// The channel's platform said so.
    Channel,
    /// People at the desk began it.
    Desk,
    /// The customer wrote one of the route's words for it.
    Keyword,
    /// A person who operates Trunkline.
    Operator,
    /// The bot's connection was down for too long.
    BotDown,
    /// The route has no bot.
    Route,
}

/// What a bot or desk is in a conversation at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Floor {
    /// It answers.
    Active,
    /// It was asked to answer, and has not accepted yet. Everything goes to it already.
    Pending,
    /// It listens at most.
    Standby,
}

/// How a conversation stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The bot has it.
    Bot,
    /// People are asked to take it.
    Pending,
    /// People have it.
    Desk,
    /// It is over.
    Closed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bot, Self::Pending, Self::Desk, Self::Closed];

    /// As it is written.
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
    /// That people have it; the bot does, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// Since when the bot has it, or had it last.
    pub bot_since: Timestamp,
    /// Whether it goes on.
    pub phase: Phase,
    /// The customer's language (BCP 47), as last heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What the channel's platform needs to have back in an answer, as last heard.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub origin: Map<String, Value>,
    /// What the customer was last given to choose from as numbered text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<Choice>,
    /// Whether the customer was told that something cannot be shown: that is said once.
    #[serde(default)]
    pub told_unshown: bool,
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

    /// How it stands, in one word.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.is_open(), self.owner()) {
            (false, _) => State::Closed,
            (true, Owner::Bot) => State::Bot,
            (true, owner) if self.floor(owner) == Floor::Pending => State::Pending,
            (true, Owner::Desk) => State::Desk,
        }
    }

    /// Who answers. Exactly one does.
    #[must_use]
    pub fn owner(&self) -> Owner {
        if self.handover.is_some() || self.parties.bot.is_none() { Owner::Desk } else { Owner::Bot }
    }

    /// What the bot or the desk is at the moment.
    #[must_use]
    pub fn floor(&self, of: Owner) -> Floor {
        match (&self.handover, of) {
            _ if self.owner() != of || !self.is_open() => Floor::Standby,
            (Some(handover), Owner::Desk) if handover.accepted_at.is_none() => Floor::Pending,
            (None, Owner::Desk) => Floor::Pending,
            _ => Floor::Active,
        }
    }

    /// The handover to the route's desk, if that is where the conversation is.
    #[must_use]
    pub fn at_desk(&self) -> Option<&Handover> {
        self.handover.as_ref().filter(|handover| handover.place == Place::Desk)
    }
}
