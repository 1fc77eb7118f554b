//! The router's control APIs: hands a chat over to agents in CM.com, and ends sessions.

use http::Method;
use serde_json::{Map, Value, json};
use trunkline_core::model::Role;
use trunkline_runtime::outbound::EncodeError;
use trunkline_runtime::security::escape_dot_segment;
use url::Url;

use crate::SendContext;
use crate::handover_text::value_as_text;
use crate::settings::{HandoverMethod, MutationOperator, Settings};
use crate::wire::text;

/// A control call: method, URL and body.
pub(crate) type ControlRequest = (Method, String, Value);

/// Encodes the call that hands a chat over to agents in CM.com. Tenants differ in which of the two
/// calls they may make, so the `handover` setting chooses.
pub(crate) fn handover(
    sending: &SendContext<'_>,
    reason: Option<&str>,
    context: &Map<String, Value>,
) -> Result<ControlRequest, EncodeError> {
    let settings = sending.settings;
    let context = text_context(reason, context);
    match settings.handover {
        HandoverMethod::None => Err(EncodeError::Unsupported(
            "handover is none, so the router's ruleset decides: set handover to mutation or state",
        )),
        HandoverMethod::Mutation => {
            let account = account_id(sending)?;
            let chat = sending.external_conversation_id();
            let segments = ["accounts", &account, "chats", chat, "routing", "mutationrequests"];
            let mut body = json!({"ChatId": chat, "Mutations": mutations(settings)?});
            if !context.is_empty() {
                body["Context"] = Value::Object(context);
            }
            Ok((Method::POST, join_url("control_url", &settings.control_url, &segments)?, body))
        }
        HandoverMethod::State => {
            let state =
                settings.state_name_id.as_deref().ok_or_else(|| missing("state_name_id"))?;
            let mut body = json!({"NewStateNameId": state});
            if !context.is_empty() {
                body["Context"] = Value::Object(context);
            }
            Ok((Method::PUT, session_url(sending, "state")?, body))
        }
    }
}

/// Encodes the call that ends the router's session.
pub(crate) fn end_session(sending: &SendContext<'_>) -> Result<ControlRequest, EncodeError> {
    if !sending.settings.end_session {
        return Err(EncodeError::Unsupported(
            "end_session is false: the router ends its sessions itself",
        ));
    }
    if sending.external_conversation_id().is_empty() {
        return Err(EncodeError::Unsupported("the router does not have this chat"));
    }
    Ok((Method::PUT, session_url(sending, "end")?, json!({})))
}

/// The mutations of a handover. With `Or` a rule matches a link if either end is the named adapter:
/// every link of one adapter is disabled, every link of the other enabled (fact sheet A7).
fn mutations(settings: &Settings) -> Result<Vec<Value>, EncodeError> {
    let operator = match settings.mutation_operator {
        MutationOperator::Or => "Or",
        MutationOperator::And => "And",
    };
    let rule = |action: &str, adapter: &str| {
        json!({
            "$type": "ruleMutation",
            "action": action,
            "operator": operator,
            "sourceAdapterId": adapter,
            "targetAdapterId": adapter,
        })
    };
    let enable = settings.enable_adapter.as_deref().map(|adapter| rule("Enable", adapter));
    let disable = match &settings.disable_component {
        Some(component) => json!({"$type": "disableComponent", "ComponentId": component}),
        None if enable.is_none() => return Err(missing("enable_adapter")),
        None => {
            let adapter = settings.disable_adapter.as_deref().or_else(|| settings.adapter_id());
            rule("Disable", adapter.ok_or_else(|| missing("disable_adapter"))?)
        }
    };
    Ok(std::iter::once(disable).chain(enable).collect())
}

/// The context for the agents: flat, string values only (fact sheet A7).
fn text_context(reason: Option<&str>, context: &Map<String, Value>) -> Map<String, Value> {
    let texts = context.iter().filter(|(_, value)| !value.is_null());
    let mut texts: Map<String, Value> =
        texts.map(|(key, value)| (key.clone(), Value::String(value_as_text(value)))).collect();
    if let Some(reason) = reason {
        texts.entry("reason").or_insert(reason.into());
    }
    texts
}

fn session_url(sending: &SendContext<'_>, action: &str) -> Result<String, EncodeError> {
    let settings = sending.settings;
    let account = match &settings.logical_account_id {
        Some(logical) => logical.clone(),
        None => account_id(sending)?,
    };
    let segments =
        ["accounts", &account, "chats", sending.external_conversation_id(), "session", action];
    join_url("state_url", &settings.state_url, &segments)
}

/// The technical link's id: from the setting, or else the chat, or else `send_url`.
fn account_id(sending: &SendContext<'_>) -> Result<String, EncodeError> {
    let (to, settings) = (&sending.delivery.to, sending.settings);
    let of_chat = text(&to.origin, &["accountId"]).filter(|_| to.role == Role::Channel);
    let known = settings.account_id.clone().or(of_chat);
    let known = known.or_else(|| settings.technical_link_id().map(Into::into));
    known.ok_or_else(|| missing("account_id"))
}

fn missing(setting: &str) -> EncodeError {
    EncodeError::Misconfigured(format!("the setting {setting} is missing"))
}

/// Appends path segments to a base URL. The segments are escaped, so ids cannot redirect the call.
fn join_url(setting: &str, base: &str, segments: &[&str]) -> Result<String, EncodeError> {
    let invalid = || EncodeError::Misconfigured(format!("{setting} is not a URL"));
    let mut url = Url::parse(base).map_err(|_| invalid())?;
    url.path_segments_mut()
        .map_err(|()| invalid())?
        .pop_if_empty()
        .extend(segments.iter().map(|part| escape_dot_segment(part)));
    Ok(url.into())
}
