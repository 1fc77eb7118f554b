//! Encodes Trunkline's events as envelopes of the protocol.

use trunkline_core::model::{
    self, AuthorRole, ConnectionId, Event, EventBody, ExternalMessageId, HandoverMode, Media,
    MessageReference, ReceiptStatus, TranscriptEntry,
};

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
            text: content.text,
            format: content.format.into(),
            media: media(content.media),
            choices: content
                .choices
                .into_iter()
                .map(|choice| wire::Choice { id: choice.id, title: choice.title })
                .collect(),
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
        EventBody::Edit { message, content } => {
            Payload::Edit { message: message.into(), text: content.text.unwrap_or_default() }
        }
        EventBody::Delete { message } => Payload::Delete { message: message.into() },
        EventBody::Opaque { is_message, name, raw } => Payload::Opaque { is_message, name, raw },
    }
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
        ReceiptStatus::Other(word) => word,
    }
}

fn entries(entries: Vec<TranscriptEntry>) -> Vec<wire::TranscriptEntry> {
    let entry = |entry: TranscriptEntry| wire::TranscriptEntry {
        timestamp: entry.at,
        author: author(&entry.author),
        text: entry.content.text,
        format: entry.content.format.into(),
        media: media(entry.content.media),
    };
    entries.into_iter().map(entry).collect()
}

fn media(media: Vec<Media>) -> Vec<wire::Media> {
    let one = |m: Media| wire::Media { url: m.url, mime_type: m.mime_type, name: m.name };
    media.into_iter().map(one).collect()
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
            AuthorRole::Unknown => Self::Unknown,
        }
    }
}

impl From<model::Format> for Format {
    fn from(format: model::Format) -> Self {
        match format {
            model::Format::Plain => Self::Plain,
            model::Format::Markdown => Self::Markdown,
            model::Format::Html => Self::Html,
        }
    }
}
