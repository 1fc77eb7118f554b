//! The router's control API and its newer state API: permissions and validation.
//!
//! The control API and its mutations are documented: "Routing Control",
//! <https://developers.cm.com/central-services/docs/routing-control> (CM-CTRL). The mutation `disableComponent`, the
//! state API, its right and its 403 are what a retailer observed: `src/lib/cm.ts` and the README of
//! <https://github.com/Dutchtoysgroup/zipchat-cm-bridge> (BRIDGE). All 404s and texts of answers are our assumption.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::rules::check_members;
use super::{ACCOUNT, Accepted, Shared, check_call, guid, reject};

pub(super) async fn post_mutation(
    State(state): State<Shared>,
    Path((account, chat)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(response) = check_call(&state, &headers).await {
        return response;
    }
    if account != ACCOUNT || !state.lock().unwrap().chats.contains(&chat) {
        return reject(&state, StatusCode::NOT_FOUND, "there is no such chat");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Err(message) = check_mutation(&chat, &body) {
        return reject(&state, StatusCode::BAD_REQUEST, &message);
    }
    state.lock().unwrap().accepted.push(Accepted { what: "mutation", chat, adapter: None, body });
    Json(json!({})).into_response()
}

/// The members of a mutation request (CM-CTRL), in the spelling of Trunkline, which is the page's.
const REQUEST: [&str; 3] = ["ChatId", "Mutations", "Context"];
/// The members of a rule mutation (CM-CTRL).
const RULE: [&str; 5] = ["$type", "action", "operator", "sourceAdapterId", "targetAdapterId"];
/// The members of the mutation that CM.com's own bot sends (BRIDGE).
const COMPONENT: [&str; 2] = ["$type", "ComponentId"];

fn check_mutation(chat: &str, body: &Value) -> Result<(), String> {
    check_members("the request", body, &REQUEST)?;
    if body["ChatId"] != chat {
        return Err("ChatId is not the chat of the address".into());
    }
    let mutations = body["Mutations"].as_array().filter(|list| !list.is_empty());
    for mutation in mutations.ok_or("The Mutations field is required.")? {
        let word = |name: &str| mutation[name].as_str().unwrap_or_default();
        let good = match word("$type") {
            "ruleMutation" => {
                ["Enable", "Disable"].contains(&word("action"))
                    && ["And", "Or"].contains(&word("operator"))
            }
            "disableComponent" => !word("ComponentId").is_empty(),
            _ => false,
        };
        if !good {
            return Err(format!("invalid mutation: {mutation}"));
        }
        let known: &[&str] = if word("$type") == "ruleMutation" { &RULE } else { &COMPONENT };
        check_members("the mutation", mutation, known)?;
    }
    check_context(body)
}

/// CM-CTRL: a key-value object. Our assumption: the values are texts.
fn check_context(body: &Value) -> Result<(), String> {
    match body.get("Context") {
        None => Ok(()),
        Some(Value::Object(context)) if context.values().all(Value::is_string) => Ok(()),
        Some(_) => Err("Context must be a dictionary of strings".into()),
    }
}

pub(super) async fn put_state(
    State(state): State<Shared>,
    Path((_, chat, what)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(response) = check_call(&state, &headers).await {
        return response;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (what, problem) = match what.as_str() {
        "state" if body["NewStateNameId"].as_str().unwrap_or_default().is_empty() => {
            ("state", Err("The NewStateNameId field is required.".to_owned()))
        }
        "state" => {
            let known = check_members("the request", &body, &["NewStateNameId", "Context"]);
            ("state", known.and_then(|()| check_context(&body)))
        }
        "end" => ("end", Ok(())),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if state.lock().unwrap().deny_session_update {
        let message = "the right ConversationalRouter.RouterSession_Update is missing";
        return reject(&state, StatusCode::FORBIDDEN, message);
    }
    if !state.lock().unwrap().chats.contains(&chat) {
        return reject(&state, StatusCode::NOT_FOUND, "there is no such session");
    }
    if let Err(message) = problem {
        return reject(&state, StatusCode::BAD_REQUEST, &message);
    }
    state.lock().unwrap().accepted.push(Accepted { what, chat, adapter: None, body });
    Json(json!({})).into_response()
}

pub(super) async fn get_session(
    State(state): State<Shared>,
    Path((account, chat)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = check_call(&state, &headers).await {
        return response;
    }
    if !state.lock().unwrap().chats.contains(&chat) {
        return reject(&state, StatusCode::NOT_FOUND, "there is no such session");
    }
    let session = guid(&("session", &chat));
    Json(json!({"AccountId": account, "ChatId": chat, "SessionId": session})).into_response()
}
