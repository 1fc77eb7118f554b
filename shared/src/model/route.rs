//! A route: who serves a channel connection, and what holds between them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, Party, RouteId};

/// Which bot, desk and observers serve the channels that name this route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// What answers first. Without one, everything goes to the desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<ConnectionId>,
    /// Where people are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<ConnectionId>,
    /// Who listens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<ConnectionId>,
    /// When people take over, and when they give back.
    #[serde(default)]
    pub switching: Switching,
    /// Counts its changes; a change is made only on the version it was decided on.
    #[serde(default)]
    pub version: u64,
}

/// A route with its parties, as they are configured now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// The route's id.
    pub route: RouteId,
    /// What answers first.
    pub bot: Option<Party>,
    /// Where people are.
    pub desk: Option<Party>,
    /// Who listens.
    pub observers: Vec<Party>,
    /// When people take over, and when they give back.
    pub switching: Switching,
}

/// When people take over, when they give back, and what the customer is told. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switching {
    /// How long an offer waits to be accepted; for ever, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_within: Option<u32>,
    /// How long a customer waits for the agent's answer; for ever, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_idle: Option<u32>,
    /// After how long a silence the conversation ends; never, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ttl: Option<u32>,
    /// After how long an outage of the bot's connection people take over; never, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_down_after: Option<u32>,
    /// What follows when the desk closes its side.
    pub after_close: Then,
    /// What follows when nobody accepts, or the agent does not answer.
    pub if_nobody: Then,
    /// How many messages the desk is told of what was said before.
    pub transcript: u16,
    /// Since when.
    pub transcript_since: Since,
    /// The language of customers of whom nobody says it (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The words by which a customer switches, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keywords: BTreeMap<String, Keywords>,
    /// What the customer is told, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, Texts>,
}

impl Default for Switching {
    fn default() -> Self {
        Self {
            accept_within: None,
            agent_idle: None,
            session_ttl: None,
            bot_down_after: None,
            after_close: Then::Bot,
            if_nobody: Then::Bot,
            transcript: 20,
            transcript_since: Since::Start,
            language: None,
            keywords: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }
}

/// What follows when people have done with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The bot has it again.
    Bot,
    /// It is over.
    Close,
}

/// Since when a desk is told what was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// Since the conversation started.
    Start,
    /// Since the bot last got it back.
    Handback,
}

/// The words by which a customer switches: a message that says nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keywords {
    /// To people.
    pub handover: Vec<String>,
    /// Back to the bot.
    pub handback: Vec<String>,
}

/// What the customer is told. Where a text is empty, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// People were asked to take over.
    pub waiting: String,
    /// One of them has; `{agent}` stands for the name.
    pub joined: String,
    /// They have gone.
    pub left: String,
    /// Nobody took over.
    pub nobody: String,
    /// What the customer sent cannot be shown here.
    pub unshown: String,
    /// What `{agent}` stands for where the name is not known.
    pub agent: String,
}

/// What may come due in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub enum Timer {
    /// Nobody has accepted.
    AcceptWithin {
        /// Which handover.
        handover: String,
    },
    /// The agent has not answered.
    AgentIdle {
        /// Which handover.
        handover: String,
    },
    /// Nobody says anything any more.
    SessionTtl {
        /// Which of the customer's conversations.
        conversation: String,
    },
}

/// What may come due, and when to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub timer: Timer,
    /// When to look.
    pub at: Timestamp,
}
