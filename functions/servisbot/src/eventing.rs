//! Parses events of remote conversation eventing (S4).

use jiff::Timestamp;
use serde_json::{Map, Value};
use trunkline_core::model::{
    Author, AuthorRole, ConnectionId, Content, CorrelationHint, Event, EventBody, EventId,
    HandoverMode, Transcript, digest,
};

use crate::settings::{JoinBy, ReplySource, Settings};
use crate::wire::{INTERACTION, MARKUP, TimelineMessage};
use crate::{interaction, markup};

/// Parses one event. Only events to the user (`to: "client"`) are passed to the customer, and only
/// if eventing is the source of replies. Trunkline's own messages return as `to: "server"` and are
/// recorded. An interaction is the customer's choice.
///
/// # Errors
/// If the body is not an event, or names no conversation.
pub fn parse(
    body: &Value,
    connection: &ConnectionId,
    settings: &Settings,
    now: Timestamp,
) -> Result<Event, String> {
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
    let at = message.timestamp.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(now);
    let is_reply_source = settings.replies == ReplySource::Eventing;
    let event_body = if role == AuthorRole::Customer {
        interaction::choice(&message)
    } else if to_client && is_reply_source {
        bot_message(&message, settings)
    } else {
        None
    };
    let body = event_body.unwrap_or_else(|| EventBody::Opaque {
        is_message: to_client && is_reply_source,
        name: message.content_type.clone().unwrap_or_default(),
        raw: raw.clone(),
    });
    let is_choice = matches!(body, EventBody::Choice { .. });
    // Without its markup, which the other source of replies has not passed on, a choice has no source.
    let source =
        (is_choice && is_reply_source).then(|| interaction::source(&message, connection, at));
    let external_message_id = message.id.clone().filter(|_| to_client).map(Into::into);
    let correlation_hint = correlation_hint(&message, settings);
    let id = event_id(&message, raw);
    let event = Event::new(id, conversation.as_str(), at, Author::nameless(role), body);
    let choice_source = source.map(Box::new);
    Ok(Event { external_message_id, correlation_hint, choice_source, ..event })
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

/// The id by which a repeated event is recognized: by its `id` (S4, Technical Details), at any time of the
/// repeat. A click has the id of the clicked markup (S4, Markup Interaction Event), and a markup can be clicked
/// more than once, so the content type and the time of the click belong to it.
fn event_id(message: &TimelineMessage, raw: &Value) -> EventId {
    let Some(id) = &message.id else {
        // Map keys are sorted, so equal events have the same JSON.
        return EventId::from_parts(&["h", &digest(&[&raw.to_string()])]);
    };
    let kind = message.content_type.as_deref().unwrap_or_default();
    let conversation = message.conversation_id.as_deref();
    if kind != INTERACTION {
        return message_event_id(message, conversation, kind, id);
    }
    let time = interaction::time(message).map(|at| at.to_string()).unwrap_or_default();
    let key = message_key(message, conversation, kind, id);
    EventId::from_parts(&[&key[..], &[&time]].concat())
}

/// The id of the event of a message with this content type and id, in the organization of `of`.
pub(crate) fn message_event_id(
    of: &TimelineMessage,
    conversation: Option<&str>,
    kind: &str,
    id: &str,
) -> EventId {
    EventId::from_parts(&message_key(of, conversation, kind, id))
}

fn message_key<'a>(
    of: &'a TimelineMessage,
    conversation: Option<&'a str>,
    kind: &'a str,
    id: &'a str,
) -> [&'a str; 5] {
    let organization = of.organization.as_deref().unwrap_or_default();
    ["e", organization, conversation.unwrap_or_default(), kind, id]
}

/// The bot's message, or `None` if it has no content that can be shown.
fn bot_message(message: &TimelineMessage, settings: &Settings) -> Option<EventBody> {
    let contents = &message.contents;
    let content = match message.content_type.as_deref() {
        Some("message") => Content::text(contents.get("message")?.as_str()?),
        Some(MARKUP) => markup::content_of(contents)?,
        _ => return None,
    };
    Some(content)
        .filter(|content| !content.is_empty())
        .map(|content| message_or_handover(content, settings))
}

/// Returns a message, or a handover if the text begins with `handover_phrase`.
pub(crate) fn message_or_handover(content: Content, settings: &Settings) -> EventBody {
    let phrase = settings.handover_phrase.as_deref().filter(|phrase| !phrase.is_empty());
    let text = content.text.as_deref().unwrap_or_default().trim();
    let Some(rest) = phrase.and_then(|phrase| text.strip_prefix(phrase)) else {
        return EventBody::Message { content, metadata: Map::new() };
    };
    handover(rest)
}

/// A handover that the bot requests.
pub(crate) fn handover(reason: &str) -> EventBody {
    let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason,
        context: Map::new(),
        transcript: Transcript::default(),
    }
}
