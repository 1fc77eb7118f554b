//! Sessions and messages (S3, `TS`). Each rule names its page, or is marked as our assumption.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::CHAT;
use super::state::{Accepted, Callback, Session, Shared, State, seconds};
use super::validation::{
    Field, Outcome, Rejection, json_response, parse_object, require_known_files, require_login,
    respond, text, texts, ttl,
};
use trunkline_mock::now;

/// The fields of S3, "Старт новой чат-сессии", with the types of its table and example: `clientPhone` is a text
/// in one and a number in the other. `name` is required by later revisions (`TC-fld`, `TC-fld2`). The last
/// six are the SDK's (`TS`).
const START: [Field; 23] = [
    Field("name", text, true),
    Field("botId", text, false),
    Field("sessionId", text, false),
    Field("sessionTtl", ttl, false),
    Field("messengerType", text, false),
    Field("messengerUserId", text, false),
    Field("messageBody", text, false),
    Field("messageAttachments", texts, false),
    Field("clientNameForOperator", text, false),
    Field("clientId", text, false),
    Field("clientExternalId", text, false),
    Field("clientPhone", |value| value.is_string() || value.is_i64(), false),
    Field("clientEmail", text, false),
    Field("clientDeviceId", text, false),
    Field("clientTimezone", Value::is_i64, false),
    Field("clientMetadata", Value::is_object, false),
    Field("returnAnswerAsync", Value::is_boolean, false),
    Field("replyToMessageId", text, false),
    Field("callbackUrl", text, false),
    Field("callbackData", text, false),
    Field("eventCallbackUrl", text, false),
    Field("eventCallbackData", text, false),
    Field("notifyOnEvents", texts, false),
];

/// The fields of S3, "Создать сообщение клиента в чате".
const MESSAGE: [Field; 3] = [
    Field("body", text, true),
    Field("attachments", texts, false),
    Field("replyToMessageId", text, false),
];

/// `POST chats/{chat_id}/sessions` (S3, "Старт новой чат-сессии").
pub async fn start(
    Extract(shared): Extract<Shared>,
    Path(chat): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    start_or_continue(&shared, "start", &chat, &query(&uri), &headers, &body)
}

/// `PUT chats/{chat_id}/sessions` (`TS`). Our assumption: the last session with the same `clientExternalId`,
/// or a new one.
pub async fn continue_last(
    Extract(shared): Extract<Shared>,
    Path(chat): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    start_or_continue(&shared, "continue", &chat, &query(&uri), &headers, &body)
}

fn query(uri: &Uri) -> HashMap<String, String> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn start_or_continue(
    shared: &Shared,
    what: &'static str,
    chat: &str,
    query: &HashMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let mut later = None;
    let response = respond(shared, what, |state| {
        // Without a login with `x_widget=1` (S3), otherwise with one (`TS`).
        let of_widget = query.get("x_widget").is_some_and(|value| value == "1");
        if !of_widget || headers.contains_key("authorization") {
            require_login(state, headers)?;
        }
        if chat != CHAT {
            return Err(Rejection::unknown("chat"));
        }
        let body = parse_object(headers, body, &START)?;
        require_known_files(state, &body["messageAttachments"])?;
        let id = session_of(state, what, &body)?;
        let mut answer = session_body(state, &id);
        if body["messageBody"].is_string() || body["messageAttachments"].is_array() {
            let (message, replies) = client_message(state, &id, &body["messageBody"]);
            answer["messageId"] = message["id"].clone();
            // Our assumption: answers come later if `returnAnswerAsync` is true, otherwise in `messages`.
            if body["returnAnswerAsync"] == json!(true) {
                later = Some((id.clone(), message, replies));
            } else {
                let replies = replies.into_iter().map(|reply| state.message(&id, &reply));
                answer["messages"] = replies.map(|reply| without_ids(&reply)).collect();
            }
        }
        state.accepted.push(Accepted { what, session: id, body });
        Ok((StatusCode::CREATED, answer))
    });
    if let Some((session, message, replies)) = later {
        tokio::spawn(notify_listeners(shared.clone(), session, message, replies));
    }
    response
}

/// Returns the id of the session that the call starts or continues. Our assumption: `sessionId` continues that
/// session. Its lifetime is an hour unless `sessionTtl` says otherwise (S3).
fn session_of(state: &mut State, what: &str, body: &Value) -> Result<String, Rejection> {
    if let Some(id) = body["sessionId"].as_str() {
        let open = state.sessions.get(id).is_some_and(Session::is_open);
        return if open { Ok(id.to_owned()) } else { Err(Rejection::unknown("session")) };
    }
    let client = body["clientExternalId"].as_str().unwrap_or_default().to_owned();
    if what == "continue" {
        let last = state.started.iter().rev().find(|id| {
            let session = &state.sessions[*id];
            session.client == client && session.is_open()
        });
        if let Some(last) = last {
            return Ok(last.clone());
        }
    }
    let id = state.id("6b1d7f5e");
    let callback = body["eventCallbackUrl"].as_str().map(|url| Callback {
        url: url.to_owned(),
        data: body["eventCallbackData"].as_str().unwrap_or_default().to_owned(),
        events: serde_json::from_value(body["notifyOnEvents"].clone()).unwrap_or_default(),
    });
    let ttl = body["sessionTtl"].as_i64().unwrap_or(3_600);
    let messages = Vec::new();
    let started = now();
    let session =
        Session { client, started, ttl, has_ended: false, ended: false, callback, messages };
    state.sessions.insert(id.clone(), session);
    state.started.push(id.clone());
    Ok(id)
}

/// Returns the response's members (S3, "Код 201").
fn session_body(state: &State, id: &str) -> Value {
    let session = &state.sessions[id];
    json!({"id": id, "clientId": client(id), "startedAt": seconds(session.started),
           "ttl": session.ttl, "messages": []})
}

fn client(session: &str) -> String {
    session.replacen("6b1d7f5e", "a1b0c9d8", 1)
}

/// Adds the client's message. Returns it with the bot's answers. Our assumption: its `authorType` is `CLIENT`.
fn client_message(state: &mut State, session: &str, body: &Value) -> (Value, Vec<Value>) {
    let message = json!({"body": body, "authorType": "CLIENT", "authorId": client(session),
                         "authorName": null});
    (state.message(session, &message), state.replies.pop_front().unwrap_or_default())
}

/// Returns a message as in a response (S3, "Код 201"): without id and time.
fn without_ids(message: &Value) -> Value {
    let known = ["body", "answers", "actions", "attachments"];
    let kept =
        known.iter().filter_map(|name| Some(((*name).to_owned(), message.get(name)?.clone())));
    Value::Object(kept.collect())
}

/// Notifies the listeners of the client's message and adds the bot's answers. Our assumption: TWIN also
/// emits the client's own messages.
async fn notify_listeners(shared: Shared, session: String, message: Value, replies: Vec<Value>) {
    shared.notify(&session, "chatMessageCreated", message).await;
    for reply in replies {
        shared.add_message(&session, reply).await;
    }
}

/// `POST sessions/{session_id}/messages` (S3, "Создать сообщение клиента в чате"): without a login, and
/// without answers in the response.
pub async fn message(
    Extract(shared): Extract<Shared>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut later = None;
    let response = respond(&shared, "message", |state| {
        if headers.contains_key("authorization") {
            require_login(state, &headers)?;
        }
        if !state.sessions.get(&session).is_some_and(Session::is_open) {
            return Err(Rejection::unknown("session"));
        }
        let body = parse_object(&headers, &body, &MESSAGE)?;
        require_known_files(state, &body["attachments"])?;
        let (message, replies) = client_message(state, &session, &body["body"]);
        let answer = json!({"id": message["id"], "createdAt": message["createdAt"]});
        state.accepted.push(Accepted { what: "message", session: session.clone(), body });
        later = Some((message, replies));
        Ok((StatusCode::CREATED, answer))
    });
    if let Some((message, replies)) = later {
        tokio::spawn(notify_listeners(shared, session, message, replies));
    }
    response
}

/// `GET sessions/{id}/messages` (`TS`). Our assumptions: oldest first, 20 messages without a `limit`.
pub async fn history(
    Extract(shared): Extract<Shared>,
    Path(session): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let raw = {
        let state = shared.state.lock().unwrap();
        let raw = state.raw_history.clone().filter(|_| require_login(&state, &headers).is_ok());
        raw.map(|raw| json_response(&state, StatusCode::OK, &raw))
    };
    raw.unwrap_or_else(|| page(&shared, &session, &uri, &headers))
}

fn page(shared: &Shared, session: &str, uri: &Uri, headers: &HeaderMap) -> Response {
    respond(shared, "history", |state| {
        require_login(state, headers)?;
        let known = state.sessions.get(session).ok_or_else(|| Rejection::unknown("session"))?;
        let query = query(uri);
        let number = |name: &str, default| match query.get(name) {
            Some(text) => text.parse::<usize>().map_err(|_| Rejection::invalid(name)),
            None => Ok(default),
        };
        let (offset, limit) = (number("offset", 0)?, number("limit", 20)?);
        let (offset, limit) = if state.ignores_paging { (0, usize::MAX) } else { (offset, limit) };
        let items: Vec<_> = known.messages.iter().skip(offset).take(limit).collect();
        Ok((StatusCode::OK, json!({"count": known.messages.len(), "items": items})))
    })
}

/// `PATCH messages/{id}/read` (`TS`). Our assumption: the response has no content.
pub async fn read(
    Extract(shared): Extract<Shared>,
    Path(message): Path<String>,
    headers: HeaderMap,
) -> Response {
    respond(&shared, "read", |state| {
        require_login(state, &headers)?;
        let mut all = state.sessions.iter_mut();
        let found = all.find_map(|(session, known)| {
            let found = known.messages.iter_mut().find(|known| known["id"] == message.as_str())?;
            Some((session.clone(), found))
        });
        let (session, found) = found.ok_or_else(|| Rejection::unknown("message"))?;
        found["readAt"] = json!(seconds(now()));
        let body = json!({"id": message});
        state.accepted.push(Accepted { what: "read", session, body });
        Ok((StatusCode::NO_CONTENT, Value::Null))
    })
}

/// `DELETE sessions/{id}` (`TS`). Our assumption: the response has no content.
pub async fn end(
    Extract(shared): Extract<Shared>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    respond(&shared, "end", |state| -> Outcome {
        require_login(state, &headers)?;
        let body = parse_object(&headers, &body, &[Field("result", text, true)])?;
        let known = state.sessions.get_mut(&session).filter(|known| known.is_open());
        known.ok_or_else(|| Rejection::unknown("session"))?.ended = true;
        state.accepted.push(Accepted { what: "end", session: session.clone(), body });
        Ok((StatusCode::NO_CONTENT, Value::Null))
    })
}
