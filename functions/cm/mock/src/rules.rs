//! What the router demands of the messages that an adapter sends. There is no public schema, so each rule names
//! its source:
//!
//! | key | source |
//! | --- | --- |
//! | `SEED-CM` | "Custom Integration", <https://developers.cm.com/central-services/docs/custom-integration> |
//! | `CM-FMT` | "TwoWay Format", <https://developers.cm.com/central-services/docs/twoway-format>, the part before "Message types" |
//! | `CM-BMP` | "Conversational and Bot API", <https://www.cm.com/en-en/app/docs/api/conversational-and-bot-api/1.0/index/> |
//! | `BRIDGE` | what a retailer observed on the live router: README of <https://github.com/Dutchtoysgroup/zipchat-cm-bridge> |
//!
//! A rule without a source is our assumption, and listed in the platform's README.

use std::collections::HashSet;

use axum::http::HeaderMap;
use serde_json::Value;

use super::{ACCOUNT, Side, chat_id};

/// The channels that the router accepts (BRIDGE, `src/lib/cm.ts`).
const CHANNELS: [&str; 16] = [
    "Apple Business Chat",
    "iMessage",
    "WhatsApp",
    "Line",
    "Push",
    "RCS",
    "SMS",
    "Viber",
    "Voice",
    "Facebook Messenger",
    "MobilePush",
    "CXWebConversations",
    "Instagram",
    "Telegram Messenger",
    "Slack",
    "Microsoft Teams",
];
/// The members of a call that an adapter may send. `targetAdaptersInfo` is added by the router (CM-FMT).
const CALL: [&str; 3] = ["chat", "conversationMessages", "conversationEvents"];
/// The members of `chat` (CM-FMT).
const CHAT: [&str; 7] = [
    "id",
    "sessionId",
    "accountId",
    "channel",
    "conversationClientId",
    "conversationHostId",
    "conversationClientName",
];
/// The members of a text: those of every message (CM-FMT), and `text` (BRIDGE).
const TEXT_MESSAGE: [&str; 5] = ["$type", "id", "direction", "createdOn", "text"];

/// Checks a call and returns the router's id of its chat, and the body. `types` are the message types without
/// public documentation that a test allows besides `text`.
pub(super) fn check_messages(
    headers: &HeaderMap,
    body: &[u8],
    side: Side,
    types: &HashSet<String>,
) -> Result<(String, Value), String> {
    // CM-BMP names the type and the encoding.
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err("the content type is not application/json".into());
    }
    let body: Value = serde_json::from_slice(body).map_err(|why| why.to_string())?;
    check_members("the call", &body, &CALL)?;
    let chat = check_chat(&body["chat"])?;
    // CM-FMT: both lists are optional. Our assumption: a call with neither is refused.
    let messages = body["conversationMessages"].as_array().cloned().unwrap_or_default();
    if messages.is_empty() {
        return Err("there is neither a message nor an event".into());
    }
    for message in &messages {
        check_message(message, side, types)?;
    }
    Ok((chat, body))
}

/// Refuses members that no page names. That the router refuses them is our assumption: an undocumented member
/// must not go unnoticed.
pub(super) fn check_members(what: &str, value: &Value, known: &[&str]) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("{what} is not an object"))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{what} has an undocumented member '{name}'")),
        None => Ok(()),
    }
}

/// Checks the chat and returns the router's own id of it: the given one is required and ignored (BRIDGE).
fn check_chat(chat: &Value) -> Result<String, String> {
    check_members("the chat", chat, &CHAT)?;
    // CM-FMT: required, all but the session's id and the name.
    let required = |name: &str| match chat[name].as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("The chat's {name} field is required.")),
    };
    required("id")?;
    let (client, host) = (required("conversationClientId")?, required("conversationHostId")?);
    // SEED-CM: the account is part of the URL. Our assumption: another account's chat is refused.
    if required("accountId")? != ACCOUNT {
        return Err("the chat is of another account".into());
    }
    let channel = required("channel")?;
    if !CHANNELS.iter().any(|known| known.eq_ignore_ascii_case(&channel)) {
        return Err(format!("The channel '{channel}' is not supported."));
    }
    Ok(chat_id(&client, &host, &channel))
}

fn check_message(message: &Value, side: Side, types: &HashSet<String>) -> Result<(), String> {
    let kind = message["$type"].as_str().unwrap_or_default();
    if !types.contains(kind) {
        // BRIDGE: the text of the answer, also to `Text`.
        return Err("Could not create an instance of type MessageBase. Type is an interface or \
                    abstract class and cannot be instantiated."
            .into());
    }
    // CM-FMT: the directions. Our assumption: an adapter may send in one of them only.
    let theirs = if side == Side::Host { "ClientTerminated" } else { "ClientOriginated" };
    if message["direction"] != theirs {
        return Err(format!("this adapter sends {theirs} only"));
    }
    // CM-FMT: a timestamp in UTC. Our assumption: RFC 3339.
    match &message["createdOn"] {
        Value::Null => {}
        Value::String(at) if is_utc(at) => {}
        other => return Err(format!("createdOn is no time in UTC: {other}")),
    }
    if kind != "text" {
        return Ok(());
    }
    check_members("the text message", message, &TEXT_MESSAGE)?;
    // Our assumption: a text is not empty.
    if message["text"].as_str().is_none_or(str::is_empty) {
        return Err("The text field is required.".into());
    }
    Ok(())
}

fn is_utc(at: &str) -> bool {
    let pattern: String = at.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    pattern.starts_with("0000-00-00T00:00:00")
        && (pattern.ends_with('Z') || pattern.ends_with("+00:00"))
}
