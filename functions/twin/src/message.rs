//! Turns TWIN's messages and named events into Trunkline's events, wherever they come from.

use jiff::Timestamp;
use serde_json::Value;
use trunkline_core::json::remove_null_members;
use trunkline_core::model::{
    Author, AuthorRole, Content, EarlierMessage, Event, EventBody, EventId, LenientText, Media,
    ReceiptStatus, digest, time,
};

use crate::buttons::{Buttons, is_link, raw_buttons};
use crate::settings::{Settings, join_url};
use crate::wire::{Attachment, Message};

/// What is known about an object besides its own members.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub settings: &'a Settings,
    /// The conversation's id, if another one than the object's own is known.
    pub conversation: Option<&'a str>,
    /// The author's role if the object names none.
    pub default_role: AuthorRole,
    /// TWIN's id of the client, if known. The client's messages are echoes of Trunkline's own.
    pub client_id: Option<&'a str>,
    pub now: Timestamp,
}

/// Returns a message as an event, however it arrived; `None` if its conversation is unknown. If the
/// message has no id, `fallback_id` identifies it: parts that a repeat of the message shares. A member that is
/// `null` counts as absent.
///
/// The client's messages become opaque events: they are echoes of what Trunkline sent (fact sheet 2.5).
#[must_use]
pub fn message_event(value: &Value, context: &Context<'_>, fallback_id: &[&str]) -> Option<Event> {
    let value = &without_nulls(value);
    let message = read(value);
    let conversation = context.conversation.or(message.session_id.non_blank())?;
    let id = match message.id.non_blank() {
        Some(id) => message_event_id(id),
        None => EventId::from_parts(fallback_id),
    };
    let role = role(&message, context);
    let at = time::parse_lenient(message.created_at.trimmed()).unwrap_or(context.now);
    let name = message.author_name.non_blank().map(Into::into);
    let author = Author { role, name };
    let opaque = |is_message: bool, name: &str| EventBody::Opaque {
        is_message,
        name: name.to_owned(),
        raw: value.clone(),
    };
    let parsed = content(&message, context.settings);
    let body = match role {
        AuthorRole::Customer => opaque(false, "echo"),
        _ if parsed.is_empty() => {
            let kind = message.kind.trimmed();
            // An empty message of another type than text may still have content for the customer.
            let shown = kind.is_empty() || kind.eq_ignore_ascii_case("TEXT");
            opaque(!shown, if kind.is_empty() { "message" } else { kind })
        }
        _ => EventBody::Message { content: parsed, metadata: raw_buttons(&message) },
    };
    let external_id = message.id.non_blank().map(Into::into);
    Some(Event {
        external_message_id: external_id,
        ..Event::new(id, conversation, at, author, body)
    })
}

fn without_nulls(value: &Value) -> Value {
    let mut value = value.clone();
    remove_null_members(&mut value);
    value
}

/// Reads a message. What is not an object has no members.
fn read(value: &Value) -> Message {
    let object = Some(value).filter(|value| value.is_object()).cloned();
    object.and_then(|object| serde_json::from_value(object).ok()).unwrap_or_default()
}

/// Returns the id of a message's event.
fn message_event_id(message: &str) -> EventId {
    EventId::from_parts(&["m", message])
}

/// Returns the author's role. `BOT` is documented, the other values are guesses (fact sheet 2.4).
fn role(message: &Message, context: &Context<'_>) -> AuthorRole {
    let kind = message.author_type.trimmed();
    let is = |words: &[&str]| words.iter().any(|word| kind.eq_ignore_ascii_case(word));
    let by_client =
        context.client_id.is_some_and(|client_id| client_id == message.author_id.trimmed());
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
        context.default_role
    } else {
        AuthorRole::Unknown
    }
}

fn content(message: &Message, settings: &Settings) -> Content {
    let buttons = Buttons::of(message);
    let reply_to = match &message.reply_to {
        Value::Object(earlier) => earlier.get("id"),
        other => Some(other),
    };
    let reply_to = reply_to.cloned().map(LenientText::from).unwrap_or_default();
    let earlier = |id: &str| Box::new(EarlierMessage::new(id, message_event_id(id)));
    let reply_to = reply_to.non_blank().map(earlier);
    Content {
        reply_to,
        text: message.body.non_blank().map(|_| message.body.raw().to_owned()),
        media: message.attachments.0.iter().filter_map(|file| media(file, settings)).collect(),
        cards: buttons.card().into_iter().collect(),
        choices: buttons.choices,
        ..Content::default()
    }
}

/// Returns a file by reference: its download link, or else its address by id (`TS` `GET files/{id}`).
fn media(file: &Attachment, settings: &Settings) -> Option<Media> {
    let link = [&file.download_link, &file.url].into_iter().filter_map(LenientText::non_blank);
    let link = link.into_iter().find(|link| is_link(link)).map(Into::into);
    let by_id = || file.id.non_blank().map(|id| join_url(&settings.files_url(), id));
    Some(Media {
        // The address by id always needs a login.
        private: link.is_none() || file.is_private.trimmed().eq_ignore_ascii_case("true"),
        url: link.or_else(by_id)?,
        mime_type: file.content_type.non_blank().map(Into::into),
        name: file.name.non_blank().map(Into::into),
        ..Media::default()
    })
}

fn opaque(name: &str, data: &Value) -> EventBody {
    EventBody::Opaque { is_message: false, name: name.to_owned(), raw: data.clone() }
}

/// Returns a named event of a socket or an event callback (`TC-ev`, `TC-op2`); `None` if it is not
/// passed on or its conversation is unknown. A member that is `null` counts as absent.
#[must_use]
pub fn named_event(name: &str, data: &Value, context: &Context<'_>) -> Option<Event> {
    let data = &without_nulls(data);
    let plain = name.strip_suffix("Emit").unwrap_or(name);
    let whole = data.to_string();
    if plain == "chatMessageCreated" {
        return message_event(data, context, &["h", &digest(&[plain, &whole])]);
    }
    let message = read(data);
    let conversation = context.conversation.or(message.session_id.non_blank())?;
    let message_id = message.id.non_blank().unwrap_or_default();
    let role = role(&message, context);
    let body = match plain {
        _ if context.settings.closes_conversation(name)
            || context.settings.closes_conversation(plain) =>
        {
            EventBody::Close { reason: Some(plain.to_owned()) }
        }
        "showTypingIndicator" if !context.settings.typing || role == AuthorRole::Customer => {
            return None;
        }
        "showTypingIndicator" => EventBody::Typing { active: true },
        "chatMessageRead" if !message_id.is_empty() => EventBody::Receipt {
            message: message_id.into(),
            target: None,
            status: ReceiptStatus::Read,
            reason: None,
        },
        "chatMessageEdited" if !message_id.is_empty() && role != AuthorRole::Customer => {
            let edited = content(&message, context.settings);
            if edited.is_empty() {
                opaque(name, data)
            } else {
                let earlier = EarlierMessage::new(message_id, message_event_id(message_id));
                EventBody::Edit { earlier, content: Box::new(edited), notice: None }
            }
        }
        _ => opaque(name, data),
    };
    let id = match plain {
        // Only the time of arrival tells two of them apart.
        "showTypingIndicator" => {
            EventId::from_parts(&["t", &digest(&[conversation, &context.now.to_string()])])
        }
        _ => EventId::from_parts(&["e", &digest(&[plain, &whole])]),
    };
    let at = time::parse_lenient(message.created_at.trimmed()).unwrap_or(context.now);
    let author = Author { role, name: message.author_name.non_blank().map(Into::into) };
    Some(Event::new(id, conversation, at, author, body))
}
