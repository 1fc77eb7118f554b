//! What signed webhooks are: roles, capabilities, addresses, secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use trunkline_core::model::{Behaviour, Capabilities, PlatformId, Role};
use trunkline_core::platform::{
    AddressSpec, CheckInput, Platform, PlatformSettings, PlatformSpec, SecretSpec,
};
use trunkline_runtime::security::secret_checks::header_value;

use crate::settings::{API_KEY, Auth, BEARER, SIGNING, Settings};
use crate::template;

/// The webhook platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Webhook;

impl Platform for Webhook {
    type Settings = Settings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("webhook"),
        name: "Signed webhooks",
        roles: &[Role::Channel, Role::Bot, Role::Desk, Role::Observer],
        capabilities: Capabilities::ALL,
        optional_features: &[],
        behaviour: Behaviour::NONE,
        addresses: &[AddressSpec {
            purpose: "Events",
            field: "URL to post events to",
            path: "",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        }],
        settings: Settings::SPECS,
        secrets: &[
            SecretSpec::optional(
                SIGNING,
                signing_secret,
                "secret that signs calls in both directions",
            ),
            SecretSpec::optional(BEARER, header_value, "token of Authorization: Bearer"),
            SecretSpec::optional(API_KEY, header_value, "API key"),
        ],
        alerts_setting: Some("operations"),
        retry_unknown: None,
        check,
    };
}

/// Checks a Standard Webhooks secret: `whsec_` and 24 to 64 bytes in base64.
fn signing_secret(value: &str, _: bool) -> Result<(), String> {
    let bytes = value.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    match bytes {
        Some(bytes) if (24..=64).contains(&bytes.len()) => Ok(()),
        _ => Err("must be 'whsec_' and 24 to 64 bytes in base64: `trunkline secret` generates one"
            .into()),
    }
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let settings = input.typed_settings::<Settings>();
    let mut problems = Vec::new();
    let needed = match settings.auth {
        Auth::Signature => SIGNING,
        Auth::Bearer => BEARER,
        Auth::ApiKey => API_KEY,
    };
    if !input.has_secret(needed) {
        problems.push(format!("it needs the secret {needed}: add it under secrets"));
    }
    if let Some(Err(why)) = settings.handover_body.as_deref().map(template::check) {
        problems.push(format!("handover_body: {why}"));
    }
    if HeaderName::from_bytes(settings.api_key_header.as_bytes()).is_err() {
        problems.push("api_key_header is not a valid header name".into());
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problems(settings: &Value, secrets: &[&str]) -> Vec<String> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        check(&CheckInput { settings, secrets })
    }

    #[test]
    fn needs_the_secret_of_its_authentication() {
        for (auth, secret) in [("signature", SIGNING), ("bearer", BEARER), ("api_key", API_KEY)] {
            let settings = json!({"message_url": "https://bot.example", "auth": auth});
            assert_eq!(problems(&settings, &[secret]), Vec::<String>::new(), "{auth}");
            let needed = format!("it needs the secret {secret}: add it under secrets");
            assert_eq!(problems(&settings, &["other"]), [needed], "{auth}");
        }
    }

    #[test]
    fn checks_the_template_and_the_header_name() {
        let mut settings = json!({"message_url": "https://bot.example",
            "handover_body": r#"{"id":"$chatId"}"#, "api_key_header": "x-our-key"});
        assert_eq!(problems(&settings, &[SIGNING]), Vec::<String>::new());
        settings["handover_body"] = json!(r#"{"id":"$chatID"}"#);
        settings["api_key_header"] = json!("x our key");
        let found = problems(&settings, &[SIGNING]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("handover_body: unknown variable '$chatID'"), "{}", found[0]);
        assert_eq!(found[1], "api_key_header is not a valid header name");
    }

    #[test]
    fn a_signing_secret_is_24_to_64_bytes_in_base64() {
        let secret = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
        for length in [24, 64] {
            assert_eq!(signing_secret(&secret(length), false), Ok(()), "{length}");
        }
        for wrong in [secret(23), secret(65), secret(24).replace("whsec_", ""), "whsec_%".into()] {
            let why = signing_secret(&wrong, false).unwrap_err();
            assert!(!why.contains(&wrong), "the message contains the secret");
        }
    }
}
