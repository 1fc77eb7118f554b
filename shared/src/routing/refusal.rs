//! Why an event is not taken.

use serde_json::{Map, Value};

use crate::model::EventBody;

/// The largest context of a handover or hand-back, in bytes of JSON.
const MAX_CONTEXT: usize = 4 * 1024;

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
    #[error("an observer only listens: give the connection the role bot, desk or channel to write")]
    OnlyListens,
    /// The event makes no sense from there.
    #[error("a {role} cannot send an event of type '{kind}' in this conversation")]
    OutOfPlace {
        /// The sender's role.
        role: &'static str,
        /// The event's kind.
        kind: &'static str,
    },
    /// There are no people to hand over to.
    #[error("there is nobody to hand over to: give the route a desk, and apply again")]
    NoDesk,
    /// There is no bot to give back to.
    #[error("there is no bot to give back to: close the conversation, or give the route a bot")]
    NoBot,
    /// The context has members within members.
    #[error("a context is flat: its values are texts, numbers, true, false or null")]
    ContextNotFlat,
    /// The context is too large.
    #[error("a context has at most {MAX_CONTEXT} bytes of JSON, this one {0}")]
    ContextTooLarge(usize),
    /// What was to come due is not due any more.
    #[error("the conversation stands so already, or has gone on meanwhile")]
    Moot,
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
            Self::NoDesk => "no_desk",
            Self::NoBot => "no_bot",
            Self::ContextNotFlat => "context_not_flat",
            Self::ContextTooLarge(_) => "context_too_large",
            Self::Moot => "moot",
            Self::NoRoute => "no_route",
        }
    }
}

pub(super) fn check_context(body: &EventBody) -> Result<(), Refusal> {
    match body {
        EventBody::Handover { context, .. } | EventBody::Handback { context, .. } => check(context),
        _ => Ok(()),
    }
}

fn check(context: &Map<String, Value>) -> Result<(), Refusal> {
    if context.values().any(|value| value.is_object() || value.is_array()) {
        return Err(Refusal::ContextNotFlat);
    }
    let size = serde_json::to_vec(context).map_or(0, |written| written.len());
    if size > MAX_CONTEXT { Err(Refusal::ContextTooLarge(size)) } else { Ok(()) }
}
