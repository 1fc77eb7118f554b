//! Encodes deliveries to a bot as calls of the webhook engagement adapter (SW).

use http::Method;
use serde_json::{Map, Value};
use trunkline_core::model::{AuthorRole, Event, EventBody, Transcript};
use trunkline_core::rendering::content_as_text;
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::outbound::EncodeError;

use crate::settings::ContextForm;
use crate::wire::EngagementRequest;
use crate::{SendContext, auth};

/// Encodes a delivery to a bot.
///
/// # Errors
/// The reason why the delivery cannot be sent.
pub(crate) fn request(sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
    let body = request_body(sending)?;
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
    match request_body(sending).ok()?.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn request_body<'a>(sending: &'a SendContext<'_>) -> Result<EngagementRequest<'a>, EncodeError> {
    let event = &sending.delivery.event;
    let is_copy = sending.delivery.to.copy;
    let text = match &event.body {
        EventBody::Message { .. } | EventBody::Choice { .. } if is_copy => {
            return Err(EncodeError::Unsupported(
                "ServisBOT does not support copies: the bot would answer them",
            ));
        }
        EventBody::Message { content, .. } => content.text.clone().unwrap_or_default(),
        // A click has no public form here; a bot receives its label by default (SX, Interaction Types).
        EventBody::Choice { id, title, .. } => title.as_ref().unwrap_or(id).clone(),
        EventBody::Handover { reason, context, transcript, .. }
        | EventBody::Handback { reason, context, transcript } => {
            return context_update(sending, reason.as_deref(), context, transcript);
        }
        EventBody::Close { reason } => {
            let transcript = Transcript::default();
            return context_update(sending, reason.as_deref(), &Map::new(), &transcript);
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
    let settings = sending.settings;
    let has_context = settings.context_updates && settings.context_form == ContextForm::Message;
    let context = if has_context { message_context(event) } else { Map::new() };
    Ok(call(sending, "message", text.into(), context))
}

fn call<'a>(
    sending: &'a SendContext<'_>,
    kind: &'a str,
    value: Value,
    context: Map<String, Value>,
) -> EngagementRequest<'a> {
    let customer_reference = sending.external_conversation_id();
    EngagementRequest { r#type: kind, value, context, customer_reference }
}

/// The call that tells the bot about an event which is no message. As a message, its text is the event's name, by
/// which a flow recognizes it (our assumption: a context needs a message).
fn context_update<'a>(
    sending: &'a SendContext<'_>,
    reason: Option<&str>,
    context: &Map<String, Value>,
    transcript: &Transcript,
) -> Result<EngagementRequest<'a>, EncodeError> {
    let settings = sending.settings;
    if !settings.context_updates {
        return Err(EncodeError::Unsupported(
            "ServisBOT documents no such event; set context_updates to send it as context",
        ));
    }
    let name = sending.delivery.event.body.kind();
    let context = context_value(name, reason, context, transcript);
    Ok(match settings.context_form {
        ContextForm::Message => call(sending, "message", name.into(), context),
        ContextForm::Standalone => call(sending, "context", context.into(), Map::new()),
    })
}

/// The context of a customer's message: what Trunkline knows beside its text.
fn message_context(event: &Event) -> Map<String, Value> {
    let (mut context, choice) = match &event.body {
        EventBody::Message { metadata, .. } => (metadata.clone(), None),
        EventBody::Choice { id, .. } => (Map::new(), Some(id)),
        _ => (Map::new(), None),
    };
    let known = [
        ("channel", event.channel.as_ref()),
        ("language", event.language.as_ref()),
        ("customer", event.author.name.as_ref()),
        ("choice", choice),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
    context.extend(known.map(|(name, value)| (name.to_owned(), value.as_str().into())));
    context
}

/// The value of a context update: the context, the event, its reason and the transcript.
fn context_value(
    event: &str,
    reason: Option<&str>,
    context: &Map<String, Value>,
    transcript: &Transcript,
) -> Map<String, Value> {
    let mut value = context.clone();
    value.insert("event".into(), event.into());
    value.extend(reason.map(|reason| ("reason".into(), reason.into())));
    let lines = transcript.entries.iter().filter_map(|entry| {
        let author = match entry.author.role {
            AuthorRole::Customer => "customer",
            AuthorRole::Bot => "bot",
            AuthorRole::Agent => "agent",
            AuthorRole::System | AuthorRole::Unknown | AuthorRole::Participant => "unknown",
        };
        let text = content_as_text(&entry.content);
        (!text.is_empty()).then(|| format!("{author}: {text}"))
    });
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        value.insert("transcript".into(), lines.join("\n").into());
    }
    value
}
