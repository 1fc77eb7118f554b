//! From what the router sends to events.

use std::collections::HashMap;

use serde_json::{Map, Value};
use trunkline_shared::inbound::Call;
use trunkline_shared::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Owner, Role, digest, time,
};

use crate::settings::{Settings, Whose};
use crate::wire::{Chat, Part, ends_session, event_name, member, text};
use crate::{fallback, notice};

/// Written by the client: the customer (CM-V1).
pub(crate) const BY_CLIENT: &str = "ClientOriginated";
/// Written by the host, to the client (CM-V1).
pub(crate) const BY_HOST: &str = "ClientTerminated";
/// What the ids of messages and of events begin with.
const MESSAGE: &str = "m";
const EVENT: &str = "e";
/// How much of a message of unknown type goes along as metadata, in bytes.
const MAX_RAW: usize = 2 * 1024;
/// What the ids begin with of what is known by its content only.
const BY_CONTENT: &str = "h:";

/// Reads a call's parts as the connection's role has them.
pub(crate) struct Reader<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) chat: &'a Chat,
}

impl Reader<'_> {
    /// The events of a call, in the order of its parts.
    pub(crate) fn events(&self, parts: Vec<Part>) -> Vec<Event> {
        let mut events = Vec::with_capacity(parts.len());
        let mut seen: HashMap<EventId, usize> = HashMap::new();
        for part in parts {
            let mut event = match part {
                Part::Message(message) => self.message(message),
                Part::Event(event) => self.event(&event),
                Part::Handover(body) => notice::read(self, body),
            };
            if event.id.as_str().starts_with(BY_CONTENT) {
                // Without ids, two of one call that are alike are two all the same.
                let before = seen.entry(event.id.clone()).or_default();
                if *before > 0 {
                    event.id = EventId::from_parts(&[event.id.as_str(), &before.to_string()]);
                }
                *before += 1;
            }
            events.push(event);
        }
        events
    }

    /// Whether the connection is the router's host (fact sheet A1).
    pub(crate) fn is_host(&self) -> bool {
        self.call.connection.role == Role::Channel
    }

    /// What was said, by whoever is on the other side; what is our own, or another host's, is only kept
    /// (fact sheet A4, loop guard).
    fn message(&self, message: Value) -> Event {
        let Value::Object(message) = message else {
            let name = "conversationMessages".to_owned();
            let id = self.identity(MESSAGE, &Map::new(), &message.to_string());
            let body = EventBody::Opaque { said: false, name, raw: message };
            return self.dressed(id, &Map::new(), AuthorRole::Unknown, body);
        };
        let theirs = if self.is_host() { BY_CLIENT } else { BY_HOST };
        let direction = text(&message, &["direction"]);
        let id = self.identity(MESSAGE, &message, &Value::Object(message.clone()).to_string());
        let external_id = text(&message, &["id"]);
        if let Some(other) = direction.filter(|word| !word.eq_ignore_ascii_case(theirs)) {
            let raw = Value::Object(message.clone());
            let body = EventBody::Opaque { said: false, name: other, raw };
            return self.dressed(id, &message, AuthorRole::Unknown, body);
        }
        let floor = Some(Owner::Bot)
            .filter(|_| self.is_host() && self.settings.after_handover == Whose::Ours);
        let body = said(&message);
        Event { external_id, floor, ..self.dressed(id, &message, self.theirs(), body) }
    }

    fn event(&self, event: &Map<String, Value>) -> Event {
        let name = event_name(event).unwrap_or_default();
        let id = self.identity(EVENT, event, &Value::Object(event.clone()).to_string());
        let body = if ends_session(&name) {
            EventBody::Close { reason: Some(name) }
        } else {
            EventBody::Opaque { said: false, name, raw: Value::Object(event.clone()) }
        };
        self.dressed(id, event, AuthorRole::System, body)
    }

    /// Who is on the other side.
    fn theirs(&self) -> AuthorRole {
        match self.call.connection.role {
            Role::Channel => AuthorRole::Customer,
            Role::Bot => AuthorRole::Bot,
            Role::Desk | Role::Observer => AuthorRole::Agent,
        }
    }

    /// What a repeat has in common with its first: the vendor's id, or else all that it says (fact sheet
    /// A4). Without even a time, a customer's second "yes" would be taken for a repeat of the first, so
    /// then it counts when it came.
    fn identity(&self, kind: &str, part: &Map<String, Value>, whole: &str) -> EventId {
        if let Some(id) = text(part, &["id"]) {
            return EventId::from_parts(&[kind, &id]);
        }
        let mut came = String::new();
        if text(part, &["createdOn"]).is_none() {
            // A session ends once.
            let session = text(part, &["sessionId"]).or_else(|| self.chat.text("sessionId"));
            let session = session.filter(|_| kind == EVENT);
            came = session.unwrap_or_else(|| self.call.now.to_string());
        }
        EventId::from_parts(&["h", &digest(&[kind, &self.chat.id, whole, &came])])
    }

    /// An event with all that is known of its chat.
    pub(crate) fn dressed(
        &self,
        id: EventId,
        part: &Map<String, Value>,
        role: AuthorRole,
        body: EventBody,
    ) -> Event {
        let created = text(part, &["createdOn"]);
        let at = created.and_then(|text| time::parse_lenient(&text)).unwrap_or(self.call.now);
        let mut author = Author::nameless(role);
        if role == AuthorRole::Customer {
            author.name = self.chat.text("conversationClientName");
        }
        let mut event = Event::new(id, &self.chat.id, at, author, body);
        if self.is_host() {
            event.channel = self.chat.text("channel");
            // One without all that an answer needs would stand in place of one that has it.
            if role == AuthorRole::Customer || self.chat.is_whole() {
                event.origin.clone_from(&self.chat.whole);
            }
        }
        event
    }
}

/// What a message says: a text, or of another type a best guess, with the whole beside it; what nothing
/// can be made of is kept as it came.
fn said(message: &Map<String, Value>) -> EventBody {
    let kind = text(message, &["$type"]).unwrap_or_default();
    let plain = member(message, "text").and_then(Value::as_str);
    let raw = || Value::Object(message.clone());
    if kind.eq_ignore_ascii_case("text")
        && let Some(plain) = plain.filter(|text| !text.trim().is_empty())
    {
        return EventBody::Message { content: Content::text(plain), metadata: Map::new() };
    }
    let content = Content {
        text: fallback::text(message),
        media: fallback::media(message).into_iter().collect(),
        ..Content::default()
    };
    if content.is_empty() {
        return EventBody::Opaque { said: true, name: kind, raw: raw() };
    }
    let mut metadata = Map::new();
    metadata.insert("cm_type".into(), Value::String(kind));
    let whole = raw().to_string();
    if whole.len() <= MAX_RAW {
        metadata.insert("cm_message".into(), Value::String(whole));
    }
    EventBody::Message { content, metadata }
}
