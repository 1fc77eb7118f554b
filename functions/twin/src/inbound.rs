//! Parses TWIN's callbacks into events: those of dialogs, and event callbacks of chats (fact sheet 2.6).

use http::{Method, StatusCode};
use serde_json::Value;
use trunkline_core::json;
use trunkline_core::model::{
    Author, AuthorRole, Event, EventBody, EventId, LenientText, Role, digest,
};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};

use crate::message::{Context, message_event, named_event};
use crate::wire::DialogState;
use crate::{Call, Twin, callback_data};

impl Inbound for Twin {
    /// All paths accept both kinds of callback, told apart by their form.
    const PATHS: &'static [&'static str] = &["", "callback", "events"];

    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        if call.method != Method::POST {
            return ParsedCall::Reply(answer());
        }
        let value: Value = match json::from_slice(call.body) {
            Ok(mut value) => {
                json::remove_null_members(&mut value);
                value
            }
            Err(why) => return ParsedCall::Unreadable(format!("the body is not JSON: {why}")),
        };
        match read(&value, call) {
            Some(events) => ParsedCall::Events(events),
            None => ParsedCall::Unreadable(
                "the body names no session, no dialog and no callback data of Trunkline".into(),
            ),
        }
    }

    /// Always answers 200: how TWIN handles any other status is unknown (fact sheet 2.6).
    fn reply(&self, _: &Call<'_>, _: &CallOutcome<'_>) -> Reply {
        answer()
    }
}

fn answer() -> Reply {
    Reply::json(StatusCode::OK, &serde_json::json!({"status": "ok"}))
}

/// Parses a callback, or a list of them; `None` if a conversation is unknown.
fn read(value: &Value, call: &Call<'_>) -> Option<Vec<Event>> {
    if let Value::Array(items) = value {
        let read = items.iter().map(|item| read_one(item, call));
        return read.collect::<Option<Vec<_>>>().map(|events| events.concat());
    }
    read_one(value, call)
}

fn read_one(value: &Value, call: &Call<'_>) -> Option<Vec<Event>> {
    let object = value.as_object()?;
    if object.contains_key("dialogId") || object.get("messages").is_some_and(Value::is_array) {
        return dialog(value, call);
    }
    let field = |names: &[&str]| names.iter().find_map(|name| object.get(*name));
    let name = field(&["event", "eventName", "type", "name"]).and_then(Value::as_str);
    let data = field(&["data", "payload"]).filter(|data| data.is_object());
    let given = |within: &Value| {
        let given = ["eventCallbackData", "callbackData"].iter().find_map(|key| within.get(*key));
        given.map(|given| LenientText::from(given.clone()))
    };
    let given = given(value).or_else(|| data.and_then(given)).unwrap_or_default();
    let context = Context {
        settings: call.settings,
        conversation: callback_data::conversation_id(given.trimmed())
            .or_else(|| session(data.unwrap_or(value))),
        default_role: AuthorRole::Unknown,
        client_id: None,
        now: call.now,
    };
    context.conversation?;
    let event = match (name, data) {
        (Some(name), Some(data)) => named_event(name, data, &context),
        // A message without an envelope.
        _ => named_event("chatMessageCreated", value, &context),
    };
    // An event that is not passed on has still been parsed, so this is not a failure.
    Some(event.into_iter().collect())
}

/// Returns the id of the session that an object belongs to, or that it is.
fn session(data: &Value) -> Option<&str> {
    let own = || data.get("id").filter(|_| data.get("chatId").is_some());
    data.get("sessionId").or_else(own)?.as_str().map(str::trim).filter(|id| !id.is_empty())
}

/// Parses a dialog's callback (`TC-hook`). Its messages have neither ids nor times. But the callback
/// data of the customer's message comes back with the answers, so only the same answer to the same
/// message counts as a repeat.
fn dialog(value: &Value, call: &Call<'_>) -> Option<Vec<Event>> {
    let state: DialogState = serde_json::from_value(value.clone()).unwrap_or_default();
    let (dialog, given) = (state.dialog_id.trimmed(), state.callback_data.trimmed());
    let conversation = callback_data::conversation_id(given).or(state.dialog_id.non_blank())?;
    let default_role = match call.connection.role {
        Role::Desk => AuthorRole::Unknown,
        _ => AuthorRole::Bot,
    };
    let context = Context {
        settings: call.settings,
        conversation: Some(conversation),
        default_role,
        client_id: None,
        now: call.now,
    };
    let mut events: Vec<Event> = Vec::with_capacity(state.messages.0.len());
    for (i, message) in state.messages.0.iter().enumerate() {
        let same = digest(&[dialog, given, &i.to_string(), &message.to_string()]);
        events.extend(message_event(message, &context, &["c", &same]));
    }
    if state.status.trimmed().eq_ignore_ascii_case("STOP") && call.settings.close_on_stop {
        let body = EventBody::Close { reason: Some("the dialog is over".into()) };
        let id = EventId::from_parts(&["stop", &digest(&[dialog, given])]);
        let author = Author::nameless(AuthorRole::Bot);
        events.push(Event::new(id, conversation, call.now, author, body));
    }
    Some(events)
}
