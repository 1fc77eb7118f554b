//! Who gets what, and who owns the conversation: pure decisions.
//!
//! Routes are bot-only so far. People may still take over on the channel's own side (Webex
//! Connect's contact centre, say), so the owner is kept here already.

mod bot;
mod channel;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::model::{
    Conversation, ConversationKey, Event, EventBody, Owner, Parties, Party, Phase, Role, RouteId,
    Target,
};

/// What a decision rests on.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The conversation, if there is one.
    pub conversation: Option<&'a Conversation>,
    /// What a new conversation would be; only a channel's event can start one.
    pub start: Option<Start>,
    /// In what role the event's connection takes part.
    pub from: Role,
    /// What arrived.
    pub event: &'a Event,
    /// The time.
    pub now: Timestamp,
}

/// What a conversation starts with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What it will be found by.
    pub key: ConversationKey,
    /// Its new id.
    pub id: String,
    /// The channel's route.
    pub route: RouteId,
    /// Who takes part.
    pub parties: Parties,
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
    /// Where the event goes.
    pub targets: Vec<Target>,
}

/// Why an event is not taken. Permanent: sending it again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// From a bot or desk, about a conversation that is not there.
    #[error("there is no such conversation: use the id that came with its messages")]
    UnknownConversation,
    /// The conversation is over.
    #[error("the conversation is closed: it starts anew with the customer's next message")]
    Closed,
    /// The sender does not own the conversation. The event is recorded, not passed on.
    #[error("somebody else has the conversation: the message was recorded and not passed on")]
    NotOwner,
    /// A listener wrote.
    #[error("an observer only listens: give the connection the role bot or channel to write")]
    OnlyListens,
    /// The event makes no sense from there.
    #[error("a {role} cannot send an event of type '{kind}' in this conversation")]
    OutOfPlace {
        /// The sender's role.
        role: &'static str,
        /// The event's kind.
        kind: &'static str,
    },
    /// The channel connection is in no route.
    #[error("the channel has no route: name it under a route's channels and apply again")]
    NoRoute,
}

impl Refusal {
    /// A short word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownConversation => "unknown_conversation",
            Self::Closed => "conversation_closed",
            Self::NotOwner => "not_owner",
            Self::OnlyListens => "observer_only_listens",
            Self::OutOfPlace { .. } => "out_of_place",
            Self::NoRoute => "no_route",
        }
    }
}

/// Decides what is done with an event.
///
/// # Errors
/// The reason why it is not taken.
pub fn decide(situation: &Situation<'_>) -> Result<Decision, Refusal> {
    match situation.from {
        Role::Channel => channel::decide(situation),
        Role::Bot => bot::decide(situation),
        Role::Observer => Err(Refusal::OnlyListens),
        Role::Desk => Err(Refusal::OutOfPlace { role: "desk", kind: situation.event.body.kind() }),
    }
}

impl Start {
    fn conversation(&self, version: u64, now: Timestamp) -> Conversation {
        Conversation {
            key: self.key.clone(),
            id: self.id.clone(),
            route: self.route.clone(),
            parties: self.parties.clone(),
            owner: Owner::Bot,
            handed_over_at: None,
            phase: Phase::Open,
            started_at: now,
            touched_at: now,
            version,
        }
    }
}

/// A decision about `after`, which came of `before`: its version rises if anything differs.
fn settle(
    before: Option<&Conversation>,
    mut after: Conversation,
    standing: Standing,
    mut targets: Vec<Target>,
    event: &Event,
) -> Decision {
    let changed = before != Some(&after);
    after.version = before.map_or(0, |before| before.version) + u64::from(changed);
    if is_worth_a_copy(&event.body) {
        let observers = after.parties.observers.iter();
        targets.extend(observers.map(|party| Target::copied(party, Role::Observer)));
    }
    Decision { standing, conversation: after, changed, targets }
}

/// Typing is of the moment, and a platform's own oddities are kept but passed to nobody.
fn is_worth_a_copy(body: &EventBody) -> bool {
    !matches!(body, EventBody::Typing { .. } | EventBody::Opaque { .. })
}

fn copy_if_wanted(party: &Party, role: Role) -> Vec<Target> {
    if party.copies { vec![Target::copied(party, role)] } else { Vec::new() }
}
