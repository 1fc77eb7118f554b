//! Builds the `chat` object of an outbound call.

use serde_json::{Map, Value};
use trunkline_core::json::{self, member};
use trunkline_core::model::Role;
use trunkline_runtime::outbound::EncodeError;

use crate::SendContext;
use crate::wire::text;

/// Builds the chat. A host echoes the whole chat as last received, the only rule that satisfies
/// every reading of the format (fact sheet A3.1). A client builds it from its own settings and ids.
pub(crate) fn build(sending: &SendContext<'_>) -> Result<Value, EncodeError> {
    if sending.delivery.to.role == Role::Channel {
        let mut chat = sending.delivery.to.origin.clone();
        if member(&chat, "id").is_none() {
            chat.insert("id".into(), Value::String(sending.external_conversation_id().to_owned()));
        }
        return Ok(Value::Object(chat));
    }
    let misconfigured = |name: &str| {
        EncodeError::Misconfigured(format!(
            "send_url does not end in /accounts/<id>/adapters/<id>: copy the Outbound URL from the adapter, or set {name}"
        ))
    };
    let settings = sending.settings;
    let account = settings.technical_link_id().ok_or_else(|| misconfigured("account_id"))?;
    let host = settings.conversation_host_id.as_deref().or_else(|| settings.adapter_id());
    let host = host.ok_or_else(|| misconfigured("conversation_host_id"))?;
    let key = &sending.delivery.key;
    let mut chat = Map::new();
    let mut put = |name: &str, value: String| chat.insert(name.to_owned(), Value::String(value));
    put("id", chat_id(sending));
    put("accountId", account.to_owned());
    put("channel", settings.channel.clone());
    // The router derives the chat's id from this value, so a customer stays in one chat (BRIDGE).
    put("conversationClientId", format!("{}:{}", key.channel, key.customer));
    put("conversationHostId", host.to_owned());
    if let Some(name) = sending.delivery.event.customer_name() {
        put("conversationClientName", name.to_owned());
    }
    Ok(Value::Object(chat))
}

/// Returns the router's chat id, or on the first call a placeholder (BRIDGE: an id is required, and
/// ignored).
pub(crate) fn chat_id(sending: &SendContext<'_>) -> String {
    match sending.external_conversation_id() {
        "" => format!("trunkline-{}", sending.delivery.session_id()),
        known => known.to_owned(),
    }
}

/// Returns the router's chat id in a response.
pub(crate) fn id_in_response(response: &[u8]) -> Option<String> {
    let response: Value = json::from_slice(response).ok()?;
    let chat = member(response.as_object()?, "chat")?;
    text(chat.as_object()?, &["id"])
}
