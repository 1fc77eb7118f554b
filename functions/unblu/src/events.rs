//! Events of Unblu's, in our own terms.

use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_shared::inbound::Call;
use trunkline_shared::model::{
    Author, AuthorRole, ConversationKey, Delivery, Event, EventBody, EventId, ReceiptStatus, digest,
};

use crate::content;
use crate::settings::Settings;
use crate::source::key_of;
use crate::wire::Object;

fn required<'a>(object: Object<'a>, name: &str) -> Result<&'a str, String> {
    object.text(name).ok_or_else(|| format!("there is no {name}"))
}

/// Whether a conversation belongs to another channel than ours, or to none.
pub(crate) fn is_elsewhere(conversation: Object<'_>, settings: &Settings) -> bool {
    conversation.text("externalMessengerChannelId") != Some(settings.channel_id.as_str())
}

/// A message is known by its id in both styles, so that one that comes in both is taken once.
pub(crate) fn message_event(
    message: Object<'_>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Event, String> {
    let id = required(message, "id")?;
    let conversation = required(message, "conversationId")?;
    let kind = message.text("type").unwrap_or("message without a type");
    let kept = |said, name: &str, raw| EventBody::Opaque { said, name: name.to_owned(), raw };
    let body = if message.truth("internal") {
        // Agents' notes for each other are not copied anywhere.
        kept(false, "internal", json!({"id": id, "type": kind}))
    } else if is_ours(message) {
        kept(false, "our own", message.value())
    } else if kind == "SYSTEM" && !settings.system_messages {
        kept(false, kind, message.value())
    } else {
        let content = content::of(message);
        let metadata = serde_json::Map::new();
        if content.is_empty() {
            kept(true, kind, message.value())
        } else {
            EventBody::Message { content, metadata }
        }
    };
    // `sendTimestamp` is the sender's own clock (UA4).
    let at = message.time("serverTimestamp").or_else(|| message.time("sendTimestamp"));
    let event = Event::new(
        EventId::from_parts(&["m", id]),
        conversation,
        at.unwrap_or(now),
        author(message, kind),
        body,
    );
    Ok(Event { external_id: Some(id.to_owned()), ..event })
}

/// Unblu says that it never sends back what came in through the channel (S2). To be sure: ours bear a
/// delivery's id, and are said by a virtual visitor.
fn is_ours(message: Object<'_>) -> bool {
    let ids = [message.text("sourceId"), message.text("externalMessageId")];
    let by_us = |person: Object<'_>| {
        person.text("personSource") == Some("VIRTUAL")
            && person.text("personType") == Some("VISITOR")
    };
    ids.into_iter().flatten().any(|id| Delivery::is_ours(base(id)))
        || message.object("senderPerson").is_some_and(by_us)
}

/// A delivery's id, of one that was sent as several messages.
fn base(source_id: &str) -> &str {
    source_id.split_once('#').map_or(source_id, |(base, _)| base)
}

fn author(message: Object<'_>, kind: &str) -> Author {
    let Some(person) = message.object("senderPerson") else {
        return Author::nameless(AuthorRole::Unknown);
    };
    let role = match person.text("personType") {
        _ if kind == "SYSTEM" => AuthorRole::System,
        Some("AGENT") => AuthorRole::Agent,
        Some("BOT") => AuthorRole::Bot,
        Some("SYSTEM") => AuthorRole::System,
        _ => AuthorRole::Unknown,
    };
    let both = || {
        let names = [person.text("firstName"), person.text("lastName")];
        let names: Vec<_> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    let name = person.text("displayName").map(ToOwned::to_owned).or_else(both);
    Author { role, name }
}

/// What became of a message that we sent. It is named by its `sourceId`, which is the delivery's id:
/// what the switchboard knows it by (`Outbound::message_id`).
pub(crate) fn state_event(state: Object<'_>, now: Timestamp) -> Result<Event, String> {
    let conversation = required(state, "conversationId")?;
    let (word, message) = (required(state, "state")?, state.text("sourceId").unwrap_or_default());
    let named = state.text("messageId").unwrap_or(message);
    let body = if Delivery::is_ours(message) {
        let status = match word {
            "DELIVERED" => ReceiptStatus::Delivered,
            "READ" => ReceiptStatus::Read,
            other => ReceiptStatus::Other(other.to_owned()),
        };
        let message = message.to_owned();
        EventBody::Receipt { message, about: None, status, reason: None }
    } else {
        // Of what we told at a handover, or of a part: nobody waits for it.
        EventBody::Opaque { said: false, name: "message_state".into(), raw: state.value() }
    };
    let id = EventId::from_parts(&["s", named, &word.to_lowercase()]);
    let at = state.time("timestamp").unwrap_or(now);
    Ok(Event::new(id, conversation, at, Author::nameless(AuthorRole::System), body))
}

pub(crate) fn ended_event(body: Object<'_>, now: Timestamp) -> Result<Event, String> {
    let conversation = body.object("conversation").ok_or("there is no conversation")?;
    let id = required(conversation, "id")?;
    let reason = body.text("endReason").map(ToOwned::to_owned);
    let at = body.time("timestamp").or_else(|| conversation.time("endTimestamp")).unwrap_or(now);
    let who = body.object("endPerson").and_then(|person| person.text("displayName"));
    let author = Author { role: AuthorRole::Agent, name: who.map(ToOwned::to_owned) };
    let event = EventId::from_parts(&["end", id]);
    Ok(Event::new(event, id, at, author, EventBody::Close { reason }))
}

/// Any other webhook that an operator registered for this address.
pub(crate) fn other_event(body: Object<'_>, name: &str, call: &Call<'_>) -> Result<Event, String> {
    let message = body.object("conversationMessage");
    let conversation = body.object("conversation").and_then(|conversation| conversation.text("id"));
    let conversation = conversation
        .or_else(|| message.and_then(|message| message.text("conversationId")))
        .or_else(|| body.text("conversationId"))
        .ok_or_else(|| format!("the webhook '{name}' names no conversation"))?;
    let header = call.headers.get("x-unblu-event-id").and_then(|id| id.to_str().ok());
    let whole = || digest(&[&String::from_utf8_lossy(call.body)]);
    let id = header.map_or_else(whole, ToOwned::to_owned);
    let at = body.time("timestamp").unwrap_or(call.now);
    let kept = EventBody::Opaque { said: false, name: name.to_owned(), raw: body.value() };
    let id = EventId::from_parts(&["w", &id]);
    Ok(Event::new(id, conversation, at, Author::nameless(AuthorRole::System), kept))
}

/// Whom an agent's message reaches, by the receiving contacts that an outbound request lists: the
/// first whose `sourceId` is a customer's as we write it. So a conversation that an agent began can be
/// found. Webhooks do not list them.
#[must_use]
pub fn reaches(body: &[u8]) -> Option<ConversationKey> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut contacts = Object(body.as_object()?).objects("receivingContacts");
    contacts.find_map(|contact| key_of(contact.text("sourceId")?))
}
