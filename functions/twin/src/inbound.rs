//! From TWIN's calls to events: a dialog's callback, and what a chat tells of (fact sheet 2.6).

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_shared::inbound::{Call, Inbound, Received, Reply, Result as Came};
use trunkline_shared::model::{
    Author, AuthorRole, Event, EventBody, EventId, Platform, Role, Text, digest,
};

use crate::message::{Context, message_event, named_event};
use crate::settings::Settings;
use crate::wire::DialogState;
use crate::{Twin, mark};

impl Inbound for Twin {
    const PLATFORM: Platform = Platform::Twin;

    /// All are read alike, by their form: which of them TWIN is given is a matter of order only.
    const PATHS: &'static [&'static str] = &["", "callback", "events"];

    fn receive(&self, call: &Call<'_>) -> Received {
        if call.method != Method::POST {
            return Received::Answered(answer());
        }
        let value: Value = match serde_json::from_slice(call.body) {
            Ok(value) => value,
            Err(why) => return Received::Unreadable(format!("the body is not JSON: {why}")),
        };
        match read(&value, call) {
            Some(events) => Received::Events(events),
            None => {
                Received::Unreadable("it names no session, no dialog and nothing of ours".into())
            }
        }
    }

    /// Always 200: what TWIN does with anything else is unknown (fact sheet 2.6).
    fn reply(&self, _: &Call<'_>, _: &Came<'_>) -> Reply {
        answer()
    }
}

fn answer() -> Reply {
    Reply::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// Reads whatever it is; nothing, if nobody knows where it belongs.
fn read(value: &Value, call: &Call<'_>) -> Option<Vec<Event>> {
    if let Value::Array(items) = value {
        let read = items.iter().map(|item| read_one(item, call));
        return read.collect::<Option<Vec<_>>>().map(|events| events.concat());
    }
    read_one(value, call)
}

fn read_one(value: &Value, call: &Call<'_>) -> Option<Vec<Event>> {
    let object = value.as_object()?;
    let settings = Settings::of(&call.connection.settings);
    if object.contains_key("dialogId") || object.get("messages").is_some_and(Value::is_array) {
        return dialog(value, call, &settings);
    }
    let field = |names: &[&str]| names.iter().find_map(|name| object.get(*name));
    let name = field(&["event", "eventName", "type", "name"]).and_then(Value::as_str);
    let data = field(&["data", "payload"]).filter(|data| data.is_object());
    let given = |within: &Value| {
        let given = ["eventCallbackData", "callbackData"].iter().find_map(|key| within.get(*key));
        given.map(|given| Text::from(given.clone()))
    };
    let given = given(value).or_else(|| data.and_then(given)).unwrap_or_default();
    let context = Context {
        settings: &settings,
        conversation: mark::conversation(given.get()).or_else(|| session(data.unwrap_or(value))),
        unnamed: AuthorRole::Unknown,
        client: None,
        now: call.now,
    };
    context.conversation?;
    let event = match (name, data) {
        (Some(name), Some(data)) => named_event(name, data, &context),
        // A bare message.
        _ => named_event("chatMessageCreated", value, &context),
    };
    // What is not to be passed on has been read all the same.
    Some(event.into_iter().collect())
}

/// The session that an object is of, or is.
fn session(data: &Value) -> Option<&str> {
    let own = || data.get("id").filter(|_| data.get("chatId").is_some());
    data.get("sessionId").or_else(own)?.as_str().map(str::trim).filter(|id| !id.is_empty())
}

/// A dialog's callback (`TC-hook`). Its messages have no ids and no times. But what we gave with a
/// message of ours comes back with its answers, so only the same answer to the same message is taken
/// for a repeat.
fn dialog(value: &Value, call: &Call<'_>, settings: &Settings) -> Option<Vec<Event>> {
    let state: DialogState = serde_json::from_value(value.clone()).unwrap_or_default();
    let (dialog, given) = (state.dialog_id.get(), state.callback_data.get());
    let conversation = mark::conversation(given).or(state.dialog_id.some())?;
    let unnamed = match call.connection.role {
        Role::Desk => AuthorRole::Unknown,
        _ => AuthorRole::Bot,
    };
    let context = Context {
        settings,
        conversation: Some(conversation),
        unnamed,
        client: None,
        now: call.now,
    };
    let mut events: Vec<Event> = Vec::with_capacity(state.messages.0.len());
    for (i, message) in state.messages.0.iter().enumerate() {
        let same = digest(&[dialog, given, &i.to_string(), &message.to_string()]);
        events.extend(message_event(message, &context, &["c", &same]));
    }
    if state.status.get().eq_ignore_ascii_case("STOP") && settings.close_on_stop {
        let body = EventBody::Close { reason: Some("the dialog is over".into()) };
        let id = EventId::from_parts(&["stop", &digest(&[dialog, given])]);
        let author = Author::nameless(AuthorRole::Bot);
        events.push(Event::new(id, conversation, call.now, author, body));
    }
    Some(events)
}
