//! What ServisBOT is: roles, capabilities, addresses, secrets, and the checks of a connection.

use http::HeaderName;
use trunkline_core::model::{Behaviour, Capabilities, Feature, PlatformId, Role};
use trunkline_core::platform::{
    AddressSpec, CheckInput, Platform, PlatformSettings, PlatformSpec, SecretSpec,
};
use trunkline_runtime::security::secret_checks::header_value;

use crate::jwks::KeyCache;
use crate::settings::{
    API_KEY, Auth, ENGAGEMENT_SECRET, JWT_SECRET, JoinBy, ReplySource, Settings,
};

/// The maximum length of `organization`, in characters: that of the chat history server's table (SL).
const MAX_ORGANIZATION: usize = 60;

/// The ServisBOT platform, with its cache of public keys.
#[derive(Debug, Default)]
pub struct Servisbot {
    pub(crate) keys: KeyCache,
}

impl Platform for Servisbot {
    type Settings = Settings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("servisbot"),
        name: "ServisBOT",
        roles: &[Role::Bot, Role::Observer],
        // The vendor documents no limit of a text.
        capabilities: Capabilities::TEXT_ONLY,
        optional_features: &[
            (Feature::Choices, &[Role::Observer]),
            (Feature::Media, &[Role::Observer]),
        ],
        behaviour: Behaviour { orders_by_timestamp: true, ..Behaviour::NONE },
        addresses: &[
            AddressSpec {
                purpose: "Egress",
                field: "EngagementConfig.Url",
                path: "/egress",
                roles: &[Role::Bot],
            },
            AddressSpec {
                purpose: "Events",
                field: "Remote Conversation Eventing: URL",
                path: "",
                roles: &[Role::Bot],
            },
        ],
        settings: Settings::SPECS,
        secrets: &[
            SecretSpec::optional(
                ENGAGEMENT_SECRET,
                header_value,
                "bot: secret of its endpoint, a Bearer token in both directions",
            ),
            SecretSpec::optional(API_KEY, header_value, "API key of event calls"),
            SecretSpec::optional(JWT_SECRET, header_value, "key that signs event tokens (HS256)"),
        ],
        alerts_setting: None,
        // The endpoint does not deduplicate, so a retry could make the bot answer twice.
        retry_unknown: Some(1),
        check,
    };
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let settings = input.typed_settings::<Settings>();
    let (is_bot, is_observer) =
        (settings.engagement_url.is_some(), settings.eventing_url.is_some());
    let has_eventing_replies = settings.replies == ReplySource::Eventing;
    let event_secret = match settings.auth {
        Auth::ApiKey => Some(API_KEY),
        Auth::JwtSecret => Some(JWT_SECRET),
        Auth::Jwks => None,
    };
    let needed = is_bot.then_some(ENGAGEMENT_SECRET).into_iter();
    let needed = needed.chain(event_secret.filter(|_| is_observer || has_eventing_replies));
    let mut problems: Vec<String> = needed
        .filter(|secret| !input.has_secret(secret))
        .map(|secret| format!("it needs the secret {secret}: add it under secrets"))
        .collect();
    let mut require = |is_met: bool, problem: &str| {
        if !is_met {
            problems.push(problem.to_owned());
        }
    };
    require(
        settings.join != JoinBy::Text || has_eventing_replies,
        "join: text requires replies: eventing",
    );
    require(is_bot || is_observer, "it needs engagement_url (bot) or eventing_url (observer)");
    require(
        !(is_bot && is_observer),
        "engagement_url is for a bot and eventing_url for an observer: make two connections",
    );
    let is_jwks = settings.auth == Auth::Jwks;
    require(
        !(is_jwks && is_observer),
        "auth: jwks is for incoming events only: use api_key or jwt_secret",
    );
    require(!is_jwks || is_observer || settings.jwks_url.is_some(), "auth: jwks needs jwks_url");
    require(
        HeaderName::from_bytes(settings.auth_header.as_bytes()).is_ok(),
        "auth_header is not a valid header name",
    );
    require(
        settings.organization.chars().count() <= MAX_ORGANIZATION,
        "organization has more than 60 characters",
    );
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problems(settings: &Value, secrets: &[&str]) -> Vec<String> {
        let settings = settings.as_object().unwrap();
        Settings::parse(settings).unwrap();
        check(&CheckInput { settings, secrets })
    }

    #[test]
    fn requires_matching_settings_and_secrets() {
        let url = "https://engagement.eu-1.servisbot.com/picard/v1/engage/acme";
        let bot = json!({"engagement_url": url});
        assert_eq!(problems(&bot, &[ENGAGEMENT_SECRET]), [""; 0]);
        assert_eq!(problems(&bot, &[]).len(), 1);
        let eventing = json!({"engagement_url": url, "replies": "eventing", "auth": "jwks"});
        assert_eq!(problems(&eventing, &[ENGAGEMENT_SECRET]), ["auth: jwks needs jwks_url"]);
        let observer = json!({"eventing_url": "https://archive.example.com/v1/persist"});
        assert_eq!(problems(&observer, &[API_KEY]), [""; 0]);
        let token = json!({"eventing_url": "https://archive.example.com", "auth": "jwt_secret"});
        assert_eq!(problems(&token, &[API_KEY]).len(), 1);
        let keys = json!({"eventing_url": "https://archive.example.com", "auth": "jwks"});
        assert_eq!(problems(&keys, &[]).len(), 1);
        assert_eq!(problems(&json!({}), &[]).len(), 1);
        let both = json!({"engagement_url": url, "eventing_url": url});
        assert_eq!(problems(&both, &[ENGAGEMENT_SECRET, API_KEY]).len(), 1);
    }

    #[test]
    fn rejects_inconsistent_settings() {
        for (name, value) in [
            ("join", "text".to_owned()),
            ("auth_header", "a b".to_owned()),
            ("organization", "x".repeat(MAX_ORGANIZATION + 1)),
        ] {
            let mut settings = json!({"engagement_url": "https://sb.example.com"});
            settings[name] = json!(value);
            assert_eq!(problems(&settings, &[ENGAGEMENT_SECRET]).len(), 1, "{name}: {value}");
        }
    }

    #[test]
    fn a_repeat_window_is_a_number_of_seconds_up_to_an_hour() {
        let window = |value: Value| {
            let settings = json!({"repeat_window": value});
            Settings::parse(settings.as_object().unwrap()).map(|parsed| parsed.repeat_window.0)
        };
        assert_eq!((window(json!("60")), window(json!(3_600))), (Ok(60), Ok(3_600)));
        for wrong in [json!("a while"), json!("3601"), json!(-1)] {
            assert_eq!(window(wrong.clone()).unwrap_err().field, "repeat_window", "{wrong}");
        }
    }
}
