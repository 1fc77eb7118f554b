//! The router's control calls: a handover to CM.com's people, and the end of a session.

use http::Method;
use serde_json::{Map, Value, json};
use trunkline_shared::model::Role;
use trunkline_shared::outbound::{Sending, Unsendable};
use trunkline_shared::security::segment;
use url::Url;

use crate::settings::{HandoverCall, Operator, Settings};
use crate::tell::flat;
use crate::wire::text;

/// A control call: method, address and body.
pub(crate) type Call = (Method, String, Value);

/// The call that hands a chat to CM.com's people. Tenants differ in which of the two they may make, so
/// that is a setting.
pub(crate) fn handover(
    sending: &Sending<'_>,
    settings: &Settings,
    reason: Option<&str>,
    context: &Map<String, Value>,
) -> Result<Call, Unsendable> {
    let context = flattened(reason, context);
    match settings.handover {
        HandoverCall::None => Err(Unsendable::NoForm(
            "handover is none, so the router's ruleset decides: set it to mutation or state",
        )),
        HandoverCall::Mutation => {
            let account = account(sending, settings)?;
            let chat = sending.external_id();
            let end = ["accounts", &account, "chats", chat, "routing", "mutationrequests"];
            let mut body = json!({"ChatId": chat, "Mutations": mutations(settings)?});
            if !context.is_empty() {
                body["Context"] = Value::Object(context);
            }
            Ok((Method::POST, address("control_url", &settings.control_url, &end)?, body))
        }
        HandoverCall::State => {
            let state =
                settings.state_name_id.as_deref().ok_or_else(|| missing("state_name_id"))?;
            let mut body = json!({"NewStateNameId": state});
            if !context.is_empty() {
                body["Context"] = Value::Object(context);
            }
            Ok((Method::PUT, session(sending, settings, "state")?, body))
        }
    }
}

/// The call that ends the router's session.
pub(crate) fn end(sending: &Sending<'_>, settings: &Settings) -> Result<Call, Unsendable> {
    if !settings.end_session {
        return Err(Unsendable::NoForm(
            "end_session is false: the router ends its sessions itself",
        ));
    }
    if sending.external_id().is_empty() {
        return Err(Unsendable::NoForm("the router has no such chat"));
    }
    Ok((Method::PUT, session(sending, settings, "end")?, json!({})))
}

/// With `Or` a link counts when either end is the named adapter: off with all that touches the one, on
/// with all that touches the other (fact sheet A7).
fn mutations(settings: &Settings) -> Result<Vec<Value>, Unsendable> {
    let operator = match settings.mutation_operator {
        Operator::Or => "Or",
        Operator::And => "And",
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
            let adapter = settings.disable_adapter.as_deref().or_else(|| settings.adapter());
            rule("Disable", adapter.ok_or_else(|| missing("disable_adapter"))?)
        }
    };
    Ok(std::iter::once(disable).chain(enable).collect())
}

/// What the people should know: flat, and texts only (fact sheet A7).
fn flattened(reason: Option<&str>, context: &Map<String, Value>) -> Map<String, Value> {
    let texts = context.iter().filter(|(_, value)| !value.is_null());
    let mut texts: Map<String, Value> =
        texts.map(|(key, value)| (key.clone(), Value::String(flat(value)))).collect();
    if let Some(reason) = reason {
        texts.entry("reason").or_insert(reason.into());
    }
    texts
}

fn session(sending: &Sending<'_>, settings: &Settings, what: &str) -> Result<String, Unsendable> {
    let account = match &settings.logical_account_id {
        Some(logical) => logical.clone(),
        None => account(sending, settings)?,
    };
    let end = ["accounts", &account, "chats", sending.external_id(), "session", what];
    address("state_url", &settings.state_url, &end)
}

/// The technical link's id: as set, or else as the chat says it, or else the one of `send_url`.
fn account(sending: &Sending<'_>, settings: &Settings) -> Result<String, Unsendable> {
    let to = &sending.delivery.to;
    let chats = text(&to.origin, &["accountId"]).filter(|_| to.role == Role::Channel);
    let known = settings.account_id.clone().or(chats);
    let known = known.or_else(|| settings.account().map(Into::into));
    known.ok_or_else(|| missing("account_id"))
}

fn missing(setting: &str) -> Unsendable {
    Unsendable::Misconfigured(format!("the setting {setting} is missing"))
}

/// A base's address with more behind it; nothing in the ids can lead elsewhere.
fn address(setting: &str, base: &str, end: &[&str]) -> Result<String, Unsendable> {
    let bad = || Unsendable::Misconfigured(format!("{setting} is not an address"));
    let mut url = Url::parse(base).map_err(|_| bad())?;
    url.path_segments_mut()
        .map_err(|()| bad())?
        .pop_if_empty()
        .extend(end.iter().map(|part| segment(part)));
    Ok(url.into())
}
