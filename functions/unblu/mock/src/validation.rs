//! Validates request bodies.

use serde_json::Value;

/// A rejected request: status and message.
pub(super) type Rejection = (u16, String);

pub(super) fn reject<T>(status: u16, why: impl Into<String>) -> Result<T, Rejection> {
    Err((status, why.into()))
}

/// Checks an object's class. Unblu tells union members apart by `type`, but every object also names its
/// class in `$_type`.
pub(super) fn typed(body: &Value, class: &str) -> Result<(), Rejection> {
    if body["$_type"] == class {
        return Ok(());
    }
    reject(400, format!("expected $_type {class}, got {}", body["$_type"]))
}

pub(super) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Rejection> {
    match body[name].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => reject(400, format!("the member {name} is missing")),
    }
}

pub(super) fn one_of(body: &Value, name: &str, words: &[&str]) -> Result<(), Rejection> {
    let word = text(body, name)?;
    if words.contains(&word) { Ok(()) } else { reject(400, format!("{name} cannot be {word}")) }
}

pub(super) fn source_id(body: &Value) -> Result<&str, Rejection> {
    let id = text(body, "sourceId")?;
    if id.chars().count() <= 250 {
        Ok(id)
    } else {
        reject(400, "sourceId has at most 250 characters")
    }
}

/// Validates a posted message's `messageData`.
pub(super) fn message_data(data: &Value) -> Result<(), Rejection> {
    match data["type"].as_str() {
        Some("TEXT") => {
            typed(data, "TextPostMessageData")?;
            one_of(data, "textType", &["SIMPLE_TEXT", "MARKDOWN"])?;
            text(data, "text").map(|_| ())
        }
        Some("FILE") => {
            typed(data, "FilePostMessageData")?;
            text(data, "fileName")?;
            one_of(data, "captionType", &["SIMPLE_TEXT", "MARKDOWN"])?;
            let file = text(data, "fileData")?;
            let is_data_url = file.starts_with("data:") && file.contains(";base64,");
            if is_data_url { Ok(()) } else { reject(400, "fileData is not a data URL") }
        }
        Some("REPLY") => {
            typed(data, "ReplyPostMessageData")?;
            text(data, "questionMessageId")?;
            text(data, "value").map(|_| ())
        }
        other => reject(400, format!("messageData has the type {other:?}")),
    }
}

pub(super) fn recipient(body: &Value) -> Result<(), Rejection> {
    let recipient = &body["recipient"];
    if recipient.is_null() {
        return Ok(());
    }
    one_of(recipient, "type", &["AGENT", "TEAM", "NAMED_AREA", "ACCOUNT"])?;
    text(recipient, "id").map(|_| ())
}

/// The documented end reasons.
pub(super) const END_REASONS: [&str; 10] = [
    "ENDED_BY_PARTICIPANT",
    "MANDATORY_PARTICIPANT_GONE",
    "REQUEST_DECLINED",
    "REQUEST_NOT_ANSWERED",
    "EXTERNAL_CHANNEL_CLOSED",
    "SOLVED_BY_BOT",
    "CANCELED",
    "CALL_ENDED",
    "NO_AGENT_AVAILABLE",
    "OTHER",
];
