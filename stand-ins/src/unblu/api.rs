//! Its web API, v3 and v4.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::CHANNEL;
use super::calls::{self, Style};
use super::entities::{
    Outcome, channel, contact, conversation, end, messenger, on_channel, person, search, update,
};
use super::proof::{self, Role};
use super::rules::{Refused, refuse, text};
use super::state::Memory;

pub(super) async fn answer(
    State(memory): State<Arc<Mutex<Memory>>>,
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
    let delay = memory.lock().unwrap().delay;
    tokio::time::sleep(delay).await;
    let outcome = {
        let mut memory = memory.lock().unwrap();
        let outcome = hear(&mut memory, &method, &path, &query, &headers, &body);
        let told = match &outcome {
            Ok(_) => "done".to_owned(),
            Err((status, why)) => format!("{status} {why}"),
        };
        memory.log.push(format!("{method} {path}: {told}"));
        outcome
    };
    match outcome {
        Ok(Some(Value::String(ping))) if ping == PING => pinged(&memory).await,
        Ok(Some(body)) => axum::Json(body).into_response(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err((status, why)) => error(status, &why),
    }
}

/// A query's parameters, decoded.
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

/// Stands for a ping that is still to be made, for which the memory must not be held.
const PING: &str = "ping!";

async fn pinged(memory: &Arc<Mutex<Memory>>) -> Response {
    let (post, call) = {
        let mut memory = memory.lock().unwrap();
        (memory.post.clone(), calls::ping(&mut memory, Style::Outbound))
    };
    let Some(post) = post else { return error(502, "the endpoint could not be reached") };
    let posted = call.clone().judge(&post(call).await);
    match posted.problem {
        None => axum::Json(posted.body).into_response(),
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

/// Files want a login, and are refused while they are reviewed.
fn download(file: &str, headers: &HeaderMap) -> Response {
    match (proof::role(headers), file.starts_with("reviewed")) {
        (None, _) => error(401, "log in"),
        (Some(_), true) => error(403, "the file is being reviewed"),
        (Some(_), false) => Bytes::from_static(b"%PDF-1.7").into_response(),
    }
}

fn hear(
    memory: &mut Memory,
    method: &Method,
    path: &str,
    query: &HashMap<String, String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Outcome {
    let Some(role) = proof::role(headers) else { return refuse(401, "log in") };
    let rest = path.strip_prefix("/app/rest/").and_then(|rest| rest.split_once('/'));
    let Some((version @ ("v3" | "v4"), rest)) = rest else { return refuse(404, "no such path") };
    let failing = memory.failing.front().filter(|(of, _)| match of {
        Some(call) => rest.ends_with(call.as_str()),
        None => true,
    });
    if let Some((_, status)) = failing.cloned() {
        memory.failing.pop_front();
        return refuse(status, "told to fail");
    }
    let parts: Vec<&str> = rest.split('/').collect();
    let v4 = version == "v4";
    let get = method == Method::GET;
    if !get && method != Method::POST {
        return refuse(405, "not with this method");
    }
    let admin = || if role == Role::Admin { Ok(()) } else { refuse(403, "ADMIN is required") };
    let posted = || -> Result<Value, Refused> {
        let json = headers.get("content-type").is_some_and(|kind| kind == "application/json");
        let body = serde_json::from_slice(body).ok().filter(|_| json && !get);
        body.map_or_else(|| refuse(400, "POST a JSON body"), Ok)
    };
    match (parts.as_slice(), v4, get) {
        (["persons", "createOrUpdateVirtual"], _, false) => {
            admin()?;
            person(memory, &posted()?).map(Some)
        }
        (["externalmessengercontacts", "search"], true, false) => {
            admin()?;
            search(memory, &posted()?).map(Some)
        }
        (["externalmessengercontacts", "create"], true, false) => {
            contact(memory, &posted()?).map(Some)
        }
        (["conversations", "getBySourceIdAndChannelId"], _, true) => {
            let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
            let found = memory.active(asked("sourceId"));
            let here = asked("externalMessengerChannelId") == CHANNEL;
            match found.filter(|_| here) {
                Some(found) => Ok(Some(found.clone())),
                None => refuse(404, "There is no such conversation"),
            }
        }
        (["conversations", "create"], _, false) => {
            admin()?;
            conversation(memory, &posted()?, v4).map(Some)
        }
        (["conversations", id, "end"], _, false) => end(memory, id, &posted()?),
        (["externalmessengers", "read"], false, true) => {
            channel(memory, query.get("id").map(String::as_str).unwrap_or_default())
        }
        (["externalmessengers", id, "read"], true, true) => channel(memory, id),
        (["externalmessengers", "update"], _, false) => {
            admin()?;
            update(memory, posted()?).map(Some)
        }
        (["externalmessengers", "pingCustomChannel"], false, false) => {
            admin()?;
            on_channel(text(&posted()?, "externalMessengerChannelId")?)?;
            Ok(None)
        }
        (["externalmessengers", id, "sendPing"], true, false) => {
            admin()?;
            on_channel(id)?;
            Ok(Some(PING.into()))
        }
        (["externalmessengers", call], false, false) => {
            admin()?;
            let body = posted()?;
            on_channel(text(&body, "externalMessengerChannelId")?)?;
            messenger(memory, call, &body, false)
        }
        (["externalmessengers", id, call], true, false) => {
            admin()?;
            on_channel(id)?;
            messenger(memory, call, &posted()?, true)
        }
        _ => refuse(404, "no such path"),
    }
}
