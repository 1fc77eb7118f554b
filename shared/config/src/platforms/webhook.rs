//! The settings and secrets of signed webhooks.

use serde_json::Value;
use trunkline_core::model::{Platform, Role};
use trunkline_webhook::{API_KEY, BEARER, SIGNING, check_template};

use super::checks;
use crate::apply::OPERATIONS;
use crate::file::{AddressSpec, CheckInput, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Webhook,
    name: "Signed webhooks",
    docs: "docs/webhook.md",
    addresses: &[AddressSpec {
        purpose: "Events",
        field: "URL to post events to",
        path: "",
        roles: &[Role::Channel, Role::Bot, Role::Desk],
    }],
    roles: &[Role::Channel, Role::Bot, Role::Desk, Role::Observer],
    settings: &[
        SettingSpec::required(
            "message_url",
            Kind::Url,
            "URL that receives messages, and all events without a URL of their own",
        ),
        SettingSpec::optional(
            "handover_url",
            Kind::Url,
            "URL that receives handovers (message_url)",
        ),
        SettingSpec::optional(
            "handover_body",
            Kind::Text,
            "JSON template of a handover with variables such as $chatId (a standard event)",
        ),
        SettingSpec::optional(
            "events_url",
            Kind::Url,
            "URL that receives receipts, typing, hand-backs and closes (message_url)",
        ),
        SettingSpec::optional(
            "auth",
            Kind::Enum(&["signature", "bearer", "api_key"]),
            "how both sides authenticate (signature)",
        ),
        SettingSpec::optional(
            "api_key_header",
            Kind::Text,
            "header that carries the API key (x-api-key)",
        ),
        SettingSpec::optional(
            OPERATIONS,
            Kind::Boolean,
            "observer: whether it receives operations alerts: breakers, parked and failed deliveries (false)",
        ),
    ],
    secrets: &[
        SecretSpec::optional(
            SIGNING,
            checks::signing_secret,
            "secret that signs calls in both directions",
        ),
        SecretSpec::optional(BEARER, checks::header_value, "token of Authorization: Bearer"),
        SecretSpec::optional(API_KEY, checks::header_value, "API key"),
    ],
    retry_unknown: None,
    check,
};

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |name: &str| input.settings.get(name).and_then(Value::as_str);
    let needed = match text("auth") {
        Some("bearer") => BEARER,
        Some("api_key") => API_KEY,
        _ => SIGNING,
    };
    if !input.secrets.contains(&needed) {
        problems.push(format!("it needs the secret {needed}: add it under secrets"));
    }
    if let Some(Err(why)) = text("handover_body").map(check_template) {
        problems.push(format!("handover_body: {why}"));
    }
    let header = text("api_key_header");
    if header.is_some_and(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
        problems.push("api_key_header is not a valid header name".into());
    }
    problems
}
