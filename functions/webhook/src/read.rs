//! From the protocol's terms to Trunkline's own.

use serde_json::{Map, Value};
use trunkline_shared::model::{
    self, AuthorRole, Content, Event, EventBody, EventId, Mode, Recall, ReceiptStatus, Role,
};

use crate::wire::{self, Envelope, Format, Next, Payload};

/// The event that an envelope holds; none, if it says nothing.
pub(crate) fn event(envelope: Envelope, role: Role) -> Option<Event> {
    let author = envelope.author.unwrap_or(wire::Author { role: usual(role), name: None });
    Some(Event {
        id: EventId::from_parts(&["e", &envelope.id]),
        external_id: Some(envelope.id),
        conversation: envelope.conversation,
        at: envelope.timestamp,
        author: model::Author { role: author.role.into(), name: author.name },
        channel: envelope.channel.and_then(|channel| channel.name),
        language: envelope.language.filter(|_| role == Role::Channel),
        origin: Map::new(),
        reaches: None,
        clue: None,
        trace: None,
        floor: None,
        body: body(envelope.payload, role)?,
    })
}

fn body(payload: Payload, role: Role) -> Option<EventBody> {
    Some(match payload {
        Payload::Message { text, format, media, choices, metadata } => {
            let media = media
                .into_iter()
                .map(|wire::Media { url, mime_type, name }| model::Media { url, mime_type, name });
            let choices =
                choices.into_iter().map(|wire::Choice { id, title }| model::Choice { id, title });
            let (media, choices) = (media.collect(), choices.collect());
            let content = Content { text, format: format.into(), media, choices };
            if content.is_empty() {
                return None;
            }
            EventBody::Message { content, metadata }
        }
        Payload::Choice { id, title, .. } => EventBody::Choice { id, title, typed: None },
        Payload::Receipt { message, status, reason } => {
            EventBody::Receipt { message, about: None, status: receipt(status), reason }
        }
        Payload::Typing { active } => EventBody::Typing { active },
        Payload::Handover { reason, context, .. } => handover(Mode::Offer, reason, context),
        Payload::Handback { reason, context, .. } => handback(reason, context),
        Payload::Offer { to, reason, context } => {
            switch(Mode::Offer, goes_to_bot(to, role), reason, context)
        }
        Payload::Pass { to, reason, context } => {
            switch(Mode::Pass, goes_to_bot(to, role), reason, context)
        }
        Payload::Release { reason, context } => {
            switch(Mode::Offer, goes_to_bot(Next::Next, role), reason, context)
        }
        Payload::Accept {} => EventBody::Accept,
        Payload::Close { reason } => EventBody::Close { reason },
        Payload::Edit { message, text } => {
            EventBody::Edit { message, content: Content::text(text) }
        }
        Payload::Delete { message } => EventBody::Delete { message },
        Payload::Opaque { said, name, raw } => EventBody::Opaque { said, name, raw },
        // Answered before; harmless all the same.
        Payload::Verification { challenge } => {
            let (name, raw) = ("verification".into(), Value::String(challenge));
            EventBody::Opaque { said: false, name, raw }
        }
    })
}

fn goes_to_bot(to: Next, from: Role) -> bool {
    match to {
        Next::Bot => true,
        Next::Desk => false,
        Next::Next => from == Role::Desk,
    }
}

fn switch(
    mode: Mode,
    to_bot: bool,
    reason: Option<String>,
    context: Map<String, Value>,
) -> EventBody {
    if to_bot { handback(reason, context) } else { handover(mode, reason, context) }
}

fn handover(mode: Mode, reason: Option<String>, context: Map<String, Value>) -> EventBody {
    EventBody::Handover { mode, reason, context, recall: Recall::default() }
}

fn handback(reason: Option<String>, context: Map<String, Value>) -> EventBody {
    EventBody::Handback { reason, context, recall: Recall::default() }
}

fn usual(role: Role) -> wire::Role {
    match role {
        Role::Channel => wire::Role::Customer,
        Role::Bot => wire::Role::Bot,
        Role::Desk => wire::Role::Agent,
        Role::Observer => wire::Role::System,
    }
}

fn receipt(status: String) -> ReceiptStatus {
    match status.as_str() {
        "delivered" => ReceiptStatus::Delivered,
        "read" => ReceiptStatus::Read,
        "failed" => ReceiptStatus::Failed,
        _ => ReceiptStatus::Other(status),
    }
}

impl From<wire::Role> for AuthorRole {
    fn from(role: wire::Role) -> Self {
        match role {
            wire::Role::Customer => Self::Customer,
            wire::Role::Bot => Self::Bot,
            wire::Role::Agent => Self::Agent,
            wire::Role::System => Self::System,
            wire::Role::Unknown => Self::Unknown,
        }
    }
}

impl From<Format> for model::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Plain => Self::Plain,
            Format::Markdown => Self::Markdown,
            Format::Html => Self::Html,
        }
    }
}
