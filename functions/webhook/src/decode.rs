//! Decodes envelopes of the protocol into Trunkline's events.

use serde_json::{Map, Value};
use trunkline_core::model::{
    self, AuthorRole, Content, EarlierMessage, Event, EventBody, EventId, HandoverMode, Location,
    ReceiptStatus, Role, Transcript,
};

use crate::settings::Settings;
use crate::wire::{self, Envelope, Payload, TransferTarget};

/// The longest emoji of a reaction: sequences of people, skin tones and flags take up to 50 bytes.
const MAX_EMOJI_BYTES: usize = 64;

/// Decodes an envelope. A repeated event has the same `id` and, as the protocol asks (README.md), the same
/// `timestamp`, unless the connection's settings say that the system does not repeat it.
///
/// # Errors
/// What is wrong with the event's data.
pub(crate) fn event(
    envelope: Envelope,
    role: Role,
    settings: &Settings,
) -> Result<Event, &'static str> {
    let author = envelope.author.unwrap_or(wire::Author { role: default_role(role), name: None });
    Ok(Event {
        id: event_id(&envelope.id),
        external_message_id: Some(envelope.id.into()),
        external_conversation_id: envelope.conversation.into(),
        at: envelope.timestamp,
        stable_timestamp: settings.repeats_timestamp,
        author: model::Author { role: author.role.into(), name: author.name },
        channel: envelope.channel.and_then(|channel| channel.name),
        language: envelope.language.filter(|_| role == Role::Channel),
        origin: Map::new(),
        intended_recipient: None,
        correlation_hint: None,
        choice_source: None,
        trace: None,
        claimed_owner: None,
        body: body(envelope.payload, role)?,
    })
}

fn event_id(id: &str) -> EventId {
    EventId::from_parts(&["e", id])
}

fn earlier_message(id: &str) -> EarlierMessage {
    EarlierMessage::new(id, event_id(id))
}

fn place(location: wire::Location) -> Result<Location, &'static str> {
    let wire::Location { latitude, longitude, name, address } = location;
    let place = Location::new(latitude, longitude)
        .ok_or("latitude must be from -90 to 90, and longitude from -180 to 180")?;
    Ok(Location { name, address, ..place })
}

fn body(payload: Payload, role: Role) -> Result<EventBody, &'static str> {
    Ok(match payload {
        Payload::Message {
            reply_to,
            text,
            format,
            media,
            cards,
            location,
            contact,
            choices,
            single_use,
            metadata,
        } => {
            let content = Content {
                reply_to: reply_to.map(|earlier| Box::new(earlier_message(&earlier.message))),
                text,
                format: format.into(),
                media: wire::all(media),
                cards: wire::all(cards),
                location: location.map(|location| place(*location)).transpose()?.map(Box::new),
                contact: contact.map(|contact| Box::new((*contact).into())),
                choices: wire::all(choices),
                single_use,
            };
            if content.is_empty() {
                return Err("the message has no text, media, cards, location, contact or choices");
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
        Payload::Edit { message, text, format } => {
            let content = Content { format: format.into(), ..Content::text(text) };
            if content.is_empty() {
                return Err("the text after the edit is empty: send delete to delete the message");
            }
            let content = Box::new(content);
            EventBody::Edit { earlier: earlier_message(&message), content, notice: None }
        }
        Payload::Delete { message } => {
            EventBody::Delete { earlier: earlier_message(&message), notice: None }
        }
        Payload::Reaction { message, emoji, removed } => {
            if emoji.trim().is_empty() || emoji.len() > MAX_EMOJI_BYTES {
                return Err("emoji must be 1 to 64 bytes long");
            }
            EventBody::Reaction { earlier: earlier_message(&message), emoji, removed }
        }
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
        "sent" => ReceiptStatus::Sent,
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
