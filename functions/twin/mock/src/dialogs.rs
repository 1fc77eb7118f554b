//! Dialogs with the bot itself (`TS`, `TC-hook`).

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::BOT;
use super::state::{Accepted, Callback, Dialog, Shared, State};
use super::validation::{
    Field, Rejection, parse_object, require_known_files, require_login, respond, text, texts, ttl,
};

/// The fields of a message to a dialog (`TS` `MessageSendRequest`, `TC-hook`).
const MESSAGE: [Field; 5] = [
    Field("message", text, false),
    Field("attachments", texts, false),
    Field("returnAnswerAsync", Value::is_boolean, false),
    Field("callbackUrl", text, false),
    Field("callbackData", text, false),
];

/// The fields that start a dialog (`TS` `DialogStartRequest`), as far as Trunkline has them. Our assumption: the
/// only `communicationType` is the one of the SDK's example.
const START: [Field; 16] = [
    Field("botId", text, true),
    Field("ttl", ttl, false),
    Field("communicationType", |value| value == "TEXT", true),
    Field("messengerType", text, false),
    Field("messengerUserId", text, false),
    Field("clientExternalId", text, false),
    Field("clientName", text, false),
    Field("clientPhone", text, false),
    Field("clientEmail", text, false),
    Field("clientTimezoneOffset", Value::is_i64, false),
    Field("clientMetadata", Value::is_object, false),
    Field("message", text, false),
    Field("attachments", texts, false),
    Field("returnAnswerAsync", Value::is_boolean, false),
    Field("callbackUrl", text, false),
    Field("callbackData", text, false),
];

/// `POST dialogs` (`TS`), with a login.
pub async fn start(Extract(shared): Extract<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut later = None;
    let response = respond(&shared, "dialog", |state| {
        require_login(state, &headers)?;
        let body = parse_object(&headers, &body, &START)?;
        if body["botId"] != BOT {
            return Err(Rejection::unknown("bot"));
        }
        let id = state.id("d1a10900");
        state.dialogs.insert(id.clone(), Dialog::default());
        handle_message(state, "dialog", id, body, &mut later)
    });
    call_back(shared, later);
    response
}

/// `POST dialogs/{dialogId}` (`TS`), with a login.
pub async fn message(
    Extract(shared): Extract<Shared>,
    Path(dialog): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut later = None;
    let response = respond(&shared, "dialog message", |state| {
        require_login(state, &headers)?;
        if state.dialogs.get(&dialog).is_none_or(|known| known.has_ended) {
            return Err(Rejection::unknown("dialog"));
        }
        let body = parse_object(&headers, &body, &MESSAGE)?;
        handle_message(state, "dialog message", dialog, body, &mut later)
    });
    call_back(shared, later);
    response
}

type PendingCallback = Option<(String, Value)>;

/// Accepts a message. Our assumptions: answers come in a callback if `returnAnswerAsync` is true, which then needs
/// a `callbackUrl`; a dialog that goes on has the status `WAIT`.
fn handle_message(
    state: &mut State,
    what: &'static str,
    id: String,
    body: Value,
    later: &mut PendingCallback,
) -> Result<(StatusCode, Value), Rejection> {
    require_known_files(state, &body["attachments"])?;
    let callback = body["callbackUrl"].as_str().map(|url| Callback {
        url: url.to_owned(),
        data: body["callbackData"].as_str().unwrap_or_default().to_owned(),
        events: Vec::new(),
    });
    let is_async = body["returnAnswerAsync"] == json!(true);
    if is_async && callback.is_none() {
        return Err(Rejection::invalid("callbackUrl is missing"));
    }
    let has_content = body["message"].is_string() || body["attachments"].is_array();
    let reply =
        if has_content { state.replies.pop_front().unwrap_or_default() } else { Vec::new() };
    let messages: Vec<Value> = reply.iter().map(whole).collect();
    state.dialogs.get_mut(&id).unwrap().callback = callback;
    let mut answer = json!({"dialogId": id, "botId": BOT, "status": "WAIT", "language": "ru",
                            "result": [], "messages": []});
    if is_async {
        if !messages.is_empty() {
            *later = Some((id.clone(), Value::Array(messages)));
        }
    } else {
        answer["messages"] = Value::Array(messages);
    }
    state.accepted.push(Accepted { what, session: id, body });
    Ok((StatusCode::OK, answer))
}

/// Returns a message with all members of the vendor's example (empty maps are written `[]`).
fn whole(message: &Value) -> Value {
    let mut whole = json!({"body": "", "actions": [], "substitutions": [], "answers": [],
                           "meta": [], "attachments": []});
    for (name, value) in message.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

fn call_back(shared: Shared, later: PendingCallback) {
    if let Some((dialog, messages)) = later {
        tokio::spawn(async move { shared.dialog_says(&dialog, messages, "WAIT").await });
    }
}

/// `POST dialogs/{dialogId}/finish` (`TS`), with a login.
pub async fn finish(
    Extract(shared): Extract<Shared>,
    Path(dialog): Path<String>,
    headers: HeaderMap,
) -> Response {
    respond(&shared, "finish", |state| {
        require_login(state, &headers)?;
        let known = state.dialogs.get_mut(&dialog).filter(|known| !known.has_ended);
        known.ok_or_else(|| Rejection::unknown("dialog"))?.has_ended = true;
        state.accepted.push(Accepted {
            what: "finish",
            session: dialog.clone(),
            body: Value::Null,
        });
        Ok((StatusCode::OK, json!({})))
    })
}
