//! What a call of the router holds, in its own terms: a chat with messages and events, or the notice of
//! a handover. One reading for all three endpoints, as events may come to any (fact sheet A6).

use serde_json::{Map, Value};

use crate::lenient::variable;

/// Our address's path of the handover endpoint.
pub(crate) const HANDOVER: &str = "handover";

/// The members of a chat in the vendor's spelling (CM-FMT), and as a flat body spells them (SEED-CM).
const CHAT: [(&str, &str); 7] = [
    ("id", "chatId"),
    ("sessionId", "sessionId"),
    ("accountId", "accountId"),
    ("channel", "channel"),
    ("conversationClientId", "conversationClientId"),
    ("conversationHostId", "conversationHostId"),
    ("conversationClientName", "conversationClientName"),
];

/// The members of a chat without which none can be answered (CM-FMT).
const REQUIRED: [&str; 5] =
    ["id", "accountId", "channel", "conversationClientId", "conversationHostId"];

/// How many messages and events one call may have: each becomes a record of its own.
const MAX_PARTS: usize = 200;
/// How large a chat is kept as a whole, in bytes of JSON.
const MAX_CHAT: usize = 8 * 1024;

/// A chat (CM-FMT).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chat {
    /// The router's own id of it.
    pub id: String,
    /// The whole object, to be echoed back in an answer.
    pub whole: Map<String, Value>,
}

/// One thing of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// An entry of `conversationMessages`.
    Message(Value),
    /// An entry of `conversationEvents`, or a body that is an event itself.
    Event(Map<String, Value>),
    /// The notice of a handover.
    Handover(Map<String, Value>),
}

/// Reads a call's parts, in their order.
///
/// # Errors
/// If there is no chat's id, for then nobody knows where it belongs, or if there is too much in it.
pub(crate) fn read(body: &Map<String, Value>, path: &str) -> Result<(Chat, Vec<Part>), String> {
    let chat = Chat::read(body).ok_or("there is no chat's id")?;
    let mut parts: Vec<Part> =
        several(body, "conversationMessages").into_iter().map(Part::Message).collect();
    parts.extend(several(body, "conversationEvents").into_iter().map(|event| match event {
        Value::Object(event) => Part::Event(event),
        other => Part::Event(Map::from_iter([("event".to_owned(), other)])),
    }));
    if parts.is_empty() {
        parts.extend(alone(body, path));
    }
    if parts.len() > MAX_PARTS {
        return Err(format!("there are more than {MAX_PARTS} messages and events in it"));
    }
    Ok((chat, parts))
}

/// What a body without messages and events is.
fn alone(body: &Map<String, Value>, path: &str) -> Option<Part> {
    let kind = text(body, &["kind"]).unwrap_or_default();
    let named = event_name(body);
    let ends = named.as_deref().is_some_and(ends_session);
    if !ends && (path == HANDOVER || kind.eq_ignore_ascii_case("handover")) {
        return Some(Part::Handover(body.clone()));
    }
    if named.is_some() {
        return Some(Part::Event(body.clone()));
    }
    if member(body, "context").is_some() {
        return Some(Part::Handover(body.clone()));
    }
    // An envelope with nothing in it.
    let is_envelope = member(body, "conversationMessages").or(member(body, "conversationEvents"));
    is_envelope.is_none().then(|| Part::Event(body.clone()))
}

/// An event's name, in whichever member it is (CM-FMT, BRIDGE).
pub(crate) fn event_name(event: &Map<String, Value>) -> Option<String> {
    text(event, &["$type", "eventType", "type"])
}

/// Whether an event's name says that the session is over: `RouterSessionEnded`, in any case (BRIDGE).
pub(crate) fn ends_session(name: &str) -> bool {
    name.to_lowercase().ends_with("sessionended")
}

impl Chat {
    /// From `chat`, or from the flat members of a handover template (SEED-CM) or event (BRIDGE).
    fn read(body: &Map<String, Value>) -> Option<Self> {
        let nested = member(body, "chat").and_then(Value::as_object);
        let (whole, id) = match nested {
            Some(chat) => (kept(chat), text(chat, &["id", "chatId"])),
            None => (of_members(body, |(_, spelled)| spelled), None),
        };
        let id = id.or_else(|| text(body, &["chatId"]))?;
        Some(Self { id, whole })
    }

    /// A member's text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text(&self.whole, &[name])
    }

    /// Whether it has all that an answer needs.
    pub(crate) fn is_whole(&self) -> bool {
        REQUIRED.iter().all(|name| self.text(name).is_some())
    }
}

/// The whole chat, or if it is too large what is known of it.
fn kept(chat: &Map<String, Value>) -> Map<String, Value> {
    let size = serde_json::to_vec(chat).map_or(usize::MAX, |written| written.len());
    if size <= MAX_CHAT { chat.clone() } else { of_members(chat, |(name, _)| name) }
}

/// The members that are known, as spelled there.
fn of_members(
    object: &Map<String, Value>,
    spelled: impl Fn((&'static str, &'static str)) -> &'static str,
) -> Map<String, Value> {
    let known = CHAT
        .iter()
        .filter_map(|row| Some((row.0.to_owned(), Value::String(text(object, &[spelled(*row)])?))));
    known.collect()
}

/// The entries of an array; a single entry, should it come without one.
fn several(body: &Map<String, Value>, name: &str) -> Vec<Value> {
    match member(body, name) {
        Some(Value::Array(entries)) => entries.clone(),
        Some(Value::Object(entry)) => vec![Value::Object(entry.clone())],
        _ => Vec::new(),
    }
}

/// A member by its name in any case, for the vendor's pages vary it (fact sheet A9).
pub(crate) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let as_written = object.get(name);
    as_written.or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

/// The first of these members that is a text, or a number; neither blank nor an unreplaced variable.
pub(crate) fn text(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let text = match member(object, name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let unreplaced = variable(&text).is_some_and(|(_, after)| after.is_empty());
        (!text.is_empty() && !unreplaced).then_some(text)
    })
}
