//! The web API, v3 and v4.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::CHANNEL;
use super::auth::{self, Role};
use super::endpoint_calls::{self, CallStyle};
use super::entities::{
    Outcome, channel, contact, conversation, end, messenger, on_channel, person, search, update,
};
use super::state::ServerState;
use super::validation::{Rejection, reject, text};

pub(super) async fn answer(
    State(state): State<Arc<Mutex<ServerState>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let query = parameters(uri.query().unwrap_or_default());
    if let Some(file) = path.strip_prefix("/files/") {
        return download(file, &headers);
    }
    let delay = state.lock().unwrap().delay;
    tokio::time::sleep(delay).await;
    let outcome = {
        let mut state = state.lock().unwrap();
        let outcome = handle(&mut state, &method, &path, &query, &headers, &body);
        let result = match &outcome {
            Ok(_) => "done".to_owned(),
            Err((status, why)) => format!("{status} {why}"),
        };
        state.log.push(format!("{method} {path}: {result}"));
        outcome
    };
    match outcome {
        Ok(Some(Value::String(ping))) if ping == PING => pinged(&state).await,
        Ok(Some(body)) => axum::Json(body).into_response(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err((status, why)) => error(status, &why),
    }
}

/// Returns a query's decoded parameters.
fn parameters(query: &str) -> HashMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// The outcome of a request for a ping. The ping itself is made after the state's lock is released.
const PING: &str = "ping!";

async fn pinged(state: &Arc<Mutex<ServerState>>) -> Response {
    let (endpoint, call) = {
        let mut state = state.lock().unwrap();
        (state.endpoint.clone(), endpoint_calls::ping(&mut state, CallStyle::Outbound))
    };
    let Some(endpoint) = endpoint else { return error(502, "the endpoint could not be reached") };
    let result = call.clone().check(&endpoint(call).await);
    match result.problem {
        None => axum::Json(result.body).into_response(),
        Some(problem) => error(502, &problem),
    }
}

fn error(status: u16, why: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let body = json!({
        "$_type": "Error", "statusCode": status.as_u16(),
        "statusDescription": status.canonical_reason(), "errorMessage": why,
    });
    (status, axum::Json(body)).into_response()
}

/// Files need a login, and are refused while they are reviewed.
fn download(file: &str, headers: &HeaderMap) -> Response {
    match (auth::role(headers), file.starts_with("reviewed")) {
        (None, _) => error(401, "log in"),
        (Some(_), true) => error(403, "the file is being reviewed"),
        (Some(_), false) => Bytes::from_static(b"%PDF-1.7").into_response(),
    }
}

fn handle(
    state: &mut ServerState,
    method: &Method,
    path: &str,
    query: &HashMap<String, String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Outcome {
    let Some(role) = auth::role(headers) else { return reject(401, "log in") };
    let rest = path.strip_prefix("/app/rest/").and_then(|rest| rest.split_once('/'));
    let Some((version @ ("v3" | "v4"), rest)) = rest else { return reject(404, "no such path") };
    let scheduled_failures = state.scheduled_failures.front().filter(|(of, _)| match of {
        Some(call) => rest.ends_with(call.as_str()),
        None => true,
    });
    if let Some((_, status)) = scheduled_failures.cloned() {
        state.scheduled_failures.pop_front();
        return reject(status, "scheduled failure");
    }
    let parts: Vec<&str> = rest.split('/').collect();
    let v4 = version == "v4";
    let get = method == Method::GET;
    if !get && method != Method::POST {
        return reject(405, "not with this method");
    }
    let admin = || if role == Role::Admin { Ok(()) } else { reject(403, "ADMIN is required") };
    let json_body = || -> Result<Value, Rejection> {
        let json = headers.get("content-type").is_some_and(|kind| kind == "application/json");
        let body = serde_json::from_slice(body).ok().filter(|_| json && !get);
        body.map_or_else(|| reject(400, "POST a JSON body"), Ok)
    };
    match (parts.as_slice(), v4, get) {
        (["persons", "createOrUpdateVirtual"], _, false) => {
            admin()?;
            person(state, &json_body()?).map(Some)
        }
        (["externalmessengercontacts", "search"], true, false) => {
            admin()?;
            search(state, &json_body()?).map(Some)
        }
        (["externalmessengercontacts", "create"], true, false) => {
            contact(state, &json_body()?).map(Some)
        }
        (["conversations", "getBySourceIdAndChannelId"], _, true) => {
            let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
            let found = state.active(asked("sourceId"));
            let here = asked("externalMessengerChannelId") == CHANNEL;
            match found.filter(|_| here) {
                Some(found) => Ok(Some(found.clone())),
                None => reject(404, "There is no such conversation"),
            }
        }
        (["conversations", "create"], _, false) => {
            admin()?;
            conversation(state, &json_body()?, v4).map(Some)
        }
        (["conversations", id, "end"], _, false) => end(state, id, &json_body()?),
        (["externalmessengers", "read"], false, true) => {
            channel(state, query.get("id").map(String::as_str).unwrap_or_default())
        }
        (["externalmessengers", id, "read"], true, true) => channel(state, id),
        (["externalmessengers", "update"], _, false) => {
            admin()?;
            update(state, json_body()?).map(Some)
        }
        (["externalmessengers", "pingCustomChannel"], false, false) => {
            admin()?;
            on_channel(text(&json_body()?, "externalMessengerChannelId")?)?;
            Ok(None)
        }
        (["externalmessengers", id, "sendPing"], true, false) => {
            admin()?;
            on_channel(id)?;
            Ok(Some(PING.into()))
        }
        (["externalmessengers", call], false, false) => {
            admin()?;
            let body = json_body()?;
            on_channel(text(&body, "externalMessengerChannelId")?)?;
            messenger(state, call, &body, false)
        }
        (["externalmessengers", id, call], true, false) => {
            admin()?;
            on_channel(id)?;
            messenger(state, call, &json_body()?, true)
        }
        _ => reject(404, "no such path"),
    }
}
