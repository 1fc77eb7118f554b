//! Who gets what, and who owns the conversation: pure decisions.
//!
//! A conversation is the bot's, or people's: then it holds a handover, pending until one of them
//! accepts. Whatever changes that is an event in the transcript: the sender's own, or one that the
//! house (Trunkline itself) says because of it.

mod agent_initiated;
mod bot;
mod channel;
mod decision_builder;
mod desk;
mod keywords;
mod refusal;
mod system;
#[cfg(test)]
mod tests;
mod timers;

use jiff::Timestamp;

pub use refusal::Refusal;
pub use timers::{Activity, Look, look, look_at_bot};

use crate::model::{
    Author, Conversation, ConversationKey, Due, Event, EventBody, Parties, Party, Phase, Role,
    Serving, Target, Timer,
};

/// What a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The conversation, if there is one.
    pub conversation: Option<&'a Conversation>,
    /// Who serves it, as configured now; nobody, if absent.
    pub serving: Option<&'a Serving>,
    /// What a new conversation would be; only a channel's event can start one.
    pub start: Option<&'a Start>,
    /// Whence the event comes.
    pub from: Sender<'a>,
    /// What arrived.
    pub event: &'a Event,
    /// Whether it is something that we sent, come back.
    pub echo: bool,
    /// Whether people at a desk begin a conversation with it.
    pub begins: bool,
    /// The time.
    pub now: Timestamp,
    /// A new id, should a desk get the conversation.
    pub fresh: &'a str,
}

/// Whence an event comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A connection that takes part.
    Party {
        /// In what role.
        role: Role,
        /// What its leg knows the conversation by; a channel has no other name for it.
        leg: Option<&'a str>,
    },
    /// Trunkline itself.
    House(Cause<'a>),
}

/// What makes the house do something of its own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'a> {
    /// A person who operates it.
    Operator,
    /// The bot has been out of reach for too long.
    BotDown,
    /// Something came due.
    Timer(&'a Timer),
}

/// What a conversation starts with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What it will be found by.
    pub key: ConversationKey,
    /// Its new id.
    pub id: String,
    /// Where the customer is.
    pub channel: Party,
}

/// How an event stands towards its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It came from, or goes to, the owner.
    Regular,
    /// It is kept for the record; whom it concerns gets it as a copy.
    Record,
    /// It came from somebody who does not own the conversation any more: kept, not passed on.
    Late,
    /// It is what we, or the other side, said: kept, not passed on.
    Echo,
}

/// What the house says because of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What tells it from whatever else is said because of the same event.
    pub name: &'static str,
    /// By whom.
    pub author: Author,
    /// What.
    pub body: EventBody,
    /// Where it goes.
    pub targets: Vec<Target>,
}

/// What is done with an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// How the event stands.
    pub standing: Standing,
    /// The conversation afterwards.
    pub conversation: Conversation,
    /// Whether that differs from before.
    pub changed: bool,
    /// What the event turned out to mean, where that is not what it said.
    pub meant: Option<EventBody>,
    /// What is said before the event is passed on.
    pub before: Vec<Said>,
    /// Where the event goes.
    pub targets: Vec<Target>,
    /// What is said after that.
    pub after: Vec<Said>,
    /// What may come due, and when to look.
    pub timers: Vec<Due>,
}

/// Decides what is done with an event.
///
/// # Errors
/// The reason why it is not taken.
pub fn decide(situation: &Situation<'_>) -> Result<Decision, Refusal> {
    refusal::check_context(&situation.event.body)?;
    match situation.from {
        Sender::Party { role: Role::Channel, .. } => channel::decide(situation),
        Sender::Party { role: Role::Bot, leg } => bot::decide(situation, leg),
        Sender::Party { role: Role::Desk, .. } if situation.begins => {
            agent_initiated::decide(situation)
        }
        Sender::Party { role: Role::Desk, leg } => desk::decide(situation, leg),
        Sender::Party { role: Role::Observer, .. } => Err(Refusal::OnlyListens),
        Sender::House(cause) => system::decide(situation, cause),
    }
}

impl Start {
    fn conversation(&self, serving: &Serving, version: u64, now: Timestamp) -> Conversation {
        Conversation {
            key: self.key.clone(),
            id: self.id.clone(),
            route: serving.route.clone(),
            parties: Parties {
                channel: self.channel.clone(),
                bot: serving.bot.clone(),
                desk: serving.desk.clone(),
                observers: serving.observers.clone(),
            },
            handover: None,
            bot_since: now,
            phase: Phase::Open,
            language: None,
            origin: serde_json::Map::new(),
            offered: Vec::new(),
            told_unshown: false,
            started_at: now,
            touched_at: now,
            version,
        }
    }
}
