//! From what TWIN says, wherever it says it, to events.

use jiff::Timestamp;
use serde_json::{Map, Value};
use trunkline_shared::model::{
    Author, AuthorRole, Choice, Content, Event, EventBody, EventId, Media, ReceiptStatus, Text,
    digest, time,
};

use crate::settings::{Settings, below};
use crate::wire::{Attachment, Message};

/// What is known beside the object itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The connection's settings.
    pub settings: &'a Settings,
    /// The conversation, where another id than the object's own is known for it.
    pub conversation: Option<&'a str>,
    /// Who is meant where no author is named.
    pub unnamed: AuthorRole,
    /// The client's id, where it is known: what is theirs is an echo.
    pub client: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// A message as an event, whichever way it came; nothing, if nobody knows where it belongs. `repeat` is
/// what a repeat of it has in common with it, should it have no id.
///
/// What the client wrote is kept as opaque: it is an echo of ours (fact sheet 2.5).
#[must_use]
pub fn message_event(value: &Value, context: &Context<'_>, repeat: &[&str]) -> Option<Event> {
    let message: Message = serde_json::from_value(value.clone()).unwrap_or_default();
    let conversation = context.conversation.or(message.session_id.some())?;
    let id = match message.id.some() {
        Some(id) => EventId::from_parts(&["m", id]),
        None => EventId::from_parts(repeat),
    };
    let role = role(&message, context);
    let at = time::parse_lenient(message.created_at.get()).unwrap_or(context.now);
    let name = message.author_name.some().map(Into::into);
    let author = Author { role, name };
    let opaque = |said: bool, name: &str| EventBody::Opaque {
        said,
        name: name.to_owned(),
        raw: value.clone(),
    };
    let said = content(&message, context.settings);
    let body = match role {
        AuthorRole::Customer => opaque(false, "echo"),
        _ if said.is_empty() => {
            let kind = message.kind.get();
            // Of another type than text, it may be something that was said all the same.
            let shown = kind.is_empty() || kind.eq_ignore_ascii_case("TEXT");
            opaque(!shown, if kind.is_empty() { "message" } else { kind })
        }
        _ => EventBody::Message { content: said, metadata: Map::new() },
    };
    let external_id = message.id.some().map(Into::into);
    Some(Event { external_id, ..Event::new(id, conversation, at, author, body) })
}

/// Whose it is. `BOT` is documented, the others are guesses (fact sheet 2.4).
fn role(message: &Message, context: &Context<'_>) -> AuthorRole {
    let kind = message.author_type.get();
    let is = |words: &[&str]| words.iter().any(|word| kind.eq_ignore_ascii_case(word));
    let by_client = context.client.is_some_and(|client| client == message.author_id.get());
    if by_client || is(&[context.settings.client_author.trim()]) && !kind.is_empty() {
        AuthorRole::Customer
    } else if is(&["BOT"]) {
        AuthorRole::Bot
    } else if is(&["OPERATOR", "AGENT", "EMPLOYEE", "MANAGER"]) {
        AuthorRole::Agent
    } else if is(&["CLIENT", "CUSTOMER", "VISITOR", "USER", "GUEST"]) {
        AuthorRole::Customer
    } else if is(&["SYSTEM"]) {
        AuthorRole::System
    } else if kind.is_empty() {
        context.unnamed
    } else {
        AuthorRole::Unknown
    }
}

fn content(message: &Message, settings: &Settings) -> Content {
    let choice = |answer: &Text| {
        // The very string is sent back, so it is both (fact sheet 2.8).
        let string = || answer.raw().to_owned();
        answer.some().map(|_| Choice { id: string(), title: string() })
    };
    Content {
        text: message.body.some().map(|_| message.body.raw().to_owned()),
        media: message.attachments.0.iter().filter_map(|file| media(file, settings)).collect(),
        choices: message.answers.0.iter().filter_map(choice).collect(),
        ..Content::default()
    }
}

/// A file by reference: where it can be had, or else where files with ids are (`TS` `GET files/{id}`).
fn media(file: &Attachment, settings: &Settings) -> Option<Media> {
    let link = [&file.download_link, &file.url].into_iter().filter_map(Text::some);
    let link = link.into_iter().find(|link| is_link(link)).map(Into::into);
    let by_id = || file.id.some().map(|id| below(&settings.files_url(), id));
    Some(Media {
        url: link.or_else(by_id)?,
        mime_type: file.content_type.some().map(Into::into),
        name: file.name.some().map(Into::into),
    })
}

fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// An event by its name, as sockets and event callbacks tell it (`TC-ev`, `TC-op2`); nothing, if it is
/// not to be passed on or nobody knows where it belongs.
#[must_use]
pub fn named_event(name: &str, data: &Value, context: &Context<'_>) -> Option<Event> {
    let plain = name.strip_suffix("Emit").unwrap_or(name);
    let whole = data.to_string();
    if plain == "chatMessageCreated" {
        return message_event(data, context, &["h", &digest(&[plain, &whole])]);
    }
    let message: Message = serde_json::from_value(data.clone()).unwrap_or_default();
    let conversation = context.conversation.or(message.session_id.some())?;
    let about = message.id.some().unwrap_or_default().to_owned();
    let role = role(&message, context);
    let body = match plain {
        _ if context.settings.is_close(name) || context.settings.is_close(plain) => {
            EventBody::Close { reason: Some(plain.to_owned()) }
        }
        "showTypingIndicator" if !context.settings.typing || role == AuthorRole::Customer => {
            return None;
        }
        "showTypingIndicator" => EventBody::Typing { active: true },
        "chatMessageRead" if !about.is_empty() => EventBody::Receipt {
            message: about,
            about: None,
            status: ReceiptStatus::Read,
            reason: None,
        },
        "chatMessageEdited" if !about.is_empty() && role != AuthorRole::Customer => {
            EventBody::Edit { message: about, content: content(&message, context.settings) }
        }
        _ => EventBody::Opaque { said: false, name: name.to_owned(), raw: data.clone() },
    };
    let id = match plain {
        // Nothing tells two of them apart but when they come.
        "showTypingIndicator" => {
            EventId::from_parts(&["t", &digest(&[conversation, &context.now.to_string()])])
        }
        _ => EventId::from_parts(&["e", &digest(&[plain, &whole])]),
    };
    let at = time::parse_lenient(message.created_at.get()).unwrap_or(context.now);
    let author = Author { role, name: message.author_name.some().map(Into::into) };
    Some(Event::new(id, conversation, at, author, body))
}
