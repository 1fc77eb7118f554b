//! Parses events of remote conversation eventing (S4).

use jiff::Timestamp;
use serde_json::{Map, Value};
use trunkline_core::model::{
    Author, AuthorRole, Content, CorrelationHint, Event, EventBody, EventId, HandoverMode,
    Transcript, digest,
};

use crate::markup;
use crate::settings::{JoinBy, ReplySource, Settings};
use crate::wire::TimelineMessage;

/// Parses one event. Only events to the user (`to: "client"`) are passed to the customer, and only
/// if eventing is the source of replies. Trunkline's own messages return as `to: "server"` and are
/// recorded.
///
/// # Errors
/// If the body is not an event, or names no conversation.
pub fn parse(body: &Value, settings: &Settings, now: Timestamp) -> Result<Event, String> {
    let raw = body.get("message").unwrap_or(&Value::Null);
    let message = TimelineMessage::from_json(raw)?;
    let known = message.customer_reference.as_ref().or(message.conversation_id.as_ref());
    let Some(conversation) = known else {
        return Err("customerReference and conversationId are missing".into());
    };
    let to_client = message.to.as_deref() == Some("client");
    let role = match message.to.as_deref() {
        Some("client") => AuthorRole::Bot,
        Some("server") => AuthorRole::Customer,
        _ => AuthorRole::Unknown,
    };
    let id = event_id(&message, raw);
    let at = message.timestamp.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(now);
    let opaque = |is_message| {
        let name = message.content_type.clone().unwrap_or_default();
        EventBody::Opaque { is_message, name, raw: raw.clone() }
    };
    let body = if to_client && settings.replies == ReplySource::Eventing {
        bot_message(&message, settings).unwrap_or_else(|| opaque(true))
    } else {
        opaque(false)
    };
    let external_message_id = message.id.clone().filter(|_| to_client).map(Into::into);
    let correlation_hint = correlation_hint(&message, settings);
    let event = Event::new(id, conversation.as_str(), at, Author::nameless(role), body);
    Ok(Event { external_message_id, correlation_hint, ..event })
}

/// How to find the conversation of an event without `customerReference`.
fn correlation_hint(message: &TimelineMessage, settings: &Settings) -> Option<CorrelationHint> {
    if settings.join != JoinBy::Text || message.customer_reference.is_some() {
        return None;
    }
    let is_user_message = message.to.as_deref() == Some("server")
        && message.content_type.as_deref() == Some("message");
    let text = message.contents.get("message").and_then(Value::as_str).filter(|_| is_user_message);
    Some(text.map_or(CorrelationHint::Pending, |text| CorrelationHint::Key(correlation_key(text))))
}

/// The key by which a sent text is recognized when it returns as an event.
pub(crate) fn correlation_key(text: &str) -> String {
    digest(&[text.trim()])
}

/// The id by which a repeated event is recognized. S4 names the `id` alone, but a click has the id
/// of the clicked markup, and may occur more than once.
fn event_id(message: &TimelineMessage, raw: &Value) -> EventId {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let timestamp = message.timestamp.map(|at| at.to_string()).unwrap_or_default();
    let id = part(&message.id);
    if id.is_empty() {
        // Map keys are sorted, so equal events have the same JSON.
        return EventId::from_parts(&["h", &digest(&[&raw.to_string()])]);
    }
    let (organization, conversation) =
        (part(&message.organization), part(&message.conversation_id));
    let kind = part(&message.content_type);
    EventId::from_parts(&["e", &organization, &conversation, &kind, &id, &timestamp])
}

/// The bot's message, or `None` if it has no content that can be shown.
fn bot_message(message: &TimelineMessage, settings: &Settings) -> Option<EventBody> {
    let contents = &message.contents;
    let content = match message.content_type.as_deref() {
        Some("message") => Content::text(contents.get("message")?.as_str()?),
        Some("markup") => markup::content_of(contents)?,
        _ => return None,
    };
    Some(content)
        .filter(|content| !content.is_empty())
        .map(|content| message_or_handover(content, settings))
}

/// Returns a message, or a handover if the text begins with `handover_phrase`: ServisBOT documents
/// no other way for a bot to request agents.
pub(crate) fn message_or_handover(content: Content, settings: &Settings) -> EventBody {
    let phrase = settings.handover_phrase.as_deref().filter(|phrase| !phrase.is_empty());
    let text = content.text.as_deref().unwrap_or_default().trim();
    let Some(rest) = phrase.and_then(|phrase| text.strip_prefix(phrase)) else {
        return EventBody::Message { content, metadata: Map::new() };
    };
    let reason = Some(rest.trim().to_owned()).filter(|reason| !reason.is_empty());
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason,
        context: Map::new(),
        transcript: Transcript::default(),
    }
}
