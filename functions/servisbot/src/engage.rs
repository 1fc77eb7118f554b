//! From a delivery to a bot to a call of the webhook engagement adapter (SW).

use http::Method;
use serde_json::{Map, Value};
use trunkline_shared::http_client::Request;
use trunkline_shared::model::{AuthorRole, EventBody, Recall};
use trunkline_shared::outbound::{Sending, Unsendable};

use crate::auth;
use crate::settings::Settings;
use crate::wire::Engage;

/// The call that tells a bot what happened.
///
/// # Errors
/// Why nothing is sent.
pub(crate) fn request(sending: &Sending<'_>, settings: &Settings) -> Result<Request, Unsendable> {
    let (kind, value) = said(sending, settings)?;
    let engage = Engage { r#type: kind, value, customer_reference: sending.external_id() };
    let unwritable = |why: serde_json::Error| Unsendable::Misconfigured(why.to_string());
    let missing = || Unsendable::Misconfigured("the setting engagement_url is missing".into());
    Ok(Request {
        method: Method::POST,
        url: settings.engagement_url.clone().ok_or_else(missing)?,
        headers: auth::engagement_headers(sending.secrets)?,
        body: serde_json::to_vec(&engage).map_err(unwritable)?,
    })
}

/// The text by which this comes back as an event; none, if it is not said to the bot.
pub(crate) fn posted(sending: &Sending<'_>, settings: &Settings) -> Option<String> {
    match said(sending, settings) {
        Ok(("message", Value::String(text))) => Some(text),
        _ => None,
    }
}

/// The call's `Type` and `Value`.
fn said(sending: &Sending<'_>, settings: &Settings) -> Result<(&'static str, Value), Unsendable> {
    let is_copy = sending.delivery.to.copy;
    let text = match &sending.delivery.event.body {
        EventBody::Message { .. } | EventBody::Choice { .. } if is_copy => {
            return Err(Unsendable::NoForm(
                "ServisBOT has no form for copies: the bot would answer them",
            ));
        }
        EventBody::Message { content, .. } => content.text.clone().unwrap_or_default(),
        // Sending a click is not documented; its label is what a bot hears by default (fact sheet 3.5).
        EventBody::Choice { id, title, .. } => title.as_ref().unwrap_or(id).clone(),
        EventBody::Handover { reason, context, recall, .. } if settings.context_updates => {
            return Ok(("context", told("handover", reason.as_deref(), context, recall)));
        }
        EventBody::Handback { reason, context, recall } if settings.context_updates => {
            return Ok(("context", told("handback", reason.as_deref(), context, recall)));
        }
        EventBody::Close { reason } if settings.context_updates => {
            let (context, recall) = (Map::new(), Recall::default());
            return Ok(("context", told("close", reason.as_deref(), &context, &recall)));
        }
        EventBody::Handover { .. } | EventBody::Handback { .. } | EventBody::Close { .. } => {
            return Err(Unsendable::NoForm(
                "the body of ServisBOT's context update is not public; set context_updates to send \
                 a likely one",
            ));
        }
        EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Opaque { .. } => {
            return Err(Unsendable::NoForm("ServisBOT has no form for such an event"));
        }
    };
    if text.trim().is_empty() {
        return Err(Unsendable::NoForm("there is no text, and ServisBOT takes nothing else"));
    }
    Ok(("message", Value::String(text)))
}

/// What a bot should know: the context itself, what happened, why, and what was said meanwhile.
fn told(event: &str, reason: Option<&str>, context: &Map<String, Value>, recall: &Recall) -> Value {
    let mut told = context.clone();
    told.insert("event".into(), event.into());
    told.extend(reason.map(|reason| ("reason".into(), reason.into())));
    let lines = recall.lines.iter().filter_map(|line| {
        let who = match line.author.role {
            AuthorRole::Customer => "customer",
            AuthorRole::Bot => "bot",
            AuthorRole::Agent => "agent",
            AuthorRole::System | AuthorRole::Unknown => "unknown",
        };
        Some(format!("{who}: {}", line.content.text.as_deref()?))
    });
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        told.insert("transcript".into(), lines.join("\n").into());
    }
    Value::Object(told)
}
