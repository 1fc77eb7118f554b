//! Parses the messages and events of a call into Trunkline's events.

use std::collections::HashMap;

use serde_json::{Map, Value};
use trunkline_core::json::member;
use trunkline_core::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Owner, Role, digest, time,
};

use crate::settings::MessageAfterHandover;
use crate::wire::{CallItem, Chat, event_name, text};
use crate::{Call, events, fallback, handover_notice};

/// The direction of messages from the client, which is the customer's side (CM-V1).
pub(crate) const CLIENT_ORIGINATED: &str = "ClientOriginated";
/// The direction of messages from the host to the client (CM-V1).
pub(crate) const CLIENT_TERMINATED: &str = "ClientTerminated";
/// The prefixes of message and event ids.
const MESSAGE_ID_PREFIX: &str = "m";
const EVENT_ID_PREFIX: &str = "e";
/// Maximum size of a message of unknown type that is attached as metadata, in bytes of JSON.
const MAX_METADATA_BYTES: usize = 2 * 1024;
/// The prefix of ids that are derived from the content.
const CONTENT_ID_PREFIX: &str = "h:";

/// Parses a call's messages and events according to the connection's role.
pub(crate) struct CallParser<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) chat: &'a Chat,
}

impl CallParser<'_> {
    /// Returns the events of a call, in the order of its items.
    pub(crate) fn events(&self, items: Vec<CallItem>) -> Vec<Event> {
        let mut events = Vec::with_capacity(items.len());
        let mut seen: HashMap<EventId, usize> = HashMap::new();
        for item in items {
            let mut event = match item {
                CallItem::Message(message) => self.message(message),
                CallItem::Event(event) => self.event(&event),
                CallItem::Handover(body) => handover_notice::parse(self, body),
            };
            if event.id.as_str().starts_with(CONTENT_ID_PREFIX) {
                // Identical items of one call are distinct, even without ids.
                let earlier = seen.entry(event.id.clone()).or_default();
                if *earlier > 0 {
                    event.id = EventId::from_parts(&[event.id.as_str(), &earlier.to_string()]);
                }
                *earlier += 1;
            }
            events.push(event);
        }
        events
    }

    /// Whether Trunkline is the host on the router (fact sheet A1).
    pub(crate) fn is_host(&self) -> bool {
        self.call.connection.role == Role::Channel
    }

    /// Parses a message. One in the other direction is Trunkline's own, or another host's, and is
    /// only recorded: this prevents loops (fact sheet A4).
    fn message(&self, message: Value) -> Event {
        let Value::Object(message) = message else {
            let name = "conversationMessages".to_owned();
            let id = self.event_id(MESSAGE_ID_PREFIX, &Map::new(), &message.to_string());
            let body = EventBody::Opaque { is_message: false, name, raw: message };
            return self.build_event(id, &Map::new(), AuthorRole::Unknown, body);
        };
        let expected = if self.is_host() { CLIENT_ORIGINATED } else { CLIENT_TERMINATED };
        let direction = text(&message, &["direction"]);
        let id =
            self.event_id(MESSAGE_ID_PREFIX, &message, &Value::Object(message.clone()).to_string());
        let external_message_id = text(&message, &["id"]).map(Into::into);
        if let Some(other) = direction.filter(|word| !word.eq_ignore_ascii_case(expected)) {
            let raw = Value::Object(message.clone());
            let body = EventBody::Opaque { is_message: false, name: other, raw };
            return self.build_event(id, &message, AuthorRole::Unknown, body);
        }
        let is_handback =
            self.call.settings.message_after_handover == MessageAfterHandover::Handback;
        let claimed_owner = Some(Owner::Bot).filter(|_| self.is_host() && is_handback);
        let picked = self.picked(&message);
        let body = picked.unwrap_or_else(|| message_body(&message));
        Event {
            external_message_id,
            claimed_owner,
            ..self.build_event(id, &message, self.sender_role(), body)
        }
    }

    /// The choice that a customer's message selects by its id. Without `choice_id_member` the label selects
    /// one of the offered choices.
    fn picked(&self, message: &Map<String, Value>) -> Option<EventBody> {
        let name = self.call.settings.choice_id_member.as_deref().filter(|_| self.is_host())?;
        let (id, title) = fallback::picked(message, name)?;
        Some(EventBody::Choice { id, title, typed: None })
    }

    fn event(&self, event: &Map<String, Value>) -> Event {
        let name = event_name(event).unwrap_or_default();
        let id = self.event_id(EVENT_ID_PREFIX, event, &Value::Object(event.clone()).to_string());
        let body = events::body(self, name, event);
        self.build_event(id, event, AuthorRole::System, body)
    }

    /// The author role of messages from the router.
    fn sender_role(&self) -> AuthorRole {
        match self.call.connection.role {
            Role::Channel => AuthorRole::Customer,
            Role::Bot => AuthorRole::Bot,
            Role::Desk | Role::Observer => AuthorRole::Agent,
        }
    }

    /// The id by which a repeated item is recognized: the vendor's id, or else a digest of its
    /// content (fact sheet A4). Without `createdOn` a customer's second "yes" would count as a
    /// repeat of the first, so the digest then includes the time of arrival.
    fn event_id(&self, kind: &str, part: &Map<String, Value>, whole: &str) -> EventId {
        if let Some(id) = text(part, &["id"]) {
            return EventId::from_parts(&[kind, &id]);
        }
        let mut distinguisher = String::new();
        if text(part, &["createdOn"]).is_none() {
            // A session ends only once, so its id replaces the time of arrival.
            let session = text(part, &["sessionId"]).or_else(|| self.chat.text("sessionId"));
            let session = session.filter(|_| kind == EVENT_ID_PREFIX);
            distinguisher = session.unwrap_or_else(|| self.call.now.to_string());
        }
        EventId::from_parts(&["h", &digest(&[kind, &self.chat.id, whole, &distinguisher])])
    }

    /// Builds an event with the chat's data.
    pub(crate) fn build_event(
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
        let mut event = Event::new(id, self.chat.id.as_str(), at, author, body);
        if self.is_host() {
            event.channel = self.chat.text("channel");
            // An incomplete chat must not replace a complete one, which replies need.
            if role == AuthorRole::Customer || self.chat.is_complete() {
                event.origin.clone_from(&self.chat.object);
            }
        }
        event
    }
}

/// The body of a message: its text or, for an undocumented type, a best guess with the original as
/// metadata. A message without recognizable content becomes opaque.
fn message_body(message: &Map<String, Value>) -> EventBody {
    let kind = text(message, &["$type"]).unwrap_or_default();
    let plain = member(message, "text").and_then(Value::as_str);
    let raw = || Value::Object(message.clone());
    if kind.eq_ignore_ascii_case("text")
        && let Some(plain) = plain.filter(|text| !text.trim().is_empty())
    {
        return EventBody::Message { content: Content::text(plain), metadata: Map::new() };
    }
    let content = fallback::content(message);
    if content.is_empty() {
        return EventBody::Opaque { is_message: true, name: kind, raw: raw() };
    }
    let mut metadata = Map::new();
    metadata.insert("cm_type".into(), Value::String(kind));
    let original = raw().to_string();
    if original.len() <= MAX_METADATA_BYTES {
        metadata.insert("cm_message".into(), Value::String(original));
    }
    EventBody::Message { content, metadata }
}
