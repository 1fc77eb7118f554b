//! What Webex Connect is: roles, capabilities, addresses, secrets.

use trunkline_core::model::{Behaviour, Capabilities, PlatformId, Role};
use trunkline_core::platform::{
    AddressSpec, CheckInput, Platform, PlatformSettings, PlatformSpec, SecretSpec,
};
use trunkline_runtime::security::secret_checks::{callable_url, header_value};

use crate::settings::{ACCESS_TOKEN, HEADER_PREFIX, SEND_URL, Settings, VERIFICATION_TOKEN};

/// The Webex Connect platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Webex;

impl Platform for Webex {
    type Settings = Settings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("webex"),
        name: "Webex Connect",
        roles: &[Role::Channel],
        capabilities: Capabilities {
            // The vendor documents no limit. This is WhatsApp's, the lowest of the common channels.
            max_text_chars: 4_096,
            handover: true,
            ..Capabilities::TEXT_ONLY
        },
        optional_features: &[],
        behaviour: Behaviour::NONE,
        addresses: &[AddressSpec {
            purpose: "Events",
            field: "Webhook URL",
            path: "",
            roles: &[Role::Channel],
        }],
        settings: Settings::SPECS,
        secrets: &[
            SecretSpec::optional(
                VERIFICATION_TOKEN,
                header_value,
                "platform OTHERS: Verification Token of the integration's form",
            ),
            SecretSpec::optional(
                ACCESS_TOKEN,
                header_value,
                "platform IMI BOT: the bot's access token of the integration's form; every call must carry it",
            ),
            SecretSpec::required(
                SEND_URL,
                callable_url,
                "URL that Webex Connect generated for the integration",
            ),
            SecretSpec::optional(
                HEADER_PREFIX,
                header_value,
                "header to send with each call, such as header:key",
            ),
        ],
        alerts_setting: None,
        // Webex Connect does not deduplicate, so a retry could show the message twice.
        retry_unknown: Some(1),
        check,
    };
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let has_token = [VERIFICATION_TOKEN, ACCESS_TOKEN].iter().any(|name| input.has_secret(name));
    if has_token {
        return Vec::new();
    }
    vec![format!(
        "it needs the secret {VERIFICATION_TOKEN}: Verification Token of the integration's form, or \
         {ACCESS_TOKEN} for the platform IMI BOT"
    )]
}
