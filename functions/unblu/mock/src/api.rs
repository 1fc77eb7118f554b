//! The web API, v3 and v4.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use trunkline_judge::{Operation, parameters};

use super::CHANNEL;
use super::auth::{self, Role};
use super::channels;
use super::endpoint_calls::{self, CallStyle};
use super::entities::{
    Outcome, channel, contact, conversation, end, expanded, messenger, on_channel, person, search,
    update,
};
use super::judging::{self, ApiVersion, Request};
use super::state::ServerState;
use super::validation::{Rejection, reject, text};

pub(super) async fn answer(
    State(state): State<Arc<Mutex<ServerState>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(file) = uri.path().strip_prefix("/files/") {
        return download(file, &headers);
    }
    let delay = state.lock().unwrap().delay;
    tokio::time::sleep(delay).await;
    let request = Request {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        is_json: headers.get("content-type").is_some_and(|kind| kind == "application/json"),
        body: &body,
    };
    let (operation, outcome) = handle(&mut state.lock().unwrap(), &request, &headers);
    let outcome = match outcome {
        Ok(Some(Value::String(ping))) if ping == PING => pinged(&state).await,
        outcome => outcome,
    };
    let result = match &outcome {
        Ok(_) => "done".to_owned(),
        Err((status, why)) => format!("{status} {why}"),
    };
    let (status, body) = match outcome {
        Ok(Some(body)) => (200, Some(body)),
        Ok(None) => (204, None),
        Err((status, why)) => (status, Some(error(status, &why))),
    };
    let mut state = state.lock().unwrap();
    state.log.push(format!("{method} {}: {result}", request.path));
    let judged = operation.map_or(Ok(()), |operation| {
        judging::judge_answer(&mut state, operation, status, body.as_ref())
    });
    match judged {
        Ok(()) => response(status, body),
        Err((status, why)) => response(status, Some(error(status, &why))),
    }
}

fn response(status: u16, body: Option<Value>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    body.map_or_else(|| status.into_response(), |body| (status, axum::Json(body)).into_response())
}

/// The outcome of a request for a ping. The ping itself is made after the state's lock is released.
const PING: &str = "ping!";

/// Pings the endpoint: in v4 by an outbound request whose answer is returned, in v3 by a webhook.
async fn pinged(state: &Arc<Mutex<ServerState>>) -> Outcome {
    let (version, endpoint) = {
        let state = state.lock().unwrap();
        (state.version, state.endpoint.clone())
    };
    let Some(endpoint) = endpoint else {
        return match version {
            ApiVersion::V3 => Ok(None),
            ApiVersion::V4 => reject(502, "the endpoint could not be reached"),
        };
    };
    let style = match version {
        ApiVersion::V3 => CallStyle::Webhook,
        ApiVersion::V4 => CallStyle::Outbound,
    };
    let call = endpoint_calls::ping(&mut state.lock().unwrap(), style);
    let result = call.clone().check(&endpoint(call).await);
    match (version, result.problem) {
        (ApiVersion::V3, _) => Ok(None),
        (ApiVersion::V4, None) => Ok(Some(result.body)),
        (ApiVersion::V4, Some(problem)) => reject(502, problem),
    }
}

fn error(status: u16, why: &str) -> Value {
    let description = StatusCode::from_u16(status).unwrap().canonical_reason();
    json!({
        "$_type": "Error", "statusCode": status, "statusDescription": description,
        "errorMessage": why,
    })
}

/// Files need a login, and are refused while they are reviewed.
fn download(file: &str, headers: &HeaderMap) -> Response {
    match (auth::role(headers), file.starts_with("reviewed")) {
        (None, _) => response(401, Some(error(401, "log in"))),
        (Some(_), true) => response(403, Some(error(403, "the file is being reviewed"))),
        (Some(_), false) => Bytes::from_static(b"%PDF-1.7").into_response(),
    }
}

/// Judges and answers a request. It judges every request, also one that it refuses for another reason.
fn handle(
    state: &mut ServerState,
    request: &Request<'_>,
    headers: &HeaderMap,
) -> (Option<&'static Operation>, Outcome) {
    let judged = judging::judge_request(state, request);
    let operation = judged.as_ref().ok().copied();
    let Some(role) = auth::role(headers) else { return (operation, reject(401, "log in")) };
    if let Some(status) = scheduled_failure(state, request) {
        return (operation, reject(status, "scheduled failure"));
    }
    let outcome = judged.and_then(|operation| {
        check_role(role, operation)?;
        carry_out(state, request)
    });
    (operation, outcome)
}

/// Takes the failure that a test scheduled for a request.
fn scheduled_failure(state: &mut ServerState, request: &Request<'_>) -> Option<u16> {
    let is_meant = match &state.scheduled_failures.front()?.0 {
        Some(call) => request.path.ends_with(call.as_str()),
        None => true,
    };
    if is_meant { state.scheduled_failures.pop_front().map(|(_, status)| status) } else { None }
}

/// The roles that an operation needs are in the document.
fn check_role(role: Role, operation: &Operation) -> Result<(), Rejection> {
    if role == Role::Admin || operation.roles.iter().any(|one| one == "REGISTERED_USER") {
        return Ok(());
    }
    reject(403, format!("{} is required", operation.roles.join(" or ")))
}

/// Does what a valid request asks for.
fn carry_out(state: &mut ServerState, request: &Request<'_>) -> Outcome {
    let path = request.path_in(state.version).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let query: HashMap<String, String> = parameters(request.query).into_iter().collect();
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let body = request.json().unwrap_or_default();
    let found = match (parts.as_slice(), state.version) {
        (["persons", "createOrUpdateVirtual"], _) => person(state, &body).map(Some),
        (["externalmessengercontacts", "search"], _) => search(state, &body).map(Some),
        (["externalmessengercontacts", "create"], _) => contact(state, &body).map(Some),
        (["conversations", "getBySourceIdAndChannelId"], _) => {
            let here = asked("externalMessengerChannelId") == CHANNEL;
            match state.active(asked("sourceId")).filter(|_| here) {
                Some(found) => Ok(Some(found.data.clone())),
                None => reject(404, "There is no such conversation"),
            }
        }
        (["conversations", "create"], _) => conversation(state, &body).map(Some),
        (["conversations", id, "end"], _) => end(state, id, &body).map(Some),
        (["externalmessengers", "read"], ApiVersion::V3) => channel(state, asked("id")),
        (["externalmessengers", id, "read"], ApiVersion::V4) => channel(state, id),
        (["externalmessengers", "update"], _) => update(state, body).map(Some),
        (["externalmessengers", "create"], _) => channels::create_channel(state, body).map(Some),
        (["externalmessengers", "getByName"], _) => {
            channels::channel_by_name(state, asked("name")).map(Some)
        }
        (["webhookregistrations", "getByName"], _) => {
            channels::webhook_by_name(state, asked("name")).map(Some)
        }
        (["webhookregistrations", "search"], _) => {
            channels::search_webhooks(state, &body).map(Some)
        }
        (["webhookregistrations", "create"], _) => channels::create_webhook(state, body).map(Some),
        (["webhookregistrations", "update"], _) => channels::update_webhook(state, body).map(Some),
        (["externalmessengers", "pingCustomChannel"], ApiVersion::V3) => {
            on_channel(text(&body, "externalMessengerChannelId")?)?;
            Ok(Some(PING.into()))
        }
        (["externalmessengers", id, "sendPing"], ApiVersion::V4) => {
            on_channel(id)?;
            Ok(Some(PING.into()))
        }
        (["externalmessengers", call], ApiVersion::V3) => {
            on_channel(text(&body, "externalMessengerChannelId")?)?;
            messenger(state, call, &body)
        }
        (["externalmessengers", id, call], ApiVersion::V4) => {
            on_channel(id)?;
            messenger(state, call, &body)
        }
        _ => reject(404, "the mock does not have this operation"),
    };
    Ok(found?.map(|found| expanded(found, asked("expand"))))
}
