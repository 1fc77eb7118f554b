//! The chat that a call of ours is about.

use serde_json::{Map, Value};
use trunkline_shared::model::{AuthorRole, EventBody, Role};
use trunkline_shared::outbound::{Sending, Unsendable};

use crate::settings::Settings;
use crate::wire::{member, text};

/// As host: the whole chat as it came last, the only rule that satisfies every reading of the format
/// (fact sheet A3.1). As client: made of what is ours.
pub(crate) fn of(sending: &Sending<'_>, settings: &Settings) -> Result<Value, Unsendable> {
    if sending.delivery.to.role == Role::Channel {
        let mut chat = sending.delivery.to.origin.clone();
        if member(&chat, "id").is_none() {
            chat.insert("id".into(), Value::String(sending.external_id().to_owned()));
        }
        return Ok(Value::Object(chat));
    }
    let misconfigured = |name: &str| {
        Unsendable::Misconfigured(format!(
            "send_url does not end in /accounts/<id>/adapters/<id>: copy it from the adapter, or set {name}"
        ))
    };
    let account = settings.account().ok_or_else(|| misconfigured("account_id"))?;
    let host = settings.conversation_host_id.as_deref().or_else(|| settings.adapter());
    let host = host.ok_or_else(|| misconfigured("conversation_host_id"))?;
    let key = &sending.delivery.key;
    let mut chat = Map::new();
    let mut put = |name: &str, value: String| chat.insert(name.to_owned(), Value::String(value));
    put("id", id(sending));
    put("accountId", account.to_owned());
    put("channel", settings.channel.clone());
    // The router makes the chat's id of this, so one customer stays in one chat (BRIDGE).
    put("conversationClientId", format!("{}:{}", key.channel, key.customer));
    put("conversationHostId", host.to_owned());
    if let Some(name) = customer(sending) {
        put("conversationClientName", name);
    }
    Ok(Value::Object(chat))
}

/// The router's id, or on the first call one that it replaces (BRIDGE: it must be there, and is ignored).
pub(crate) fn id(sending: &Sending<'_>) -> String {
    match sending.external_id() {
        "" => format!("trunkline-{}", sending.delivery.leg_conversation()),
        known => known.to_owned(),
    }
}

/// The customer's name, if what is delivered says it.
fn customer(sending: &Sending<'_>) -> Option<String> {
    let event = &sending.delivery.event;
    let told = match &event.body {
        EventBody::Handover { recall, .. } => recall.lines.as_slice(),
        _ => &[],
    };
    let mut authors =
        std::iter::once(&event.author).chain(told.iter().rev().map(|line| &line.author));
    authors.find_map(|author| author.name.clone().filter(|_| author.role == AuthorRole::Customer))
}

/// The router's id of a chat in its answer.
pub(crate) fn told(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let chat = member(answer.as_object()?, "chat")?;
    text(chat.as_object()?, &["id"])
}
