//! What a body must be like.

use serde_json::Value;

/// A refusal: status and message.
pub(super) type Refused = (u16, String);

pub(super) fn refuse<T>(status: u16, why: impl Into<String>) -> Result<T, Refused> {
    Err((status, why.into()))
}

/// Unions are told apart by `type`; all objects say their class, too.
pub(super) fn typed(body: &Value, class: &str) -> Result<(), Refused> {
    if body["$_type"] == class {
        return Ok(());
    }
    refuse(400, format!("expected $_type {class}, got {}", body["$_type"]))
}

pub(super) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refused> {
    match body[name].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => refuse(400, format!("the member {name} is missing")),
    }
}

pub(super) fn one_of(body: &Value, name: &str, words: &[&str]) -> Result<(), Refused> {
    let word = text(body, name)?;
    if words.contains(&word) { Ok(()) } else { refuse(400, format!("{name} cannot be {word}")) }
}

pub(super) fn source_id(body: &Value) -> Result<&str, Refused> {
    let id = text(body, "sourceId")?;
    if id.chars().count() <= 250 {
        Ok(id)
    } else {
        refuse(400, "sourceId has at most 250 characters")
    }
}

/// A posted message's data.
pub(super) fn message_data(data: &Value) -> Result<(), Refused> {
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
            if is_data_url { Ok(()) } else { refuse(400, "fileData is no data URL") }
        }
        Some("REPLY") => {
            typed(data, "ReplyPostMessageData")?;
            text(data, "questionMessageId")?;
            text(data, "value").map(|_| ())
        }
        other => refuse(400, format!("messageData has the type {other:?}")),
    }
}

pub(super) fn recipient(body: &Value) -> Result<(), Refused> {
    let recipient = &body["recipient"];
    if recipient.is_null() {
        return Ok(());
    }
    one_of(recipient, "type", &["AGENT", "TEAM", "NAMED_AREA", "ACCOUNT"])?;
    text(recipient, "id").map(|_| ())
}

/// Why a conversation may end.
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
