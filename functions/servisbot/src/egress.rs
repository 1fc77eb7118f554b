//! Parses the egress calls that the webhook engagement adapter sends to its `Url`. No formal
//! description is public: the members are those of ServisBOT's own sample (SB) and those that a third party's
//! bridge reads (SC).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use trunkline_core::json::member;
use trunkline_core::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Format, digest,
};

use crate::eventing::{handover, message_or_handover};
use crate::markup;
use crate::settings::{EgressContent, ReplySource, Settings};

/// Parses an egress into one event per message, in order. If eventing is the source of replies, the
/// messages are only recorded. A host notification is a signal to the page around ServisBOT's messenger: it is
/// recorded, or it requests a handover.
///
/// # Errors
/// If the egress names no customer: it cannot be assigned to a conversation.
pub fn parse(body: &Value, settings: &Settings, now: Timestamp) -> Result<Vec<Event>, String> {
    let object = body.as_object().ok_or("the body is not a JSON object")?;
    let reference = match member(object, "CustomerReference") {
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err("CustomerReference is missing".into()),
    };
    let mut bodies = match settings.replies {
        ReplySource::Egress => message_bodies(object, settings),
        ReplySource::Eventing => Vec::new(),
    };
    let notification = member(object, "HostNotification");
    bodies.extend(notification.map(|given| host_notification(given, settings)));
    if bodies.is_empty() {
        let name = "egress".into();
        bodies.push(EventBody::Opaque { is_message: false, name, raw: body.clone() });
    }
    let whole = digest(&[&body.to_string()]);
    let repeat_key = repeat_key(settings, now);
    let events = bodies.into_iter().enumerate().map(|(index, body)| {
        let id = EventId::from_parts(&["g", &whole, &index.to_string(), &repeat_key]);
        // Transcripts sort by time, so the messages of one call are one millisecond apart.
        let later = SignedDuration::from_millis(i64::try_from(index).unwrap_or(0));
        let author = Author::nameless(AuthorRole::Bot);
        Event::new(id, reference.as_str(), now.saturating_add(later).unwrap_or(now), author, body)
    });
    Ok(events.collect())
}

/// A host notification: a text (SH, Host Notifications).
fn host_notification(given: &Value, settings: &Settings) -> EventBody {
    let requested = given.as_str().filter(|text| settings.hands_over_on(text)).map(handover);
    requested.unwrap_or_else(|| EventBody::Opaque {
        is_message: false,
        name: "HostNotification".into(),
        raw: given.clone(),
    })
}

/// The part of an event id that separates equal egress calls. An egress has neither an id nor a
/// time, and a bot may repeat itself, so each call is distinct unless `repeat_window` is set.
fn repeat_key(settings: &Settings, now: Timestamp) -> String {
    match settings.repeat_window.0 {
        0 => now.as_millisecond().to_string(),
        seconds => format!("w{}", now.as_second() / i64::from(seconds)),
    }
}

/// Returns the messages of an egress. `Markdown` and `Messages` have the same content, so one is
/// read. If both have the same number of entries, the other completes missing parts.
fn message_bodies(object: &Map<String, Value>, settings: &Settings) -> Vec<EventBody> {
    let listed = |name| match member(object, name) {
        Some(Value::Array(items)) => items.clone(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    let markdown = (listed("Markdown"), Format::Markdown);
    let messages = (listed("Messages"), Format::Plain);
    let (first, other) = match settings.egress_content {
        EgressContent::Markdown if !markdown.0.is_empty() => (markdown, messages),
        EgressContent::Messages if messages.0.is_empty() => (markdown, messages),
        EgressContent::Markdown | EgressContent::Messages => (messages, markdown),
    };
    let is_aligned = first.0.len() == other.0.len();
    let mut bodies = Vec::new();
    for (index, item) in first.0.iter().enumerate() {
        let counterpart = other.0.get(index).filter(|_| is_aligned);
        let text = text_content(item, first.1).or_else(|| text_content(counterpart?, other.1));
        let url = url_of(item).or_else(|| url_of(counterpart?));
        let url = url.filter(|url| text.as_ref().is_none_or(|text| !mentions(text, url)));
        if text.is_none() && url.is_none() {
            let (name, raw) = ("egress".into(), item.clone());
            bodies.push(EventBody::Opaque { is_message: true, name, raw });
        }
        let contents = text.into_iter().chain(url.map(Content::text));
        bodies.extend(contents.map(|content| message_or_handover(content, settings)));
    }
    bodies
}

fn text_content(item: &Value, format: Format) -> Option<Content> {
    let text = match item {
        Value::String(text) => text,
        Value::Object(object) => member(object, "message")?.as_str()?,
        _ => return None,
    };
    let content = if text.trim_start().starts_with(markup::OPENING_TAG) {
        markup::content_of_xml(text, &Map::new()).unwrap_or_else(|| Content::text(text))
    } else {
        Content { format, ..Content::text(text) }
    };
    Some(content).filter(|content| !content.is_empty())
}

fn url_of(item: &Value) -> Option<&str> {
    let url = member(item.as_object()?, "url")?.as_str()?.trim();
    Some(url).filter(|url| !url.is_empty())
}

fn mentions(content: &Content, url: &str) -> bool {
    content.text.as_deref().is_some_and(|text| text.contains(url))
}
