//! Inbound: parses webhook calls into events and builds the responses.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_core::json;
use trunkline_runtime::inbound::{
    CallOutcome, Inbound, InboundError, Ingested, MAX_BODY, ParsedCall, Reply,
};

use crate::wire::{Envelope, Payload};
use crate::{Call, Webhook, auth, decode};

impl Inbound for Webhook {
    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        if call.method == Method::GET || call.method == Method::HEAD {
            let ready = json!({"status": "ready", "send": "POST events as JSON"});
            return ParsedCall::Reply(Reply::json(StatusCode::OK, &ready));
        }
        if call.method != Method::POST {
            let why = format!("{} is not supported: POST an event", call.method);
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return ParsedCall::Reply(problem(status, "method_not_allowed", &why));
        }
        if let Err(denied) = auth::authenticate(call) {
            return ParsedCall::Denied(denied);
        }
        match parse(call.body) {
            Ok(Envelope { payload: Payload::Verification { challenge }, .. }) => {
                ParsedCall::Reply(Reply::json(StatusCode::OK, &json!({"challenge": challenge})))
            }
            Ok(envelope) => match decode::event(envelope, call.connection.role, call.settings) {
                Ok(event) => ParsedCall::Events(vec![event]),
                Err(problem) => ParsedCall::Unreadable(problem.into()),
            },
            Err(reason) => ParsedCall::Unreadable(reason),
        }
    }

    fn reply(&self, _: &Call<'_>, result: &CallOutcome<'_>) -> Reply {
        match result {
            CallOutcome::Ingested([Ok(Ingested { conversation, .. })]) => {
                let body = json!({"status": "accepted", "conversation": conversation});
                Reply::json(StatusCode::OK, &body)
            }
            CallOutcome::Ingested([Err(InboundError::Rejected(why))]) => {
                let status = match why.code() {
                    "unknown_conversation" => StatusCode::NOT_FOUND,
                    "not_owner" | "conversation_closed" => StatusCode::CONFLICT,
                    "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                problem(status, why.code(), &why.to_string())
            }
            CallOutcome::Ingested(_) => problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_error",
                "the event was lost: send it again",
            ),
            CallOutcome::Unreadable(why) => problem(StatusCode::BAD_REQUEST, "unreadable", why),
            CallOutcome::TooLarge => {
                let why = format!("the body exceeds {MAX_BODY} bytes: send files by reference");
                problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &why)
            }
            CallOutcome::UnsupportedEncoding(encoding) => {
                let why = format!("Content-Encoding {encoding}: send gzip, deflate or none");
                problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", &why)
            }
            CallOutcome::Denied(why) => {
                problem(StatusCode::UNAUTHORIZED, "denied", &why.to_string())
            }
        }
    }
}

/// Builds an RFC 9457 problem response.
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

/// The members of `data` whose content the protocol does not define.
const FREE_FORM: [&str; 3] = ["raw", "metadata", "context"];

/// Parses an event.
///
/// # Errors
/// The problem and its position.
pub fn parse(body: &[u8]) -> Result<Envelope, String> {
    let mut value: Value = json::from_slice(body).map_err(|e| format!("not JSON: {e}"))?;
    // Other programs' own data stays as it is.
    let data = value.get_mut("data").and_then(Value::as_object_mut);
    let kept = data.map(|data| FREE_FORM.map(|name| data.remove_entry(name)));
    json::remove_null_members(&mut value);
    let Some(object) = value.as_object_mut() else {
        return Err("not a JSON object: send one event per call".into());
    };
    // `data` is optional for events without members.
    let data = object.entry("data").or_insert_with(|| json!({}));
    if let (Some(kept), Some(data)) = (kept, data.as_object_mut()) {
        let kept = kept.into_iter().flatten();
        data.extend(kept.filter(|(name, value)| name == "raw" || !value.is_null()));
    }
    let envelope: Envelope = serde_json::from_value(value)
        .map_err(|e| format!("not an event: {e}; see functions/webhook/README.md"))?;
    if envelope.id.is_empty() || envelope.id.len() > 512 {
        return Err("id must be 1 to 512 bytes long".into());
    }
    Ok(envelope)
}
