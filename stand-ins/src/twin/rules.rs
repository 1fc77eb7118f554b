//! What TWIN refuses. How it words that is unknown: a message in JSON stands for it.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::{Shared, State};

/// A refusal.
#[derive(Debug)]
pub struct Refused(pub StatusCode, pub String);

impl Refused {
    /// What is asked for is not there.
    pub fn unknown(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// The body is not as it should be.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, why.into())
    }
}

/// What a call comes to.
pub type Outcome = Result<(StatusCode, Value), Refused>;

/// Answers a call, unless it is to be refused whatever it asks; notes what is refused.
pub fn answer(shared: &Shared, what: &str, deal: impl FnOnce(&mut State) -> Outcome) -> Response {
    let mut state = shared.state.lock().unwrap();
    let outcome = match state.refusals.pop_front() {
        Some(status) => Err(Refused(StatusCode::from_u16(status).unwrap(), "as told".into())),
        None => deal(&mut state),
    };
    match outcome {
        Ok((StatusCode::NO_CONTENT, _)) => StatusCode::NO_CONTENT.into_response(),
        Ok((status, body)) => (status, Json(body)).into_response(),
        Err(Refused(status, why)) => {
            state.refused.push(format!("{what}: {status}: {why}"));
            (status, Json(json!({"message": why}))).into_response()
        }
    }
}

/// Whether a good token came along.
fn is_logged_in(state: &State, headers: &HeaderMap) -> bool {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    token.is_some_and(|token| state.tokens.iter().any(|known| known == token))
}

/// Refuses who is not logged in: without a token 401, with one that is not good 403 (`TC-op`).
pub fn log_in_first(state: &State, headers: &HeaderMap) -> Result<(), Refused> {
    if is_logged_in(state, headers) {
        return Ok(());
    }
    Err(if headers.contains_key("authorization") {
        Refused(StatusCode::FORBIDDEN, "the token is not good".into())
    } else {
        Refused(StatusCode::UNAUTHORIZED, "log in".into())
    })
}

/// Reads a JSON object that has these fields, and no others.
pub fn object(headers: &HeaderMap, body: &[u8], known: &[Field]) -> Result<Value, Refused> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON".into()));
    }
    let value: Value = serde_json::from_slice(body).map_err(|e| Refused::invalid(e.to_string()))?;
    let object = value.as_object().ok_or_else(|| Refused::invalid("not an object"))?;
    for (name, value) in object {
        let field = known.iter().find(|field| field.0 == name);
        let field = field.ok_or_else(|| Refused::invalid(format!("unknown field {name}")))?;
        if !value.is_null() && !(field.1)(value) {
            return Err(Refused::invalid(format!("{name} is not of its type")));
        }
    }
    for field in known.iter().filter(|field| field.2) {
        if object.get(field.0).is_none_or(Value::is_null) {
            return Err(Refused::invalid(format!("{} is missing", field.0)));
        }
    }
    Ok(value)
}

/// A field: its name, its type, whether it is required.
pub struct Field(pub &'static str, pub fn(&Value) -> bool, pub bool);

/// A text that is not blank.
pub fn text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// A list of texts.
pub fn texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(text))
}

/// Seconds of a session: at most 12 hours (S3).
pub fn ttl(value: &Value) -> bool {
    value.as_i64().is_some_and(|seconds| (1..=43_200).contains(&seconds))
}

/// Files must have been uploaded.
pub fn known_files(state: &State, files: &Value) -> Result<(), Refused> {
    let files = files.as_array().into_iter().flatten();
    let unknown =
        files.filter_map(Value::as_str).find(|id| !state.files.iter().any(|file| file.id == **id));
    match unknown {
        Some(id) => Err(Refused::unknown(&format!("file {id}"))),
        None => Ok(()),
    }
}
