//! Outbound: encodes deliveries as Webex Connect's events 1001 and 1002 and classifies its
//! responses.

use http::{HeaderMap, Method};
use serde_json::{Map, Value};
use trunkline_core::json;
use trunkline_core::model::{EventBody, ExternalMessageId, Verdict, time};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    Attempt, Classification, EncodeError, Outbound, Verification, classify_by_status,
    insert_secret_header, json_headers,
};
use trunkline_runtime::secrets::SecretBag;

use crate::settings::{HEADER_PREFIX, SEND_URL};
use crate::wire::normalized;
use crate::{CheckContext, SendContext, Webex, join};

/// The members of a response that may hold the id of the sent message, most likely first.
const MESSAGE_ID_MEMBERS: [&str; 4] = ["messageid", "transid", "tid", "id"];
/// Maximum depth of the members of a response that are searched.
const MAX_RESPONSE_DEPTH: usize = 4;

impl Outbound for Webex {
    fn encode(&self, sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        let body = encode_event(sending)?;
        Ok(HttpRequest {
            method: Method::POST,
            url: send_url(sending.secrets)?.to_owned(),
            headers: headers(sending.secrets)?,
            body: Value::Object(body).to_string().into_bytes(),
        })
    }

    async fn send(&self, sending: &SendContext<'_>, http_client: &HttpClient) -> Attempt {
        let request = match self.encode(sending) {
            Ok(request) => request,
            Err(error) => return error.into(),
        };
        let id_member = sending.settings.response_id.as_deref();
        match http_client.send(request).await {
            Ok(response) => {
                Attempt::with_response(&response, classify_response(&response, id_member))
            }
            Err(error) => error.into(),
        }
    }

    fn classify(&self, response: &HttpResponse) -> Classification {
        classify_response(response, None)
    }

    async fn verify(&self, _: &CheckContext<'_>, _: &HttpClient) -> Verification {
        Verification::Unsupported(
            "Webex Connect verifies the connection itself: press Verify in the integration's form",
        )
    }
}

fn send_url(secrets: &SecretBag) -> Result<&str, EncodeError> {
    let missing =
        "the secret send_url is missing: copy the generated URL from Webex Connect's form";
    secrets.newest(SEND_URL).ok_or_else(|| EncodeError::Misconfigured(missing.into()))
}

fn headers(secrets: &SecretBag) -> Result<HeaderMap, EncodeError> {
    let mut headers = json_headers();
    for (name, value) in secrets.with_prefix(HEADER_PREFIX) {
        insert_secret_header(&mut headers, name, value)?;
    }
    Ok(headers)
}

/// Encodes an event in the vendor's spelling, which differs from that of its own events (WX-BOT).
fn encode_event(sending: &SendContext<'_>) -> Result<Map<String, Value>, EncodeError> {
    let settings = sending.settings;
    let mut event = Map::new();
    let mut put = |key: &str, value: String| event.insert(key.to_owned(), Value::String(value));
    let (name, params) = match &sending.delivery.event.body {
        EventBody::Message { content, metadata } => {
            put("message", content.text.clone().unwrap_or_default());
            put("Messagetype", settings.message_type.clone());
            // The text already lists the choices; the ids are for the flow behind Webex Connect.
            let choices = content.choices.iter().enumerate();
            let choices = choices.map(|(i, choice)| format!("choice{}={}", i + 1, choice.id));
            let id = own_param(&settings.message_id_param, sending.delivery.id.as_str());
            let params = customparams(metadata).chain(choices).chain(id);
            (&settings.reply_event, params.collect::<Vec<_>>())
        }
        EventBody::Handover { reason, context, .. } => {
            let reason = reason.iter().map(|reason| format!("reason={reason}"));
            // The conversation with the agent has another id (WX-BOT): an event that returns this one is joined.
            let conversation = sending.external_conversation_id();
            let conversation = own_param(&settings.conversation_param, conversation);
            let params = reason.chain(customparams(context)).chain(conversation);
            (&settings.handover_event, params.collect())
        }
        EventBody::Close { .. } if settings.close_event.is_empty() => {
            return Err(EncodeError::Unsupported(
                "Webex Connect documents no close event; set close_event",
            ));
        }
        EventBody::Close { reason } => {
            let reason = reason.iter().map(|reason| format!("reason={reason}"));
            (&settings.close_event, reason.collect())
        }
        EventBody::Choice { .. }
        | EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Handback { .. }
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Reaction { .. }
        | EventBody::Opaque { .. } => {
            return Err(EncodeError::Unsupported("Webex Connect does not support this event type"));
        }
    };
    put(&settings.event_key, name.clone());
    put("conversation_id", sending.external_conversation_id().to_owned());
    put("Timestamp", time::format_spaced_millis(sending.now));
    for (i, param) in params.into_iter().enumerate() {
        put(&format!("customparam{}", i + 1), param);
    }
    Ok(event)
}

/// Returns `key=value` strings for `customparam1` and following, the only members for extra data
/// (WX-BOT).
pub fn customparams(extras: &Map<String, Value>) -> impl Iterator<Item = String> {
    extras.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    })
}

/// Returns a parameter of Trunkline itself. `None` if the operator gave it no name.
fn own_param(name: &str, value: &str) -> Option<String> {
    join::marker(name).map(|marker| format!("{marker}{value}"))
}

/// Classifies a response. Webex Connect's sister endpoint reports errors with HTTP 200 and a code
/// that begins with 7, of which 7005 (internal error) and 7020 (too many requests) are retryable
/// (fact sheet B5). `id_member`: the member that holds the id of the sent message.
#[must_use]
pub fn classify_response(response: &HttpResponse, id_member: Option<&str>) -> Classification {
    let by_status = classify_by_status(response);
    let body: Value = json::from_slice(&response.body).unwrap_or_default();
    let Some((code, description)) = error_code(&body) else {
        let external_id = (by_status.verdict == Verdict::Delivered)
            .then(|| message_id(&body, id_member))
            .flatten();
        return Classification { external_message_id: external_id, ..by_status };
    };
    let verdict = match code.as_str() {
        "7005" | "7020" => Verdict::Retryable,
        _ if by_status.verdict == Verdict::Retryable => Verdict::Retryable,
        _ => Verdict::Permanent,
    };
    let reason = format!("Webex Connect answered code {code}: {description}");
    Classification { verdict, reason: Some(reason), external_message_id: None }
}

/// Finds an error's code and description in the first two levels of a body.
fn error_code(body: &Value) -> Option<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let in_object = |value: &Value| {
        let code = text(value.get("code")?);
        let is_error = code.len() == 4 && code.starts_with('7');
        let description = value.get("description").or_else(|| value.get("message"));
        is_error.then(|| (code, description.map(text).unwrap_or_default()))
    };
    let in_value = |value: &Value| match value {
        Value::Array(items) => items.iter().find_map(in_object),
        other => in_object(other),
    };
    in_value(body).or_else(|| body.as_object()?.values().find_map(in_value))
}

/// The id of the sent message, if the response has one. The vendor documents none, so `id_member` or else the
/// names of Webex Connect's other responses are searched, the outer levels first.
fn message_id(body: &Value, id_member: Option<&str>) -> Option<ExternalMessageId> {
    let own = id_member.map(normalized);
    let names = own.as_deref().map_or_else(|| MESSAGE_ID_MEMBERS.to_vec(), |own| vec![own]);
    let mut level = vec![body];
    for _ in 0..MAX_RESPONSE_DEPTH {
        let objects = || level.iter().filter_map(|value| value.as_object());
        let of_name = |name: &&str| {
            let mut found = objects().flatten().filter(|(key, _)| normalized(key) == **name);
            found.find_map(|(_, value)| match value {
                Value::String(id) if !id.trim().is_empty() => Some(id.trim().to_owned()),
                Value::Number(id) => Some(id.to_string()),
                _ => None,
            })
        };
        if let Some(id) = names.iter().find_map(of_name) {
            return Some(id.into());
        }
        level = level.into_iter().flat_map(children).collect();
    }
    None
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}
