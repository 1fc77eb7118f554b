//! Decodes envelopes of the protocol into Trunkline's events.

use serde_json::{Map, Value};
use trunkline_core::model::{
    self, AuthorRole, Content, Event, EventBody, EventId, HandoverMode, ReceiptStatus, Role,
    Transcript,
};

use crate::wire::{self, Envelope, Format, Payload, TransferTarget};

/// Decodes an envelope. Returns `None` for a message without content.
pub(crate) fn event(envelope: Envelope, role: Role) -> Option<Event> {
    let author = envelope.author.unwrap_or(wire::Author { role: default_role(role), name: None });
    Some(Event {
        id: EventId::from_parts(&["e", &envelope.id]),
        external_message_id: Some(envelope.id.into()),
        external_conversation_id: envelope.conversation.into(),
        at: envelope.timestamp,
        author: model::Author { role: author.role.into(), name: author.name },
        channel: envelope.channel.and_then(|channel| channel.name),
        language: envelope.language.filter(|_| role == Role::Channel),
        origin: Map::new(),
        intended_recipient: None,
        correlation_hint: None,
        trace: None,
        claimed_owner: None,
        body: body(envelope.payload, role)?,
    })
}

fn body(payload: Payload, role: Role) -> Option<EventBody> {
    Some(match payload {
        Payload::Message { text, format, media, choices, metadata } => {
            let media = media.into_iter().map(|wire::Media { url, mime_type, name }| {
                model::Media { url, mime_type, name, ..model::Media::default() }
            });
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
        Payload::Receipt { message, status, reason } => EventBody::Receipt {
            message: message.into(),
            target: None,
            status: receipt_status(status),
            reason,
        },
        Payload::Typing { active } => EventBody::Typing { active },
        Payload::Handover { reason, context, .. } => handover(HandoverMode::Offer, reason, context),
        Payload::Handback { reason, context, .. } => handback(reason, context),
        Payload::Offer { to, reason, context } => {
            transfer(HandoverMode::Offer, targets_bot(to, role), reason, context)
        }
        Payload::Pass { to, reason, context } => {
            transfer(HandoverMode::Pass, targets_bot(to, role), reason, context)
        }
        Payload::Release { reason, context } => {
            transfer(HandoverMode::Offer, targets_bot(TransferTarget::Next, role), reason, context)
        }
        Payload::Accept {} => EventBody::Accept,
        Payload::Close { reason } => EventBody::Close { reason },
        Payload::Edit { message, text } => {
            EventBody::Edit { message: message.into(), content: Content::text(text) }
        }
        Payload::Delete { message } => EventBody::Delete { message: message.into() },
        Payload::Opaque { is_message, name, raw } => EventBody::Opaque { is_message, name, raw },
        // The inbound function answers verifications before it decodes events.
        Payload::Verification { challenge } => {
            let (name, raw) = ("verification".into(), Value::String(challenge));
            EventBody::Opaque { is_message: false, name, raw }
        }
    })
}

fn targets_bot(to: TransferTarget, from: Role) -> bool {
    match to {
        TransferTarget::Bot => true,
        TransferTarget::Desk => false,
        TransferTarget::Next => from == Role::Desk,
    }
}

fn transfer(
    mode: HandoverMode,
    to_bot: bool,
    reason: Option<String>,
    context: Map<String, Value>,
) -> EventBody {
    if to_bot { handback(reason, context) } else { handover(mode, reason, context) }
}

fn handover(mode: HandoverMode, reason: Option<String>, context: Map<String, Value>) -> EventBody {
    EventBody::Handover { mode, reason, context, transcript: Transcript::default() }
}

fn handback(reason: Option<String>, context: Map<String, Value>) -> EventBody {
    EventBody::Handback { reason, context, transcript: Transcript::default() }
}

fn default_role(role: Role) -> wire::Role {
    match role {
        Role::Channel => wire::Role::Customer,
        Role::Bot => wire::Role::Bot,
        Role::Desk => wire::Role::Agent,
        Role::Observer => wire::Role::System,
    }
}

fn receipt_status(status: String) -> ReceiptStatus {
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
