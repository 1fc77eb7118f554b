//! Validates requests. No page describes TWIN's errors. Our assumptions: a JSON object with a message; 404 for
//! what does not exist, 422 for an invalid body, 415 for another content type than JSON.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::{Shared, State};

/// A rejected request: status and reason.
#[derive(Debug)]
pub struct Rejection(pub StatusCode, pub String);

impl Rejection {
    /// The requested object does not exist.
    pub fn unknown(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// The body is invalid.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, why.into())
    }
}

/// A response, or a rejection.
pub type Outcome = Result<(StatusCode, Value), Rejection>;

/// Responds to a call: with the next scheduled failure, or the handler's outcome. Records rejections.
pub fn respond(
    shared: &Shared,
    what: &str,
    handle: impl FnOnce(&mut State) -> Outcome,
) -> Response {
    let mut state = shared.state.lock().unwrap();
    let outcome = match state.refusals.pop_front() {
        Some(status) => {
            Err(Rejection(StatusCode::from_u16(status).unwrap(), "scheduled failure".into()))
        }
        None => handle(&mut state),
    };
    match outcome {
        Ok((StatusCode::NO_CONTENT, _)) => StatusCode::NO_CONTENT.into_response(),
        Ok((status, body)) => json_response(&state, status, &body.to_string()),
        Err(Rejection(status, why)) => {
            state.refused.push(format!("{what}: {status}: {why}"));
            json_response(&state, status, &json!({"message": why}).to_string())
        }
    }
}

/// Builds a response with JSON, after a byte-order mark if a test wants one.
pub fn json_response(state: &State, status: StatusCode, body: &str) -> Response {
    let mark = if state.byte_order_marks { "\u{feff}" } else { "" };
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, format!("{mark}{body}")).into_response()
}

/// Whether a good token came along.
fn is_logged_in(state: &State, headers: &HeaderMap) -> bool {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    token.is_some_and(|token| state.tokens.iter().any(|known| known == token))
}

/// Requires a login: rejects a missing token with 401 and an invalid one with 403 (`TC-op`).
pub fn require_login(state: &State, headers: &HeaderMap) -> Result<(), Rejection> {
    if is_logged_in(state, headers) {
        return Ok(());
    }
    Err(if headers.contains_key("authorization") {
        Rejection(StatusCode::FORBIDDEN, "the token is invalid".into())
    } else {
        Rejection(StatusCode::UNAUTHORIZED, "log in".into())
    })
}

/// Parses a JSON object that has only the known fields. Our assumption: TWIN refuses any other, so that a
/// misspelled field is noticed.
pub fn parse_object(headers: &HeaderMap, body: &[u8], known: &[Field]) -> Result<Value, Rejection> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Rejection(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON".into()));
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|e| Rejection::invalid(e.to_string()))?;
    let object = value.as_object().ok_or_else(|| Rejection::invalid("not an object"))?;
    for (name, value) in object {
        let field = known.iter().find(|field| field.0 == name);
        let field = field.ok_or_else(|| Rejection::invalid(format!("unknown field {name}")))?;
        if !value.is_null() && !(field.1)(value) {
            return Err(Rejection::invalid(format!("{name} is not of its type")));
        }
    }
    for field in known.iter().filter(|field| field.2) {
        if object.get(field.0).is_none_or(Value::is_null) {
            return Err(Rejection::invalid(format!("{} is missing", field.0)));
        }
    }
    Ok(value)
}

/// A field: its name, its type check, and whether it is required.
pub struct Field(pub &'static str, pub fn(&Value) -> bool, pub bool);

/// Checks for a non-blank string.
pub fn text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Checks for a list of non-blank strings.
pub fn texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(text))
}

/// Checks a session's lifetime in seconds: at most 12 hours (S3, "Старт новой чат-сессии", `sessionTtl`).
pub fn ttl(value: &Value) -> bool {
    value.as_i64().is_some_and(|seconds| (1..=43_200).contains(&seconds))
}

/// Requires that the files have been uploaded. Our assumption: their ids are those of the file API (`TS`).
pub fn require_known_files(state: &State, files: &Value) -> Result<(), Rejection> {
    let files = files.as_array().into_iter().flatten();
    let unknown =
        files.filter_map(Value::as_str).find(|id| !state.files.iter().any(|file| file.id == **id));
    match unknown {
        Some(id) => Err(Rejection::unknown(&format!("file {id}"))),
        None => Ok(()),
    }
}
