//! What can be set for signed webhooks.

use serde_json::Value;
use trunkline_shared::model::{Platform, Role};
use trunkline_webhook::{API_KEY, BEARER, SIGNING, check_template};

use super::checks;
use crate::apply::OPERATIONS;
use crate::config::{AddressSpec, Checked, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Webhook,
    name: "Signed webhooks",
    docs: "docs/webhook.md",
    addresses: &[AddressSpec {
        what: "Events",
        field: "Where it posts events",
        path: "",
        roles: &[Role::Channel, Role::Bot, Role::Desk],
    }],
    roles: &[Role::Channel, Role::Bot, Role::Desk, Role::Observer],
    settings: &[
        SettingSpec::required(
            "message_url",
            Kind::Url,
            "where messages go, and all that has no address of its own",
        ),
        SettingSpec::optional("handover_url", Kind::Url, "where handovers go (message_url)"),
        SettingSpec::optional(
            "handover_body",
            Kind::Text,
            "a handover's JSON body with variables such as $chatId (an event like any other)",
        ),
        SettingSpec::optional(
            "events_url",
            Kind::Url,
            "where receipts, typing, hand-backs and closes go (message_url)",
        ),
        SettingSpec::optional(
            "auth",
            Kind::Word(&["signature", "bearer", "api_key"]),
            "how each side proves itself to the other (signature)",
        ),
        SettingSpec::optional(
            "api_key_header",
            Kind::Text,
            "the header of the API key (x-api-key)",
        ),
        SettingSpec::optional(
            OPERATIONS,
            Kind::Truth,
            "an observer is told of breakers, and of deliveries that are parked or fail (false)",
        ),
    ],
    secrets: &[
        SecretSpec::optional(SIGNING, checks::signing, "what signs both ways"),
        SecretSpec::optional(BEARER, checks::header_value, "the token of Authorization: Bearer"),
        SecretSpec::optional(API_KEY, checks::header_value, "the key in the API key's header"),
    ],
    retry_unknown: None,
    check,
};

fn check(checked: &Checked<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |name: &str| checked.settings.get(name).and_then(Value::as_str);
    let needed = match text("auth") {
        Some("bearer") => BEARER,
        Some("api_key") => API_KEY,
        _ => SIGNING,
    };
    if !checked.secrets.contains(&needed) {
        problems.push(format!("it needs the secret {needed}: add it under secrets"));
    }
    if let Some(Err(why)) = text("handover_body").map(check_template) {
        problems.push(format!("handover_body: {why}"));
    }
    let header = text("api_key_header");
    if header.is_some_and(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
        problems.push("api_key_header is not the name of a header".into());
    }
    problems
}
