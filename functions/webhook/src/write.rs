//! From Trunkline's own terms to the protocol's.

use trunkline_shared::model::{
    self, AuthorRole, ConnectionId, Event, EventBody, Line, Media, Mode, ReceiptStatus, Reference,
};

use crate::wire::{self, Envelope, Format, Payload};

/// An event in the protocol's terms, under its own id, in the conversation `external_id` on the
/// connection `to`.
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
        EventBody::Receipt { message, about, status, reason } => {
            let message = named(message, about, to);
            Payload::Receipt { message, status: receipt(status), reason }
        }
        EventBody::Typing { active } => Payload::Typing { active },
        EventBody::Handover { mode, reason, context, recall } => {
            let passed = mode == Mode::Pass;
            Payload::Handover { reason, context, transcript: lines(recall.lines), passed }
        }
        EventBody::Accept => Payload::Accept {},
        EventBody::Handback { reason, context, recall } => {
            Payload::Handback { reason, context, transcript: lines(recall.lines) }
        }
        EventBody::Close { reason } => Payload::Close { reason },
        EventBody::Edit { message, content } => {
            Payload::Edit { message, text: content.text.unwrap_or_default() }
        }
        EventBody::Delete { message } => Payload::Delete { message },
        EventBody::Opaque { said, name, raw } => Payload::Opaque { said, name, raw },
    }
}

/// A message by the id that the receiver gave it, if it is the receiver's own.
fn named(message: String, about: Option<Reference>, to: &ConnectionId) -> String {
    about.filter(|about| about.connection == *to).map_or(message, |about| about.message)
}

fn receipt(status: ReceiptStatus) -> String {
    match status {
        ReceiptStatus::Delivered => "delivered".to_owned(),
        ReceiptStatus::Read => "read".to_owned(),
        ReceiptStatus::Failed => "failed".to_owned(),
        ReceiptStatus::Other(word) => word,
    }
}

fn lines(lines: Vec<Line>) -> Vec<wire::Line> {
    let line = |line: Line| wire::Line {
        timestamp: line.at,
        author: author(&line.author),
        text: line.content.text,
        format: line.content.format.into(),
        media: media(line.content.media),
    };
    lines.into_iter().map(line).collect()
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
