//! What Webex Connect demands of the events that a bot posts to the generated URL, and of the bot's
//! responses. Every rule is from the page "Third-Party Bot" (<https://help.webexconnect.io/docs/third-party-bot>,
//! `WX-BOT`), section "Communicating with BOT", unless it is marked as our assumption.

use serde_json::{Map, Value};

/// The members of the event 1001, "BOTs Reply", besides `customparam1` to `customparamN`.
const REPLY: [&str; 5] = ["eventid", "conversation_id", "message", "Messagetype", "Timestamp"];
/// The members of the event 1002, "Conversation Handover to Agent", besides `customparam1` to `customparamN`.
const HANDOVER: [&str; 3] = ["eventid", "conversation_id", "Timestamp"];
/// `YYYY-MM-DD hh:mm:ss.SSS in GMT`, with a digit for each letter.
const TIMESTAMP: &str = "0000-00-00 00:00:00.000";

/// Checks an event of the bot: the members are the documented ones, in the documented spelling.
///
/// # Errors
/// The first violation.
pub fn check_event(event: &Value) -> Result<(), String> {
    let event = event.as_object().ok_or("the event is not a JSON object")?;
    // Our assumption: the bot uses the documented key and values, although the page's comment lets the
    // developer choose others.
    let documented: &[&str] = match event.get("eventid").and_then(Value::as_str) {
        Some("1001") => &REPLY,
        Some("1002") => &HANDOVER,
        other => return Err(format!("eventid is neither \"1001\" nor \"1002\": {other:?}")),
    };
    for name in documented {
        let text = event.get(*name).ok_or_else(|| format!("{name} is missing"))?;
        // The samples show texts only.
        let text = text.as_str().ok_or_else(|| format!("{name} is not a text"))?;
        // Our assumption: only the message may be empty.
        if text.is_empty() && *name != "message" {
            return Err(format!("{name} is empty"));
        }
    }
    check_timestamp(event["Timestamp"].as_str().unwrap_or_default())?;
    check_params(event, documented)
}

fn check_timestamp(text: &str) -> Result<(), String> {
    let pattern: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if pattern == TIMESTAMP { Ok(()) } else { Err(format!("Timestamp is '{text}'")) }
}

/// All other members are `customparam1`, `customparam2` and so on, without a gap: flat texts.
fn check_params(event: &Map<String, Value>, documented: &[&str]) -> Result<(), String> {
    let others: Vec<&String> =
        event.keys().filter(|name| !documented.contains(&name.as_str())).collect();
    for number in 1..=others.len() {
        let name = format!("customparam{number}");
        match event.get(&name) {
            Some(Value::String(_)) => {}
            Some(_) => return Err(format!("{name} is not a text")),
            None => return Err(format!("{others:?} are not customparam1 to customparam{number}")),
        }
    }
    Ok(())
}

/// Checks that the token is part of a response ("The webhook will return this verification token as part of the
/// response to every POST request", section "Adding a BOT Integration").
///
/// # Errors
/// If neither the body nor a header contains it. Where it must be is undocumented: our assumption.
pub fn check_response(
    headers: &[(&'static str, String)],
    body: &str,
    token: &str,
) -> Result<(), String> {
    let is_in_header = headers.iter().any(|(_, value)| value == token);
    if is_in_header || body.contains(token) {
        Ok(())
    } else {
        Err("the response does not contain the verification token".into())
    }
}
