//! Rules beyond Unblu's OpenAPI document, whose schemas name no mandatory members: what their descriptions say.

use serde_json::Value;

/// A rejected request: status and message.
pub(super) type Rejection = (u16, String);

pub(super) fn reject<T>(status: u16, why: impl Into<String>) -> Result<T, Rejection> {
    Err((status, why.into()))
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

/// Validates a posted message's `messageData`. A channel posts no other types (our assumption).
pub(super) fn message_data(data: &Value) -> Result<(), Rejection> {
    match data["type"].as_str() {
        Some("TEXT") => text(data, "text").map(|_| ()),
        Some("FILE") => {
            text(data, "fileName")?;
            let file = text(data, "fileData")?;
            let is_data_url = file.starts_with("data:") && file.contains(";base64,");
            if is_data_url { Ok(()) } else { reject(400, "fileData is not a data URL") }
        }
        Some("REPLY") => {
            text(data, "questionMessageId")?;
            text(data, "value").map(|_| ())
        }
        other => reject(400, format!("messageData has the type {other:?}")),
    }
}
