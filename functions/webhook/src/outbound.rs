//! From a delivery to a signed webhook.

use http::Method;
use jiff::Timestamp;
use serde_json::Value;
use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{Delivery, EventBody, Platform};
use trunkline_shared::outbound::{
    Asking, Outbound, Proof, Sending, Unsendable, put_header, unanswered,
};
use trunkline_shared::secrets::SecretBag;

use crate::settings::Settings;
use crate::template::{Values, render};
use crate::wire::{ChannelInfo, Envelope, Payload};
use crate::write::encode_event;
use crate::{Webhook, auth};

impl Outbound for Webhook {
    const PLATFORM: Platform = Platform::Webhook;

    fn encode(&self, sending: &Sending<'_>) -> Result<Request, Unsendable> {
        let settings = Settings::of(&sending.connection.settings);
        let kind = Kind::of(&sending.delivery.event.body);
        let template = settings.handover_body.as_deref().filter(|_| kind == Kind::Handover);
        let body = match template {
            Some(template) => render(template, &values(sending))
                .map_err(|why| Unsendable::Misconfigured(why.to_string()))?
                .into_bytes(),
            None => write(&envelope(sending))?,
        };
        let url = kind.address(&settings).to_owned();
        let Delivery { id, event, .. } = sending.delivery;
        let mut request = post(&settings, sending.secrets, id, sending.now, url, body)?;
        if let Some(trace) = event.trace {
            put_header(&mut request.headers, "traceparent", &trace.step(&[id]).to_string())?;
        }
        Ok(request)
    }

    /// The far side knows a message by the envelope's id, which is the delivery's.
    fn message_id(&self, delivery: &Delivery, _: Option<String>) -> Option<String> {
        Some(delivery.id.clone())
    }

    /// The far side answers with the challenge that it is given.
    async fn prove(&self, asking: &Asking<'_>, outside: &HttpClient) -> Proof {
        let request = match verification(asking) {
            Ok(request) => request,
            Err(why) => return Proof::Missing(why.to_string()),
        };
        let problem = match outside.call(request).await {
            Ok(answer) => problem(&answer, asking.challenge),
            Err(error) => unanswered(&error).reason,
        };
        problem.map_or(Proof::Given, Proof::Missing)
    }
}

fn verification(asking: &Asking<'_>) -> Result<Request, Unsendable> {
    let settings = Settings::of(&asking.connection.settings);
    let id = format!("verify_{}", asking.challenge);
    let body = write(&Envelope {
        id: id.clone(),
        timestamp: asking.now,
        conversation: "verification".into(),
        author: None,
        channel: None,
        language: None,
        copy: false,
        payload: Payload::Verification { challenge: asking.challenge.to_owned() },
    })?;
    let url = settings.message_url.clone();
    post(&settings, asking.secrets, &id, asking.now, url, body)
}

/// What is wrong with an answer to a verification; nothing, if it proves the far side to be ours.
fn problem(answer: &Answer, challenge: &str) -> Option<String> {
    if !answer.status.is_success() {
        return Some(format!("it answered {}, where 200 is expected", answer.status));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let same = body.get("challenge").and_then(Value::as_str) == Some(challenge);
    let problem = r#"it answered, but not with {"challenge": …} as it was given"#;
    (!same).then(|| problem.to_owned())
}

/// Which of a connection's addresses an event is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The message URL.
    Message,
    /// The handover URL.
    Handover,
    /// The events URL.
    Event,
}

impl Kind {
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
            | EventBody::Opaque { .. } => Self::Event,
        }
    }

    fn address(self, settings: &Settings) -> &str {
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
) -> Result<Request, Unsendable> {
    let headers = auth::headers(settings, secrets, id, now, &body)?;
    Ok(Request { method: Method::POST, url, headers, body })
}

fn write(envelope: &Envelope) -> Result<Vec<u8>, Unsendable> {
    serde_json::to_vec(envelope).map_err(|why| Unsendable::Misconfigured(why.to_string()))
}

fn envelope(sending: &Sending<'_>) -> Envelope {
    let delivery = sending.delivery;
    let event = &delivery.event;
    let channel =
        ChannelInfo { connection: delivery.key.channel.to_string(), name: event.channel.clone() };
    Envelope {
        id: delivery.id.clone(),
        channel: Some(channel),
        copy: delivery.to.copy,
        ..encode_event(event, sending.external_id(), &delivery.to.connection)
    }
}

fn values(sending: &Sending<'_>) -> Values {
    let delivery = sending.delivery;
    let context = match &delivery.event.body {
        EventBody::Handover { context, .. } => Value::Object(context.clone()),
        _ => Value::Null,
    };
    Values {
        chat_id: sending.external_id().to_owned(),
        session_id: delivery.conversation.clone(),
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
    fn a_far_side_proves_itself_by_the_challenge_alone() {
        let problem = |status: StatusCode, body: &str| {
            problem(&Answer { status, headers: HeaderMap::new(), body: body.into() }, "abc")
        };
        let right = r#"{"challenge":"abc"}"#;
        assert_eq!(problem(StatusCode::OK, right), None);
        for (status, body) in [
            (StatusCode::OK, r#"{"challenge":"abd"}"#),
            (StatusCode::OK, ""),
            (StatusCode::NOT_FOUND, right),
        ] {
            assert!(problem(status, body).is_some(), "{status} {body}");
        }
    }
}
