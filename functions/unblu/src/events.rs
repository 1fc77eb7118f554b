//! Turns Unblu's events into Trunkline's events.

use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_core::json;
use trunkline_core::model::{
    Author, AuthorRole, ConversationKey, Delivery, Event, EventBody, EventId, ReceiptStatus, digest,
};

use crate::settings::Settings;
use crate::source_id::{is_source_id, parse_source_id};
use crate::wire::Object;
use crate::{Call, content};

/// `serverTimestamp` belongs to the message: it is the time at which Unblu's server received it (UA3, UA4). A
/// repeated webhook has the same message.
const STABLE_TIMESTAMP: bool = true;

fn required<'a>(object: Object<'a>, name: &str) -> Result<&'a str, String> {
    object.text(name).ok_or_else(|| format!("the member {name} is missing"))
}

/// Returns whether a conversation belongs to another channel or to none.
pub(crate) fn is_on_another_channel(conversation: Object<'_>, settings: &Settings) -> bool {
    let channel = conversation.text("externalMessengerChannelId");
    !settings.channel_id.is_empty() && channel != Some(settings.channel_id.as_str())
}

/// Returns a message as an event. Webhooks and outbound requests use the same message id, so a message
/// that arrives both ways is ingested once.
pub(crate) fn message_event(
    message: Object<'_>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Event, String> {
    let id = required(message, "id")?;
    let conversation = required(message, "conversationId")?;
    let kind = message.text("type").unwrap_or("message without a type");
    let opaque =
        |said, name: &str, raw| EventBody::Opaque { is_message: said, name: name.to_owned(), raw };
    let body = if message.is_true("internal") {
        // The text of agents' internal notes is not stored.
        opaque(false, "internal", json!({"id": id, "type": kind}))
    } else if is_own_message(message) {
        opaque(false, "our own", message.value())
    } else if kind == "SYSTEM" && !settings.system_messages {
        opaque(false, kind, message.value())
    } else {
        let content = content::from_message(message);
        let metadata = serde_json::Map::new();
        if content.is_empty() {
            opaque(true, kind, message.value())
        } else {
            EventBody::Message { content, metadata }
        }
    };
    // `sendTimestamp` comes from the sender's clock (UA4).
    let server_time = message.time("serverTimestamp");
    let at = server_time.or_else(|| message.time("sendTimestamp"));
    let event = Event::new(
        message_event_id(id),
        conversation,
        at.unwrap_or(now),
        author(message, kind),
        body,
    );
    let external_message_id = Some(content::known_id(message, id).into());
    let stable_timestamp = STABLE_TIMESTAMP && server_time.is_some();
    Ok(Event { external_message_id, stable_timestamp, ..event })
}

/// Returns the id of a message's event.
pub(crate) fn message_event_id(message: &str) -> EventId {
    EventId::from_parts(&["m", message])
}

/// Returns whether Trunkline sent the message. Unblu documents that it never sends back what came in
/// through the channel (S2). As a safeguard: Trunkline's messages have a delivery's id as `sourceId`, and
/// one of Trunkline's visitors as sender. Other visitors, who take part through Unblu itself, are virtual
/// persons as well (UA4 `EPersonSource`).
fn is_own_message(message: Object<'_>) -> bool {
    let ids = [message.text("sourceId"), message.text("externalMessageId")];
    let is_own_visitor = |person: Object<'_>| {
        person.text("personSource") == Some("VIRTUAL")
            && person.text("personType") == Some("VISITOR")
            && person.text("sourceId").is_some_and(is_source_id)
    };
    ids.into_iter().flatten().any(|id| Delivery::is_delivery_id(delivery_id(id)))
        || message.object("senderPerson").is_some_and(is_own_visitor)
}

/// Strips the message number from the `sourceId` of a delivery sent as several messages.
fn delivery_id(source_id: &str) -> &str {
    source_id.split_once('#').map_or(source_id, |(base, _)| base)
}

fn author(message: Object<'_>, kind: &str) -> Author {
    let Some(person) = message.object("senderPerson") else {
        return Author::nameless(AuthorRole::Unknown);
    };
    let author = person_as_author(person);
    let role = if kind == "SYSTEM" { AuthorRole::System } else { author.role };
    Author { role, ..author }
}

/// Returns a person as an author. A visitor is not the customer, whose own messages come from the channel.
fn person_as_author(person: Object<'_>) -> Author {
    let role = match person.text("personType") {
        Some("AGENT") => AuthorRole::Agent,
        Some("BOT") => AuthorRole::Bot,
        Some("SYSTEM") => AuthorRole::System,
        Some("VISITOR") => AuthorRole::Participant,
        _ => AuthorRole::Unknown,
    };
    let full_name = || {
        let names = [person.text("firstName"), person.text("lastName")];
        let names: Vec<_> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    let name = person.text("displayName").map(ToOwned::to_owned).or_else(full_name);
    Author { role, name }
}

/// Returns the state of a message that Trunkline sent. Its `sourceId` is the delivery's id, which is the
/// switchboard's id of the message (`Outbound::message_id`).
pub(crate) fn state_event(state: Object<'_>, now: Timestamp) -> Result<Event, String> {
    let conversation = required(state, "conversationId")?;
    let (state_name, message) =
        (required(state, "state")?, state.text("sourceId").unwrap_or_default());
    let named = state.text("messageId").unwrap_or(message);
    let body = if Delivery::is_delivery_id(message) {
        let status = match state_name {
            "DELIVERED" => ReceiptStatus::Delivered,
            "READ" => ReceiptStatus::Read,
            other => ReceiptStatus::Other(other.to_owned()),
        };
        EventBody::Receipt { message: message.into(), target: None, status, reason: None }
    } else {
        // The state of a handover's text or of a partial message: no receipt is expected for it.
        EventBody::Opaque { is_message: false, name: "message_state".into(), raw: state.value() }
    };
    let id = EventId::from_parts(&["s", named, &state_name.to_lowercase()]);
    let at = state.time("timestamp").unwrap_or(now);
    Ok(Event::new(id, conversation, at, Author::nameless(AuthorRole::System), body))
}

pub(crate) fn ended_event(body: Object<'_>, now: Timestamp) -> Result<Event, String> {
    let conversation = body.object("conversation").ok_or("the member conversation is missing")?;
    let id = required(conversation, "id")?;
    let parts = [body.text("endReason"), body.text("endComment")];
    let reason = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    let at = body.time("timestamp").or_else(|| conversation.time("endTimestamp")).unwrap_or(now);
    // Without a person, Unblu itself ended it.
    let author = body.object("endPerson").map(person_as_author);
    let author = author.unwrap_or(Author::nameless(AuthorRole::System));
    let event = EventId::from_parts(&["end", id]);
    Ok(Event::new(event, id, at, author, EventBody::Close { reason }))
}

/// Returns any other webhook that an operator registered for this address.
pub(crate) fn other_event(body: Object<'_>, name: &str, call: &Call<'_>) -> Result<Event, String> {
    let message = body.object("conversationMessage");
    let conversation = body.object("conversation").and_then(|conversation| conversation.text("id"));
    let conversation = conversation
        .or_else(|| message.and_then(|message| message.text("conversationId")))
        .or_else(|| body.text("conversationId"))
        .ok_or_else(|| format!("the webhook '{name}' does not name a conversation"))?;
    let header = call.headers.get("x-unblu-event-id").and_then(|id| id.to_str().ok());
    let whole = || digest(&[&String::from_utf8_lossy(call.body)]);
    let id = header.map_or_else(whole, ToOwned::to_owned);
    let at = body.time("timestamp").unwrap_or(call.now);
    let body = EventBody::Opaque { is_message: false, name: name.to_owned(), raw: body.value() };
    let id = EventId::from_parts(&["w", &id]);
    Ok(Event::new(id, conversation, at, Author::nameless(AuthorRole::System), body))
}

/// Returns the customer that an agent's message is intended for: the first of an outbound request's
/// receiving contacts whose `sourceId` Trunkline can parse. This finds the customer of a conversation
/// that an agent started. Webhooks do not list the receiving contacts.
#[must_use]
pub fn intended_recipient(body: &[u8]) -> Option<ConversationKey> {
    let body: Value = json::from_slice(body).ok()?;
    let mut contacts = Object(body.as_object()?).objects("receivingContacts");
    contacts.find_map(|contact| parse_source_id(contact.text("sourceId")?))
}
