//! From a signed webhook to an event, and the answer.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_shared::inbound::{
    Call, Inbound, IntakeError, MAX_BODY, Received, Reply, Result as Came, Taken,
};
use trunkline_shared::model::Platform;

use crate::settings::Settings;
use crate::wire::{Envelope, Payload};
use crate::{Webhook, auth, read};

impl Inbound for Webhook {
    const PLATFORM: Platform = Platform::Webhook;

    fn receive(&self, call: &Call<'_>) -> Received {
        if call.method == Method::GET || call.method == Method::HEAD {
            let ready = json!({"status": "ready", "send": "POST events as JSON"});
            return Received::Answered(Reply::json(StatusCode::OK, &ready));
        }
        if call.method != Method::POST {
            let why = format!("{} is not understood here: POST an event", call.method);
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Received::Answered(problem(status, "method_not_allowed", &why));
        }
        if let Err(denied) = auth::check(call, &Settings::of(&call.connection.settings)) {
            return Received::Denied(denied);
        }
        match parse(call.body) {
            Ok(Envelope { payload: Payload::Verification { challenge }, .. }) => {
                Received::Answered(Reply::json(StatusCode::OK, &json!({"challenge": challenge})))
            }
            Ok(envelope) => match read::event(envelope, call.connection.role) {
                Some(event) => Received::Events(vec![event]),
                None => Received::Unreadable("a message needs text, media or choices".into()),
            },
            Err(reason) => Received::Unreadable(reason),
        }
    }

    fn reply(&self, _: &Call<'_>, result: &Came<'_>) -> Reply {
        match result {
            Came::Taken([Ok(Taken { conversation, .. })]) => {
                let body = json!({"status": "accepted", "conversation": conversation});
                Reply::json(StatusCode::OK, &body)
            }
            Came::Taken([Err(IntakeError::Rejected(why))]) => {
                let status = match why.code() {
                    "unknown_conversation" => StatusCode::NOT_FOUND,
                    "not_owner" | "conversation_closed" => StatusCode::CONFLICT,
                    "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                problem(status, why.code(), &why.to_string())
            }
            Came::Taken(_) => problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ours",
                "an event went missing: send it again",
            ),
            Came::Unreadable(why) => problem(StatusCode::BAD_REQUEST, "unreadable", why),
            Came::TooLarge => {
                let why = format!("a body has at most {MAX_BODY} bytes: send files by reference");
                problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &why)
            }
            Came::Denied(why) => problem(StatusCode::UNAUTHORIZED, "denied", &why.to_string()),
        }
    }
}

/// An RFC 9457 problem.
fn problem(status: StatusCode, code: &str, detail: &str) -> Reply {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    let headers = vec![("content-type", "application/problem+json".to_owned())];
    Reply { status, headers, body: body.to_string() }
}

/// Reads an event.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(body: &[u8]) -> Result<Envelope, String> {
    let mut value: Value = serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))?;
    let Some(object) = value.as_object_mut() else {
        return Err("not a JSON object: send one event a call".into());
    };
    // An event that has nothing to add may leave it out.
    object.entry("data").or_insert_with(|| json!({}));
    let envelope: Envelope = serde_json::from_value(value)
        .map_err(|e| format!("not an event: {e}; see docs/webhook.md for its members"))?;
    if envelope.id.is_empty() || envelope.id.len() > 512 {
        return Err("id must have 1 to 512 bytes".into());
    }
    Ok(envelope)
}
