//! Encodes Trunkline's events as envelopes of the protocol.

use trunkline_core::model::{
    self, AuthorRole, ConnectionId, Content, EarlierMessage, Event, EventBody, ExternalMessageId,
    HandoverMode, MessageReference, ReceiptStatus, TranscriptEntry,
};
use trunkline_core::rendering::content_as_text;

use crate::wire::{self, Envelope, Format, Payload};

/// Encodes an event under its own id, for the connection `to` and its conversation `external_id`.
#[must_use]
pub fn encode_event(event: &Event, external_id: &str, to: &ConnectionId) -> Envelope {
    Envelope {
        id: event.id.as_str().to_owned(),
        timestamp: event.at,
        conversation: external_id.to_owned(),
        author: Some(author(&event.author)),
        channel: None,
        language: event.language.clone(),
        copy: false,
        payload: payload(&event.body, to),
    }
}

fn payload(body: &EventBody, to: &ConnectionId) -> Payload {
    match body.clone() {
        EventBody::Message { content, metadata } => Payload::Message {
            reply_to: content.reply_to.map(|earlier| {
                let message = receiver_name(&earlier, to);
                Box::new(wire::ReplyTo { message, text: earlier.excerpt })
            }),
            text: content.text,
            format: content.format.into(),
            media: wire::all(content.media),
            cards: wire::all(content.cards),
            location: content.location.map(|location| Box::new((*location).into())),
            contact: content.contact.map(|contact| Box::new((*contact).into())),
            choices: wire::all(content.choices),
            single_use: content.single_use,
            metadata,
        },
        EventBody::Choice { id, title, typed } => Payload::Choice { id, title, typed },
        EventBody::Receipt { message, target, status, reason } => {
            let message = receiver_message_id(message, target, to);
            Payload::Receipt { message, status: receipt_status(status), reason }
        }
        EventBody::Typing { active } => Payload::Typing { active },
        EventBody::Handover { mode, reason, context, transcript } => {
            let passed = mode == HandoverMode::Pass;
            Payload::Handover { reason, context, transcript: entries(transcript.entries), passed }
        }
        EventBody::Accept => Payload::Accept {},
        EventBody::Handback { reason, context, transcript } => {
            Payload::Handback { reason, context, transcript: entries(transcript.entries) }
        }
        EventBody::Close { reason } => Payload::Close { reason },
        EventBody::Edit { earlier, content, .. } => Payload::Edit {
            message: receiver_name(&earlier, to),
            text: content.text.unwrap_or_default(),
            format: content.format.into(),
        },
        EventBody::Delete { earlier, .. } => {
            Payload::Delete { message: receiver_name(&earlier, to) }
        }
        EventBody::Reaction { earlier, emoji, removed } => {
            Payload::Reaction { message: receiver_name(&earlier, to), emoji, removed }
        }
        EventBody::Opaque { is_message, name, raw } => Payload::Opaque { is_message, name, raw },
    }
}

/// Returns the id by which the receiver knows a message, or else the sender's.
fn receiver_name(earlier: &EarlierMessage, to: &ConnectionId) -> String {
    earlier.known_to(to).unwrap_or(&earlier.message).to_string()
}

/// Returns the id that the receiver gave a message if the receiver sent it, or else the platform's
/// id.
fn receiver_message_id(
    message: ExternalMessageId,
    target: Option<MessageReference>,
    to: &ConnectionId,
) -> String {
    let own = target.filter(|target| target.connection == *to);
    own.map_or(message, |target| target.message).into()
}

fn receipt_status(status: ReceiptStatus) -> String {
    match status {
        ReceiptStatus::Delivered => "delivered".to_owned(),
        ReceiptStatus::Read => "read".to_owned(),
        ReceiptStatus::Failed => "failed".to_owned(),
        ReceiptStatus::Sent => "sent".to_owned(),
        ReceiptStatus::Other(word) => word,
    }
}

fn entries(entries: Vec<TranscriptEntry>) -> Vec<wire::TranscriptEntry> {
    entries.into_iter().map(transcript_entry).collect()
}

/// Encodes an entry. A transcript has texts and files only, so every other part becomes text.
fn transcript_entry(entry: TranscriptEntry) -> wire::TranscriptEntry {
    let mut rest = entry.content;
    let media = std::mem::take(&mut rest.media);
    let only_text = Content { text: rest.text.clone(), format: rest.format, ..Content::default() };
    let (text, format) = if rest == only_text {
        (rest.text, rest.format.into())
    } else {
        (Some(content_as_text(&rest)).filter(|text| !text.is_empty()), Format::Plain)
    };
    let author = author(&entry.author);
    wire::TranscriptEntry { timestamp: entry.at, author, text, format, media: wire::all(media) }
}

fn author(author: &model::Author) -> wire::Author {
    wire::Author { role: author.role.into(), name: author.name.clone() }
}

impl From<AuthorRole> for wire::Role {
    fn from(role: AuthorRole) -> Self {
        match role {
            AuthorRole::Customer => Self::Customer,
            AuthorRole::Bot => Self::Bot,
            AuthorRole::Agent => Self::Agent,
            AuthorRole::System => Self::System,
            AuthorRole::Unknown | AuthorRole::Participant => Self::Unknown,
        }
    }
}
