//! Encodes deliveries to a bot as calls of the webhook engagement adapter (SW).

use http::Method;
use serde_json::{Map, Value};
use trunkline_core::model::{AuthorRole, EventBody, Transcript};
use trunkline_core::rendering::content_as_text;
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::outbound::EncodeError;

use crate::wire::EngagementRequest;
use crate::{SendContext, auth};

/// Encodes a delivery to a bot.
///
/// # Errors
/// The reason why the delivery cannot be sent.
pub(crate) fn request(sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
    let (kind, value) = type_and_value(sending)?;
    let body = EngagementRequest {
        r#type: kind,
        value,
        customer_reference: sending.external_conversation_id(),
    };
    let unwritable = |why: serde_json::Error| EncodeError::Misconfigured(why.to_string());
    let missing = || EncodeError::Misconfigured("the setting engagement_url is missing".into());
    Ok(HttpRequest {
        method: Method::POST,
        url: sending.settings.engagement_url.as_deref().ok_or_else(missing)?.to_owned(),
        headers: auth::engagement_headers(sending.secrets)?,
        body: serde_json::to_vec(&body).map_err(unwritable)?,
    })
}

/// Returns the text that eventing will echo for this delivery, or `None` if it is not a message.
pub(crate) fn message_text(sending: &SendContext<'_>) -> Option<String> {
    match type_and_value(sending) {
        Ok(("message", Value::String(text))) => Some(text),
        _ => None,
    }
}

/// Returns the call's `Type` and `Value`.
fn type_and_value(sending: &SendContext<'_>) -> Result<(&'static str, Value), EncodeError> {
    let settings = sending.settings;
    let is_copy = sending.delivery.to.copy;
    let text = match &sending.delivery.event.body {
        EventBody::Message { .. } | EventBody::Choice { .. } if is_copy => {
            return Err(EncodeError::Unsupported(
                "ServisBOT does not support copies: the bot would answer them",
            ));
        }
        EventBody::Message { content, .. } => content.text.clone().unwrap_or_default(),
        // How to send a click is undocumented; a bot receives its label by default (fact sheet
        // 3.5).
        EventBody::Choice { id, title, .. } => title.as_ref().unwrap_or(id).clone(),
        EventBody::Handover { reason, context, transcript, .. } if settings.context_updates => {
            return Ok((
                "context",
                context_value("handover", reason.as_deref(), context, transcript),
            ));
        }
        EventBody::Handback { reason, context, transcript } if settings.context_updates => {
            return Ok((
                "context",
                context_value("handback", reason.as_deref(), context, transcript),
            ));
        }
        EventBody::Close { reason } if settings.context_updates => {
            let (context, transcript) = (Map::new(), Transcript::default());
            return Ok((
                "context",
                context_value("close", reason.as_deref(), &context, &transcript),
            ));
        }
        EventBody::Handover { .. } | EventBody::Handback { .. } | EventBody::Close { .. } => {
            return Err(EncodeError::Unsupported(
                "the body of ServisBOT's context update is undocumented; set context_updates to send a \
                 best guess",
            ));
        }
        EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Reaction { .. }
        | EventBody::Opaque { .. } => {
            return Err(EncodeError::Unsupported("ServisBOT does not support this event type"));
        }
    };
    if text.trim().is_empty() {
        return Err(EncodeError::Unsupported(
            "the message has no text, and ServisBOT accepts only text",
        ));
    }
    Ok(("message", Value::String(text)))
}

/// The value of a context update: the context, the event, its reason and the transcript.
fn context_value(
    event: &str,
    reason: Option<&str>,
    context: &Map<String, Value>,
    transcript: &Transcript,
) -> Value {
    let mut value = context.clone();
    value.insert("event".into(), event.into());
    value.extend(reason.map(|reason| ("reason".into(), reason.into())));
    let lines = transcript.entries.iter().filter_map(|entry| {
        let author = match entry.author.role {
            AuthorRole::Customer => "customer",
            AuthorRole::Bot => "bot",
            AuthorRole::Agent => "agent",
            AuthorRole::System | AuthorRole::Unknown => "unknown",
        };
        let text = content_as_text(&entry.content);
        (!text.is_empty()).then(|| format!("{author}: {text}"))
    });
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        value.insert("transcript".into(), lines.join("\n").into());
    }
    Value::Object(value)
}
