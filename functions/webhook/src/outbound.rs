//! Outbound: encodes deliveries as signed webhooks.

use http::Method;
use jiff::Timestamp;
use serde_json::Value;
use trunkline_core::model::{Delivery, EventBody, ExternalMessageId};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    EncodeError, Outbound, Verification, classify_error, insert_secret_header,
};
use trunkline_runtime::secrets::SecretBag;

use crate::encode::encode_event;
use crate::settings::Settings;
use crate::template::{TemplateValues, render};
use crate::wire::{ChannelInfo, Envelope, Payload};
use crate::{CheckContext, SendContext, Webhook, auth};

impl Outbound for Webhook {
    fn encode(&self, sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        let settings = sending.settings;
        let endpoint = Endpoint::of(&sending.delivery.event.body);
        let template = settings.handover_body.as_deref().filter(|_| endpoint == Endpoint::Handover);
        let body = match template {
            Some(template) => render(template, &template_values(sending))
                .map_err(|why| EncodeError::Misconfigured(why.to_string()))?
                .into_bytes(),
            None => serialize(&envelope(sending))?,
        };
        let url = endpoint.url(settings).to_owned();
        let Delivery { id, event, .. } = sending.delivery;
        let mut request = post(settings, sending.secrets, id.as_str(), sending.now, url, body)?;
        if let Some(trace) = event.trace {
            insert_secret_header(
                &mut request.headers,
                "traceparent",
                &trace.child(&[id.as_str()]).to_string(),
            )?;
        }
        Ok(request)
    }

    /// The remote system identifies a message by the envelope's id, which is the delivery's id.
    fn external_message_id(
        &self,
        delivery: &Delivery,
        _: Option<ExternalMessageId>,
    ) -> Option<ExternalMessageId> {
        Some(delivery.id.as_str().into())
    }

    /// Sends a challenge; the remote system returns it to prove that it holds the secret.
    async fn verify(&self, check: &CheckContext<'_>, http: &HttpClient) -> Verification {
        let request = match verification(check) {
            Ok(request) => request,
            Err(why) => return Verification::Failed(why.to_string()),
        };
        let problem = match http.send(request).await {
            Ok(response) => verification_problem(&response, check.challenge),
            Err(error) => classify_error(&error).reason,
        };
        problem.map_or(Verification::Ok, Verification::Failed)
    }
}

fn verification(check: &CheckContext<'_>) -> Result<HttpRequest, EncodeError> {
    let id = format!("verify_{}", check.challenge);
    let body = serialize(&Envelope {
        id: id.clone(),
        timestamp: check.now,
        conversation: "verification".into(),
        author: None,
        channel: None,
        language: None,
        copy: false,
        payload: Payload::Verification { challenge: check.challenge.to_owned() },
    })?;
    let url = check.settings.message_url.to_string();
    post(check.settings, check.secrets, &id, check.now, url, body)
}

/// Returns the problem with a response to a verification, or `None` if it contains the challenge.
fn verification_problem(response: &HttpResponse, challenge: &str) -> Option<String> {
    if !response.status.is_success() {
        return Some(format!("it answered {} instead of 200", response.status));
    }
    let body: Value = trunkline_core::json::from_slice(&response.body).unwrap_or_default();
    let same = body.get("challenge").and_then(Value::as_str) == Some(challenge);
    let problem = r#"its response does not contain the challenge, as {"challenge": …}"#;
    (!same).then(|| problem.to_owned())
}

/// The URL of a connection that receives an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `message_url`: messages and choices.
    Message,
    /// `handover_url`: handovers.
    Handover,
    /// `events_url`: all other events.
    Event,
}

impl Endpoint {
    fn of(body: &EventBody) -> Self {
        match body {
            EventBody::Message { .. } | EventBody::Choice { .. } => Self::Message,
            EventBody::Handover { .. } => Self::Handover,
            EventBody::Receipt { .. }
            | EventBody::Typing { .. }
            | EventBody::Accept
            | EventBody::Handback { .. }
            | EventBody::Close { .. }
            | EventBody::Edit { .. }
            | EventBody::Delete { .. }
            | EventBody::Reaction { .. }
            | EventBody::Opaque { .. } => Self::Event,
        }
    }

    fn url(self, settings: &Settings) -> &str {
        let own = match self {
            Self::Message => None,
            Self::Handover => settings.handover_url.as_deref(),
            Self::Event => settings.events_url.as_deref(),
        };
        own.unwrap_or(&settings.message_url)
    }
}

fn post(
    settings: &Settings,
    secrets: &SecretBag,
    id: &str,
    now: Timestamp,
    url: String,
    body: Vec<u8>,
) -> Result<HttpRequest, EncodeError> {
    let headers = auth::headers(settings, secrets, id, now, &body)?;
    Ok(HttpRequest { method: Method::POST, url, headers, body })
}

fn serialize(envelope: &Envelope) -> Result<Vec<u8>, EncodeError> {
    serde_json::to_vec(envelope).map_err(|why| EncodeError::Misconfigured(why.to_string()))
}

fn envelope(sending: &SendContext<'_>) -> Envelope {
    let delivery = sending.delivery;
    let event = &delivery.event;
    let channel =
        ChannelInfo { connection: delivery.key.channel.to_string(), name: event.channel.clone() };
    Envelope {
        id: delivery.id.to_string(),
        channel: Some(channel),
        copy: delivery.to.copy,
        ..encode_event(event, sending.external_conversation_id(), &delivery.to.connection)
    }
}

fn template_values(sending: &SendContext<'_>) -> TemplateValues {
    let delivery = sending.delivery;
    let context = match &delivery.event.body {
        EventBody::Handover { context, .. } => Value::Object(context.clone()),
        _ => Value::Null,
    };
    TemplateValues {
        chat_id: sending.external_conversation_id().to_owned(),
        session_id: delivery.conversation.to_string(),
        account_id: sending.connection.id.to_string(),
        channel: delivery.event.channel.clone().unwrap_or_else(|| delivery.key.channel.to_string()),
        conversation_host_id: delivery.from.to_string(),
        conversation_client_id: delivery.key.customer.clone(),
        context,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn verification_requires_the_challenge() {
        let problem_of = |status: StatusCode, body: &str| {
            verification_problem(
                &HttpResponse { status, headers: HeaderMap::new(), body: body.into() },
                "abc",
            )
        };
        let right = r#"{"challenge":"abc"}"#;
        assert_eq!(problem_of(StatusCode::OK, right), None);
        for (status, body) in [
            (StatusCode::OK, r#"{"challenge":"abd"}"#),
            (StatusCode::OK, ""),
            (StatusCode::NOT_FOUND, right),
        ] {
            assert!(problem_of(status, body).is_some(), "{status} {body}");
        }
    }
}
