//! From a delivery to Webex Connect's 1001 and 1002, and what its answers mean.

use http::{HeaderMap, Method};
use serde_json::{Map, Value};
use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{EventBody, Platform, Verdict, time};
use trunkline_shared::outbound::{
    Asking, Meaning, Outbound, Proof, Sending, Unsendable, by_status, json_headers, put_header,
};
use trunkline_shared::secrets::SecretBag;

use crate::Webex;
use crate::settings::{HEADER, SEND_URL, Settings};

impl Outbound for Webex {
    const PLATFORM: Platform = Platform::Webex;

    fn encode(&self, sending: &Sending<'_>) -> Result<Request, Unsendable> {
        let settings = Settings::of(&sending.connection.settings);
        let body = event(sending, &settings)?;
        Ok(Request {
            method: Method::POST,
            url: send_url(sending.secrets)?.to_owned(),
            headers: headers(sending.secrets)?,
            body: Value::Object(body).to_string().into_bytes(),
        })
    }

    fn meaning(&self, answer: &Answer) -> Meaning {
        success(answer)
    }

    async fn prove(&self, _: &Asking<'_>, _: &HttpClient) -> Proof {
        Proof::Unasked(
            "Webex Connect verifies us, not we it: press Verify in the integration's form",
        )
    }
}

fn send_url(secrets: &SecretBag) -> Result<&str, Unsendable> {
    let missing =
        "the secret send_url is missing: copy the generated URL from Webex Connect's form";
    secrets.newest(SEND_URL).ok_or_else(|| Unsendable::Misconfigured(missing.into()))
}

fn headers(secrets: &SecretBag) -> Result<HeaderMap, Unsendable> {
    let mut headers = json_headers();
    for (name, value) in secrets.with_prefix(HEADER) {
        put_header(&mut headers, name, value)?;
    }
    Ok(headers)
}

/// The event in the vendor's spelling, which differs from that of its own events (WX-BOT).
fn event(sending: &Sending<'_>, settings: &Settings) -> Result<Map<String, Value>, Unsendable> {
    let mut event = Map::new();
    let mut put = |key: &str, value: String| event.insert(key.to_owned(), Value::String(value));
    let (name, params) = match &sending.delivery.event.body {
        EventBody::Message { content, metadata } => {
            put("message", content.text.clone().unwrap_or_default());
            put("Messagetype", settings.message_type.clone());
            // The text numbers them already; a flow may want their ids.
            let choices = content.choices.iter().enumerate();
            let choices = choices.map(|(i, choice)| format!("choice{}={}", i + 1, choice.id));
            (&settings.reply_event, customparams(metadata).chain(choices).collect::<Vec<_>>())
        }
        EventBody::Handover { reason, context, .. } => {
            let reason = reason.iter().map(|reason| format!("reason={reason}"));
            (&settings.handover_event, reason.chain(customparams(context)).collect())
        }
        EventBody::Close { .. } if settings.close_event.is_empty() => {
            return Err(Unsendable::NoForm(
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
        | EventBody::Opaque { .. } => {
            return Err(Unsendable::NoForm("Webex Connect has no form for such an event"));
        }
    };
    put(&settings.event_key, name.clone());
    put("conversation_id", sending.external_id().to_owned());
    put("Timestamp", time::spaced_millis(sending.now));
    for (i, param) in params.into_iter().enumerate() {
        put(&format!("customparam{}", i + 1), param);
    }
    Ok(event)
}

/// `key=value` texts for `customparam1` and so on: the only place for extras (WX-BOT).
pub fn customparams(extras: &Map<String, Value>) -> impl Iterator<Item = String> {
    extras.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    })
}

/// What an answer means. Webex Connect's sister endpoint tells of errors with HTTP 200 and a code
/// that begins with 7, of which 7005 (internal) and 7020 (too many) pass (fact sheet B5).
#[must_use]
pub fn success(answer: &Answer) -> Meaning {
    let by_status = by_status(answer);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some((code, description)) = error_code(&body) else {
        let external_id = (by_status.verdict == Verdict::Delivered).then(|| id(&body)).flatten();
        return Meaning { external_id, ..by_status };
    };
    let verdict = match code.as_str() {
        "7005" | "7020" => Verdict::Retryable,
        _ if by_status.verdict == Verdict::Retryable => Verdict::Retryable,
        _ => Verdict::Permanent,
    };
    let reason = format!("Webex Connect answered code {code}: {description}");
    Meaning { verdict, reason: Some(reason), external_id: None }
}

/// An error's code and description, wherever in the first two levels they are.
fn error_code(body: &Value) -> Option<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let here = |value: &Value| {
        let code = text(value.get("code")?);
        let is_error = code.len() == 4 && code.starts_with('7');
        let description = value.get("description").or_else(|| value.get("message"));
        is_error.then(|| (code, description.map(text).unwrap_or_default()))
    };
    let within = |value: &Value| match value {
        Value::Array(items) => items.iter().find_map(here),
        other => here(other),
    };
    within(body).or_else(|| body.as_object()?.values().find_map(within))
}

/// The id of our message, should an answer hold one: nothing says that it does.
fn id(body: &Value) -> Option<String> {
    let names = ["messageid", "transid", "tid", "id"];
    let plain = |key: &String| key.replace(['_', '-'], "").to_lowercase();
    let object = body.as_object()?;
    let found = names.iter().find_map(|name| object.iter().find(|(key, _)| plain(key) == *name))?;
    found.1.as_str().map(Into::into)
}
