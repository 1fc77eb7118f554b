//! What Unblu is: role, capabilities, addresses, secrets, and the checks of a connection.

use trunkline_core::model::{Behaviour, Capabilities, ConnectionId, PlatformId, Role};
use trunkline_core::platform::{
    AddressSpec, CheckInput, Platform, PlatformSettings, PlatformSpec, SecretSpec,
};
use trunkline_runtime::security::secret_checks::{header_value, not_empty};

use crate::settings::{ApiVersion, MEDIA_HEADER, PASSWORD, Settings, USERNAME, WEBHOOK_SECRET};

/// The platform. It has no state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unblu;

impl Platform for Unblu {
    type Settings = Settings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("unblu"),
        name: "Unblu",
        roles: &[Role::Desk],
        // The vendor documents no limit of a text.
        capabilities: Capabilities {
            markup: true,
            media: true,
            replies: true,
            receipts: true,
            ..Capabilities::TEXT_ONLY
        },
        optional_features: &[],
        behaviour: Behaviour {
            assigns_conversation_ids: true,
            keeps_registration: true,
            awaits_sent_receipts: true,
            ..Behaviour::NONE
        },
        addresses: &[AddressSpec {
            purpose: "Events",
            field: "webhookEndpoint",
            path: "",
            roles: &[Role::Desk],
        }],
        settings: Settings::SPECS,
        secrets: &[
            SecretSpec::required(
                USERNAME,
                check_user_name,
                "user name of an account with the role ADMIN",
            ),
            SecretSpec::required(PASSWORD, not_empty, "password of that account"),
            SecretSpec::required(
                WEBHOOK_SECRET,
                not_empty,
                "webhook secret of the channel, which signs calls in both directions",
            ),
            SecretSpec::optional(
                MEDIA_HEADER,
                header_value,
                "header for fetching customers' files, such as media_header:authorization",
            ),
        ],
        alerts_setting: None,
        // Unblu does not document deduplication by sourceId, so a retry could show the message twice.
        retry_unknown: Some(1),
        check,
    };
}

fn check_user_name(value: &str, local: bool) -> Result<(), String> {
    // HTTP Basic authentication separates name and password by a colon.
    if value.contains(':') {
        Err("must not contain a colon".into())
    } else {
        not_empty(value, local)
    }
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let settings = input.typed_settings::<Settings>();
    let mut problems = Vec::new();
    let version = settings.api_version.word();
    let other = match settings.api_version {
        ApiVersion::V4 => "/v3",
        ApiVersion::V3 => "/v4",
    };
    if settings.base_url.trim_end_matches('/').ends_with(other) {
        problems.push(format!("base_url ends with {other}, but api_version is {version}"));
    }
    if settings.recipient_type.is_some() != settings.recipient_id.is_some() {
        problems
            .push("recipient_type and recipient_id belong together: set both or neither".into());
    }
    if let Some(Err(why)) = settings.contact_channel.as_deref().map(str::parse::<ConnectionId>) {
        problems.push(format!("contact_channel: {why}"));
    }
    let has_media_header = input.secrets.iter().any(|name| name.starts_with(MEDIA_HEADER));
    if has_media_header && settings.media_hosts.is_empty() {
        problems.push("media_header: secrets have no effect without hosts: set media_hosts".into());
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn rejects_user_names_with_a_colon() {
        assert!(check_user_name("hub", false).is_ok());
        assert!(check_user_name("a:b", false).is_err() && check_user_name(" ", false).is_err());
    }

    fn problems(change: &Value, secrets: &[&str]) -> usize {
        let mut settings =
            json!({"base_url": "https://unblu.cloud/app/rest/v4", "channel_id": "c"});
        settings.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let settings = settings.as_object().unwrap();
        Settings::parse(settings).unwrap();
        check(&CheckInput { settings, secrets }).len()
    }

    #[test]
    fn rejects_inconsistent_settings() {
        assert_eq!(problems(&json!({}), &[]), 0);
        assert_eq!(problems(&json!({"recipient_type": "TEAM", "recipient_id": "x"}), &[]), 0);
        for wrong in [
            json!({"api_version": "v3"}),
            json!({"base_url": "https://unblu.cloud/app/rest/v3/"}),
            json!({"recipient_type": "TEAM"}),
            json!({"recipient_id": "x"}),
            json!({"contact_channel": "No Name"}),
        ] {
            assert_eq!(problems(&wrong, &[]), 1, "{wrong}");
        }
        assert_eq!(problems(&json!({}), &["media_header:authorization"]), 1);
        let trusted = json!({"media_hosts": "m.example"});
        assert_eq!(problems(&trusted, &["media_header:authorization"]), 0);
    }
}
