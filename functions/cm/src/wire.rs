//! The router's wire format: a chat with messages and events, or a handover notice. All three
//! endpoints share one parser, because events may arrive at any of them (fact sheet A6).

use serde_json::{Map, Value};
use trunkline_core::json::member;

use crate::events;
use crate::json_repair::variable;

/// The path of the handover endpoint, after the connection's URL.
pub(crate) const HANDOVER_PATH: &str = "handover";

/// The members of a chat: their names within `chat` (CM-FMT), and in a flat body (SEED-CM).
const CHAT_MEMBERS: [(&str, &str); 7] = [
    ("id", "chatId"),
    ("sessionId", "sessionId"),
    ("accountId", "accountId"),
    ("channel", "channel"),
    ("conversationClientId", "conversationClientId"),
    ("conversationHostId", "conversationHostId"),
    ("conversationClientName", "conversationClientName"),
];

/// The members of a chat that a reply requires (CM-FMT).
const REQUIRED_CHAT_MEMBERS: [&str; 5] =
    ["id", "accountId", "channel", "conversationClientId", "conversationHostId"];

/// Maximum number of messages and events per call: each becomes a record of its own.
const MAX_ITEMS: usize = 200;
/// Maximum size of a chat that is stored unchanged, in bytes of JSON.
const MAX_CHAT_BYTES: usize = 8 * 1024;

/// A chat (CM-FMT).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chat {
    /// The router's chat id.
    pub id: String,
    /// The whole `chat` object, which replies echo.
    pub object: Map<String, Value>,
}

/// One message, event or notice of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CallItem {
    /// An entry of `conversationMessages`.
    Message(Value),
    /// An entry of `conversationEvents`, or a body that is an event itself.
    Event(Map<String, Value>),
    /// The body of a handover notice.
    Handover(Map<String, Value>),
}

/// Parses a call into its chat and its items, in order. `mapping` is the setting `events`.
///
/// # Errors
/// If the chat's id is missing, or the call has more than [`MAX_ITEMS`] items.
pub(crate) fn parse(
    body: &Map<String, Value>,
    path: &str,
    mapping: &str,
) -> Result<(Chat, Vec<CallItem>), String> {
    let chat = Chat::parse(body).ok_or("the chat's id is missing")?;
    let mut items: Vec<CallItem> =
        entries(body, "conversationMessages").into_iter().map(CallItem::Message).collect();
    items.extend(entries(body, "conversationEvents").into_iter().map(|event| match event {
        Value::Object(event) => CallItem::Event(event),
        other => CallItem::Event(Map::from_iter([("event".to_owned(), other)])),
    }));
    if items.is_empty() {
        items.extend(single_item(body, path, mapping));
    }
    if items.len() > MAX_ITEMS {
        return Err(format!("the call has more than {MAX_ITEMS} messages and events"));
    }
    Ok((chat, items))
}

/// Classifies a body without `conversationMessages` and `conversationEvents`.
fn single_item(body: &Map<String, Value>, path: &str, mapping: &str) -> Option<CallItem> {
    let kind = text(body, &["kind"]).unwrap_or_default();
    let name = event_name(body);
    let acts = name.as_deref().is_some_and(|name| events::meaning(mapping, name).is_some());
    if !acts && (path == HANDOVER_PATH || kind.eq_ignore_ascii_case("handover")) {
        return Some(CallItem::Handover(body.clone()));
    }
    if name.is_some() {
        return Some(CallItem::Event(body.clone()));
    }
    // The context of a notice may be empty.
    if has_key(body, "context") {
        return Some(CallItem::Handover(body.clone()));
    }
    // An empty envelope has no items.
    let is_envelope =
        has_list(body, "conversationMessages") || has_list(body, "conversationEvents");
    (!is_envelope).then(|| CallItem::Event(body.clone()))
}

/// Returns an event's name from any of its documented members (CM-FMT, BRIDGE).
pub(crate) fn event_name(event: &Map<String, Value>) -> Option<String> {
    text(event, &["$type", "eventType", "type"])
}

impl Chat {
    /// Reads `chat`, or the flat members of a handover template (SEED-CM) or event (BRIDGE).
    fn parse(body: &Map<String, Value>) -> Option<Self> {
        let nested = member(body, "chat").and_then(Value::as_object);
        let (object, id) = match nested {
            Some(chat) => (within_limit(chat), text(chat, &["id", "chatId"])),
            None => (known_members(body, |(_, spelled)| spelled), None),
        };
        let id = id.or_else(|| text(body, &["chatId"]))?;
        Some(Self { id, object })
    }

    /// Returns a member as text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text(&self.object, &[name])
    }

    /// Whether the chat has all members that a reply requires.
    pub(crate) fn is_complete(&self) -> bool {
        REQUIRED_CHAT_MEMBERS.iter().all(|name| self.text(name).is_some())
    }
}

/// The whole chat or, beyond the size limit, its documented members.
fn within_limit(chat: &Map<String, Value>) -> Map<String, Value> {
    let size = serde_json::to_vec(chat).map_or(usize::MAX, |json| json.len());
    if size <= MAX_CHAT_BYTES { chat.clone() } else { known_members(chat, |(name, _)| name) }
}

/// Extracts the documented members; `spelled` selects their spelling in `object`.
fn known_members(
    object: &Map<String, Value>,
    spelled: impl Fn((&'static str, &'static str)) -> &'static str,
) -> Map<String, Value> {
    let known = CHAT_MEMBERS
        .iter()
        .filter_map(|row| Some((row.0.to_owned(), Value::String(text(object, &[spelled(*row)])?))));
    known.collect()
}

/// The entries of an array. A single object counts as an array of one.
fn entries(body: &Map<String, Value>, name: &str) -> Vec<Value> {
    match member(body, name) {
        Some(Value::Array(entries)) => entries.clone(),
        Some(Value::Object(entry)) => vec![Value::Object(entry.clone())],
        _ => Vec::new(),
    }
}

/// Returns whether an object has a key, in any case.
fn has_key(object: &Map<String, Value>, name: &str) -> bool {
    object.keys().any(|key| key.eq_ignore_ascii_case(name))
}

/// Returns whether an object has a list of this name, which may be empty. `null` stands for an absent one.
fn has_list(object: &Map<String, Value>, name: &str) -> bool {
    object.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())
}

/// Returns the first of these members that is a string or a number, and neither blank nor an
/// unreplaced variable.
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
