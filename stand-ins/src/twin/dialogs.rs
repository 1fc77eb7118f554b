//! Dialogs with the bot itself (`TS`, `TC-hook`).

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::BOT;
use super::rules::{Field, Refused, answer, known_files, log_in_first, object, text, texts, ttl};
use super::state::{Accepted, Callback, Dialog, Shared, State};

const SAID: [Field; 5] = [
    Field("message", text, false),
    Field("attachments", texts, false),
    Field("returnAnswerAsync", Value::is_boolean, false),
    Field("callbackUrl", text, false),
    Field("callbackData", text, false),
];

const START: [Field; 12] = [
    Field("botId", text, true),
    Field("ttl", ttl, false),
    Field("communicationType", |value| value == "TEXT", true),
    Field("messengerType", text, false),
    Field("messengerUserId", text, false),
    Field("clientExternalId", text, false),
    Field("clientTimezoneOffset", Value::is_i64, false),
    Field("message", text, false),
    Field("attachments", texts, false),
    Field("returnAnswerAsync", Value::is_boolean, false),
    Field("callbackUrl", text, false),
    Field("callbackData", text, false),
];

/// `POST dialogs`.
pub async fn start(Extract(shared): Extract<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut later = None;
    let response = answer(&shared, "dialog", |state| {
        log_in_first(state, &headers)?;
        let body = object(&headers, &body, &START)?;
        if body["botId"] != BOT {
            return Err(Refused::unknown("bot"));
        }
        let id = state.id("d1a10900");
        state.dialogs.insert(id.clone(), Dialog::default());
        deal(state, "dialog", id, body, &mut later)
    });
    call_back(shared, later);
    response
}

/// `POST dialogs/{dialogId}`.
pub async fn message(
    Extract(shared): Extract<Shared>,
    Path(dialog): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut later = None;
    let response = answer(&shared, "dialog message", |state| {
        log_in_first(state, &headers)?;
        if state.dialogs.get(&dialog).is_none_or(|known| known.over) {
            return Err(Refused::unknown("dialog"));
        }
        let body = object(&headers, &body, &SAID)?;
        deal(state, "dialog message", dialog, body, &mut later)
    });
    call_back(shared, later);
    response
}

type Later = Option<(String, Value)>;

fn deal(
    state: &mut State,
    what: &'static str,
    id: String,
    body: Value,
    later: &mut Later,
) -> Result<(StatusCode, Value), Refused> {
    known_files(state, &body["attachments"])?;
    let callback = body["callbackUrl"].as_str().map(|url| Callback {
        url: url.to_owned(),
        data: body["callbackData"].as_str().unwrap_or_default().to_owned(),
        events: Vec::new(),
    });
    let is_async = body["returnAnswerAsync"] == json!(true);
    if is_async && callback.is_none() {
        return Err(Refused::invalid("callbackUrl is missing"));
    }
    let says = body["message"].is_string() || body["attachments"].is_array();
    let reply = if says { state.replies.pop_front().unwrap_or_default() } else { Vec::new() };
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

/// A message with all that the vendor's example has (empty maps are written `[]`).
fn whole(message: &Value) -> Value {
    let mut whole = json!({"body": "", "actions": [], "substitutions": [], "answers": [],
                           "meta": [], "attachments": []});
    for (name, value) in message.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

fn call_back(shared: Shared, later: Later) {
    if let Some((dialog, messages)) = later {
        tokio::spawn(async move { shared.dialog_says(&dialog, messages, "WAIT").await });
    }
}

/// `POST dialogs/{dialogId}/finish`.
pub async fn finish(
    Extract(shared): Extract<Shared>,
    Path(dialog): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(&shared, "finish", |state| {
        log_in_first(state, &headers)?;
        let known = state.dialogs.get_mut(&dialog).filter(|known| !known.over);
        known.ok_or_else(|| Refused::unknown("dialog"))?.over = true;
        state.accepted.push(Accepted {
            what: "finish",
            session: dialog.clone(),
            body: Value::Null,
        });
        Ok((StatusCode::OK, json!({})))
    })
}
