//! Routing decides who receives an event and who owns the conversation. Pure: no I/O.
//!
//! The bot owns a conversation unless it holds a handover; a handover is pending until an agent
//! accepts it. Every change of owner is an event in the transcript: the sender's own, or a system
//! event that Trunkline adds.

mod agent_initiated;
mod bot;
mod channel;
mod choices;
mod decision_builder;
mod deliveries;
mod desk;
mod keywords;
mod refusal;
mod system;
#[cfg(test)]
mod tests;
mod timers;

use jiff::Timestamp;

pub use keywords::file_failed_text;
pub use refusal::Refusal;
pub use timers::{Activity, TimerOutcome, evaluate, evaluate_bot_outage};

use crate::model::{
    Author, ChoiceSource, Conversation, ConversationId, ConversationKey, Disposition, DueTimer,
    Event, EventBody, HandoverId, Parties, Party, Phase, ResolvedRoute, Role, SessionId, Target,
    Timer,
};

/// Everything that a routing decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct RoutingInput<'a> {
    /// The customer's latest conversation, open or closed; `None` before the first one.
    pub conversation: Option<&'a Conversation>,
    /// The route as configured now; `None` if the channel has no route.
    pub route: Option<&'a ResolvedRoute>,
    /// The conversation to create if the event starts one; `None` if it cannot.
    pub new_conversation: Option<&'a NewConversation>,
    /// The sender of the event.
    pub from: Sender<'a>,
    /// The event to route.
    pub event: &'a Event,
    /// Whether the event repeats a message that Trunkline itself sent.
    pub echo: bool,
    /// Whether an agent starts a conversation with this event.
    pub agent_initiated: bool,
    /// The current time.
    pub now: Timestamp,
    /// The id to use if the decision creates a handover.
    pub new_handover_id: &'a HandoverId,
}

/// The sender of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A connection that takes part in the conversation.
    Party {
        /// The role of the connection in the route.
        role: Role,
        /// The session that the event names; `None` on a channel, which has one per customer.
        session: Option<&'a SessionId>,
    },
    /// Trunkline itself.
    System(SystemTrigger<'a>),
}

/// What causes Trunkline to act on a conversation by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemTrigger<'a> {
    /// An operator asked for it.
    Operator,
    /// The bot's connection was down for longer than `bot_down_after`.
    BotDown,
    /// A timer of the conversation fired.
    Timer(&'a Timer),
}

/// The initial data of a new conversation.
#[derive(Debug, Clone)]
pub struct NewConversation {
    /// The key under which it is stored.
    pub key: ConversationKey,
    pub id: ConversationId,
    /// The channel connection of the customer.
    pub channel: Party,
}

/// An event that Trunkline adds because of another event.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemEvent {
    /// Distinguishes it from other system events with the same cause; part of its id.
    pub name: &'static str,
    /// The author to show.
    pub author: Author,
    /// The content of the event.
    pub body: EventBody,
    /// The legs that receive it.
    pub targets: Vec<Target>,
}

/// The result of routing one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// How the event is handled.
    pub disposition: Disposition,
    /// The conversation after the event.
    pub conversation: Conversation,
    /// Whether the conversation changed and must be written.
    pub changed: bool,
    /// The body to deliver in place of the original, for example a choice in place of its typed number.
    pub rewritten_body: Option<EventBody>,
    /// The message that offered the selected choice, if the event selects one.
    pub choice_source: Option<ChoiceSource>,
    /// System events that are delivered before the event.
    pub preceding: Vec<SystemEvent>,
    /// The legs that receive the event.
    pub targets: Vec<Target>,
    /// System events that are delivered after the event.
    pub following: Vec<SystemEvent>,
    /// Timers to schedule.
    pub timers: Vec<DueTimer>,
}

/// Decides who receives an event and how it changes the conversation.
///
/// # Errors
/// The reason why the event is rejected.
pub fn decide(input: &RoutingInput<'_>) -> Result<Decision, Refusal> {
    refusal::check_context(&input.event.body)?;
    match input.from {
        Sender::Party { role: Role::Channel, .. } => channel::decide(input),
        Sender::Party { role: Role::Bot, session } => bot::decide(input, session),
        Sender::Party { role: Role::Desk, .. } if input.agent_initiated => {
            agent_initiated::decide(input)
        }
        Sender::Party { role: Role::Desk, session } => desk::decide(input, session),
        Sender::Party { role: Role::Observer, .. } => Err(Refusal::ObserverCannotSend),
        Sender::System(cause) => system::decide(input, cause),
    }
}

impl NewConversation {
    fn conversation(&self, route: &ResolvedRoute, version: u64, now: Timestamp) -> Conversation {
        Conversation {
            key: self.key.clone(),
            id: self.id.clone(),
            route: route.route.clone(),
            parties: Parties {
                channel: self.channel.clone(),
                bot: route.bot.clone(),
                desk: route.desk.clone(),
                observers: route.observers.clone(),
            },
            handover: None,
            bot_since: now,
            phase: Phase::Open,
            language: None,
            origin: serde_json::Map::new(),
            offered_choices: Vec::new(),
            offer: None,
            unsupported_notice_sent: false,
            started_at: now,
            touched_at: now,
            version,
        }
    }
}
