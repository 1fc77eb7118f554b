//! Reasons to reject an event.

use serde_json::{Map, Value};

use crate::model::EventBody;

/// Maximum size of the context of a handover or hand-back, in bytes of JSON.
const MAX_CONTEXT: usize = 4 * 1024;

/// Why an event is rejected. Permanent: sending the event again has the same result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A bot or desk names a conversation that does not exist.
    #[error("unknown conversation: use the conversation id that came with the messages")]
    UnknownConversation,
    #[error("the conversation is closed: the customer's next message starts a new one")]
    Closed,
    /// The sender does not own the conversation. The event is recorded and not passed on.
    #[error("the sender does not own the conversation: the event was recorded and not passed on")]
    NotOwner,
    /// An observer sent an event.
    #[error("an observer cannot send events: give the connection the role bot, desk or channel")]
    ObserverCannotSend,
    /// A sender of this role cannot send this event now.
    #[error("a {role} cannot send an event of type '{kind}' in this conversation")]
    UnexpectedEvent {
        /// The role of the sender.
        role: &'static str,
        /// The type of the event.
        kind: &'static str,
    },
    /// The route has no desk, and the channel has no agents of its own.
    #[error("there is no desk to hand over to: add a desk to the route and apply it")]
    NoDesk,
    /// The route has no bot to hand back to.
    #[error("there is no bot to hand back to: close the conversation, or add a bot to the route")]
    NoBot,
    /// The context holds an object or an array.
    #[error("a context must be flat: its values are strings, numbers, booleans or null")]
    ContextNotFlat,
    /// The context exceeds 4 KiB; holds its size in bytes.
    #[error("a context has at most {MAX_CONTEXT} bytes of JSON; this one has {0}")]
    ContextTooLarge(usize),
    /// The conversation is already in the requested state, or the timer is obsolete.
    #[error("nothing to change: the conversation is already in this state, or has changed since")]
    NoChange,
    /// No route names the channel connection.
    #[error("the channel has no route: add it to the channels of a route and apply it")]
    NoRoute,
}

impl Refusal {
    /// The stable machine-readable code, such as `unknown_conversation`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownConversation => "unknown_conversation",
            Self::Closed => "conversation_closed",
            Self::NotOwner => "not_owner",
            Self::ObserverCannotSend => "observer_cannot_send",
            Self::UnexpectedEvent { .. } => "unexpected_event",
            Self::NoDesk => "no_desk",
            Self::NoBot => "no_bot",
            Self::ContextNotFlat => "context_not_flat",
            Self::ContextTooLarge(_) => "context_too_large",
            Self::NoChange => "no_change",
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
