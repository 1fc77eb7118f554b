//! Reads an event of remote conversation eventing (S4).

use jiff::Timestamp;
use serde_json::{Map, Value};
use trunkline_shared::model::{
    Author, AuthorRole, Clue, Content, Event, EventBody, EventId, Mode, Recall, digest,
};

use crate::markup;
use crate::settings::{Join, Settings, Source};
use crate::wire::TimelineMessage;

/// Reads one event. Only what goes to the user (`to: "client"`) is said to the customer, and only where
/// eventing is the source of replies; what we sent comes back as `to: "server"` and is kept.
///
/// # Errors
/// If it is not one, or names no conversation: then nobody knows where it belongs.
pub fn parse(body: &Value, settings: &Settings, now: Timestamp) -> Result<Event, String> {
    let raw = body.get("message").unwrap_or(&Value::Null);
    let message = TimelineMessage::read(raw)?;
    let known = message.customer_reference.as_ref().or(message.conversation_id.as_ref());
    let Some(conversation) = known else {
        return Err("there is neither customerReference nor conversationId".into());
    };
    let to_client = message.to.as_deref() == Some("client");
    let role = match message.to.as_deref() {
        Some("client") => AuthorRole::Bot,
        Some("server") => AuthorRole::Customer,
        _ => AuthorRole::Unknown,
    };
    let id = identity(&message, raw);
    let at = message.timestamp.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(now);
    let opaque = |said| {
        let name = message.content_type.clone().unwrap_or_default();
        EventBody::Opaque { said, name, raw: raw.clone() }
    };
    let body = if to_client && settings.replies == Source::Eventing {
        said(&message, settings).unwrap_or_else(|| opaque(true))
    } else {
        opaque(false)
    };
    let external_id = message.id.clone().filter(|_| to_client);
    let clue = clue(&message, settings);
    let event = Event::new(id, conversation, at, Author::nameless(role), body);
    Ok(Event { external_id, clue, ..event })
}

/// How the conversation of an event is found that does not say whose it is.
fn clue(message: &TimelineMessage, settings: &Settings) -> Option<Clue> {
    if settings.join != Join::Text || message.customer_reference.is_some() {
        return None;
    }
    let heard = message.to.as_deref() == Some("server")
        && message.content_type.as_deref() == Some("message");
    let text = message.contents.get("message").and_then(Value::as_str).filter(|_| heard);
    Some(text.map_or(Clue::Coming, |text| Clue::Noted(note_of(text))))
}

/// The note by which a text that was posted is known when it comes back as an event.
pub(crate) fn note_of(text: &str) -> String {
    digest(&[text.trim()])
}

/// What a repeat has in common with its first (S4 says the id alone, but a click has the id of what was
/// clicked, and may come again).
fn identity(message: &TimelineMessage, raw: &Value) -> EventId {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let timestamp = message.timestamp.map(|at| at.to_string()).unwrap_or_default();
    let id = part(&message.id);
    if id.is_empty() {
        // Keys of a map come sorted, so the same event has the same text.
        return EventId::from_parts(&["h", &digest(&[&raw.to_string()])]);
    }
    let (organization, conversation) =
        (part(&message.organization), part(&message.conversation_id));
    let kind = part(&message.content_type);
    EventId::from_parts(&["e", &organization, &conversation, &kind, &id, &timestamp])
}

/// What the bot said; none, if that cannot be shown in any way.
fn said(message: &TimelineMessage, settings: &Settings) -> Option<EventBody> {
    let contents = &message.contents;
    let content = match message.content_type.as_deref() {
        Some("message") => Content::text(contents.get("message")?.as_str()?),
        Some("markup") => markup::read(contents)?,
        _ => return None,
    };
    Some(content).filter(|content| !content.is_empty()).map(|content| meant(content, settings))
}

/// A message, or a handover where it begins with the phrase for that: ServisBOT documents no other way
/// for a bot to ask.
pub(crate) fn meant(content: Content, settings: &Settings) -> EventBody {
    let phrase = settings.handover_phrase.as_deref().filter(|phrase| !phrase.is_empty());
    let text = content.text.as_deref().unwrap_or_default().trim();
    let Some(rest) = phrase.and_then(|phrase| text.strip_prefix(phrase)) else {
        return EventBody::Message { content, metadata: Map::new() };
    };
    let reason = Some(rest.trim().to_owned()).filter(|reason| !reason.is_empty());
    EventBody::Handover {
        mode: Mode::Offer,
        reason,
        context: Map::new(),
        recall: Recall::default(),
    }
}
