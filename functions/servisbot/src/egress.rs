//! Reads what the webhook engagement adapter sends to its `Url`. No formal description of it is public:
//! the members are those that a third party's bridge takes apart (SC).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use trunkline_shared::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Format, digest,
};

use crate::eventing::meant;
use crate::markup;
use crate::settings::{EgressContent, Settings, Source};

/// Reads the events of an egress: one for each message in it, in order. Where eventing is the source of
/// replies, they are kept only.
///
/// # Errors
/// If it names no customer: then nobody knows where it belongs.
pub fn parse(body: &Value, settings: &Settings, now: Timestamp) -> Result<Vec<Event>, String> {
    let object = body.as_object().ok_or("the body is not a JSON object")?;
    let reference = match member(object, "CustomerReference") {
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err("there is no CustomerReference".into()),
    };
    let kept = || EventBody::Opaque { said: false, name: "egress".into(), raw: body.clone() };
    let mut bodies = match settings.replies {
        Source::Egress => said(object, settings),
        Source::Eventing => Vec::new(),
    };
    if bodies.is_empty() {
        bodies.push(kept());
    }
    let whole = digest(&[&body.to_string()]);
    let stamp = stamp(settings, now);
    let events = bodies.into_iter().enumerate().map(|(place, body)| {
        let id = EventId::from_parts(&["g", &whole, &place.to_string(), &stamp]);
        // A transcript sorts by time: what came in one call stays in its order.
        let later = SignedDuration::from_millis(i64::try_from(place).unwrap_or(0));
        let author = Author::nameless(AuthorRole::Bot);
        Event::new(id, reference.as_str(), now.saturating_add(later).unwrap_or(now), author, body)
    });
    Ok(events.collect())
}

/// An egress has no id and no time, and a bot may well say the same twice: so each is one of its own,
/// unless it is told that what is the same within a while is a repeat.
fn stamp(settings: &Settings, now: Timestamp) -> String {
    match settings.repeat_seconds() {
        Some(seconds) if seconds > 0 => format!("w{}", now.as_second() / i64::from(seconds)),
        _ => now.as_millisecond().to_string(),
    }
}

/// `Markdown` and `Messages` say the same, so one is read; where both have as many entries, what only
/// the other has is added.
fn said(object: &Map<String, Value>, settings: &Settings) -> Vec<EventBody> {
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
    for (place, item) in first.0.iter().enumerate() {
        let beside = other.0.get(place).filter(|_| is_aligned);
        let text = words(item, first.1).or_else(|| words(beside?, other.1));
        let url = link(item).or_else(|| link(beside?));
        let url = url.filter(|url| text.as_ref().is_none_or(|text| !mentions(text, url)));
        if text.is_none() && url.is_none() {
            let (name, raw) = ("egress".into(), item.clone());
            bodies.push(EventBody::Opaque { said: true, name, raw });
        }
        let contents = text.into_iter().chain(url.map(Content::text));
        bodies.extend(contents.map(|content| meant(content, settings)));
    }
    bodies
}

fn words(item: &Value, format: Format) -> Option<Content> {
    let text = match item {
        Value::String(text) => text,
        Value::Object(object) => member(object, "message")?.as_str()?,
        _ => return None,
    };
    let content = if text.trim_start().starts_with(markup::OPENING) {
        markup::read_xml(text, &Map::new()).unwrap_or_else(|| Content::text(text))
    } else {
        Content { format, ..Content::text(text) }
    };
    Some(content).filter(|content| !content.is_empty())
}

fn link(item: &Value) -> Option<&str> {
    let url = member(item.as_object()?, "url")?.as_str()?.trim();
    Some(url).filter(|url| !url.is_empty())
}

fn mentions(content: &Content, url: &str) -> bool {
    content.text.as_deref().is_some_and(|text| text.contains(url))
}

/// A member, in whatever case it is written.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let exact = object.get(name);
    exact.or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}
