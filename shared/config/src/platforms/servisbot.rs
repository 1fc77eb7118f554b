//! The settings and secrets of ServisBOT.

use http::HeaderName;
use serde_json::Value;
use trunkline_core::model::{Platform, Role};
use trunkline_servisbot::{API_KEY, ENGAGEMENT_SECRET, JWT_SECRET, Settings};

use super::checks;
use crate::file::{AddressSpec, CheckInput, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Servisbot,
    name: "ServisBOT",
    docs: "docs/platforms/servisbot.md",
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
    roles: &[Role::Bot, Role::Observer],
    settings: &[
        SettingSpec::optional("engagement_url", Kind::Url, "bot: URL of its engagement endpoint"),
        SettingSpec::optional(
            "replies",
            Kind::Enum(&["egress", "eventing"]),
            "bot: source of the messages that the customer receives (egress)",
        ),
        SettingSpec::optional(
            "join",
            Kind::Enum(&["customer_reference", "text"]),
            "bot: how events without a customerReference are matched to a conversation; text requires a \
             bot that talks to no other system (customer_reference)",
        ),
        SettingSpec::optional(
            "egress_auth",
            Kind::Enum(&["bearer", "none"]),
            "bot: how egress calls authenticate; none relies on the path key alone (bearer)",
        ),
        SettingSpec::optional(
            "egress_content",
            Kind::Enum(&["markdown", "messages"]),
            "bot: which form of an egress message is read (markdown)",
        ),
        SettingSpec::optional(
            "repeat_window",
            Kind::Text,
            "bot: seconds within which an identical egress message is a duplicate (\"0\")",
        ),
        SettingSpec::optional(
            "handover_phrase",
            Kind::Text,
            "bot: prefix of a bot message that hands the conversation over to people (none)",
        ),
        SettingSpec::optional(
            "context_updates",
            Kind::Boolean,
            "bot: send hand-backs and closes as context updates, which ServisBOT does not document (false)",
        ),
        SettingSpec::optional(
            "auth",
            Kind::Enum(&["api_key", "jwt_secret", "jwks"]),
            "how event calls authenticate, in both directions (api_key)",
        ),
        SettingSpec::optional(
            "auth_header",
            Kind::Text,
            "header that carries the credential of event calls (authorization)",
        ),
        SettingSpec::optional(
            "jwks_url",
            Kind::Url,
            "auth: jwks: URL of the public keys of event tokens",
        ),
        SettingSpec::optional("issuer", Kind::Text, "required iss claim of event tokens (any)"),
        SettingSpec::optional("audience", Kind::Text, "required aud claim of event tokens (any)"),
        SettingSpec::optional(
            "require_expiry",
            Kind::Boolean,
            "whether event tokens must have an expiry (true)",
        ),
        SettingSpec::optional("eventing_url", Kind::Url, "observer: URL that receives events"),
        SettingSpec::optional(
            "organization",
            Kind::Text,
            "observer: organization in its events (trunkline)",
        ),
    ],
    secrets: &[
        SecretSpec::optional(
            ENGAGEMENT_SECRET,
            checks::header_value,
            "bot: secret of its endpoint, a Bearer token in both directions",
        ),
        SecretSpec::optional(API_KEY, checks::header_value, "API key of event calls"),
        SecretSpec::optional(
            JWT_SECRET,
            checks::header_value,
            "key that signs event tokens (HS256)",
        ),
    ],
    // The endpoint does not deduplicate, so a retry could make the bot answer twice.
    retry_unknown: Some(1),
    check,
};

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let settings = Settings::of(input.settings);
    let text = |name: &str| input.settings.get(name).and_then(Value::as_str);
    let auth = text("auth").unwrap_or("api_key");
    let has = |name: &str| input.settings.contains_key(name);
    let (is_bot, is_observer) = (has("engagement_url"), has("eventing_url"));
    let mut needs = |secret: &str| {
        if !input.secrets.contains(&secret) {
            problems.push(format!("it needs the secret {secret}: add it under secrets"));
        }
    };
    if is_bot {
        needs(ENGAGEMENT_SECRET);
    }
    if is_observer || text("replies") == Some("eventing") {
        match auth {
            "api_key" => needs(API_KEY),
            "jwt_secret" => needs(JWT_SECRET),
            _ => {}
        }
    }
    if text("join") == Some("text") && text("replies") != Some("eventing") {
        problems.push("join: text requires replies: eventing".into());
    }
    match (is_bot, is_observer) {
        (false, false) => {
            problems.push("it needs engagement_url (bot) or eventing_url (observer)".into());
        }
        (true, true) => problems.push(
            "engagement_url is for a bot and eventing_url for an observer: make two connections"
                .into(),
        ),
        _ => {}
    }
    match (auth, is_observer, has("jwks_url")) {
        ("jwks", true, _) => {
            problems
                .push("auth: jwks is for incoming events only: use api_key or jwt_secret".into());
        }
        ("jwks", false, false) => problems.push("auth: jwks needs jwks_url".into()),
        _ => {}
    }
    if text("auth_header").is_some_and(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
        problems.push("auth_header is not a valid header name".into());
    }
    if settings.repeat_seconds().is_none() {
        let max = Settings::MAX_REPEAT_WINDOW;
        problems.push(format!("repeat_window must be a number of seconds from 0 to {max}"));
    }
    if settings.organization.chars().count() > 60 {
        problems.push("organization has more than 60 characters".into());
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::file::examples::example;

    #[test]
    fn example_is_valid() {
        let desired = example(include_str!("../../../../examples/servisbot.yaml"));
        let role = |id: &str| {
            let found = desired.connections.iter().find(|c| c.connection.id.as_str() == id);
            let connection = &found.unwrap().connection;
            (connection.platform, connection.role)
        };
        assert_eq!(role("shop-bot"), (Platform::Servisbot, Role::Bot));
        assert_eq!(role("history"), (Platform::Servisbot, Role::Observer));
        assert_eq!(desired.routes.len(), 1);
    }

    #[test]
    fn every_setting_exists_in_the_function() {
        let defaults = format!("{:?}", Settings::default());
        for setting in SPEC.settings {
            assert!(defaults.contains(&format!("{}: ", setting.name)), "{}", setting.name);
            let values = match setting.kind {
                Kind::Boolean => vec![json!(true), json!(false)],
                Kind::Enum(words) => words.iter().map(|word| json!(word)).collect(),
                Kind::Text | Kind::Url => vec![json!("7")],
            };
            for value in values {
                let one = json!({setting.name: value});
                assert!(serde_json::from_value::<Settings>(one).is_ok(), "{}", setting.name);
            }
        }
    }

    fn problems(settings: &Value, secrets: &[&str]) -> Vec<String> {
        let settings: Map<String, Value> = settings.as_object().cloned().unwrap_or_default();
        check(&CheckInput { settings: &settings, secrets })
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
        assert_eq!(problems(&json!({}), &[]).len(), 1);
        let both = json!({"engagement_url": url, "eventing_url": url});
        assert_eq!(problems(&both, &[ENGAGEMENT_SECRET, API_KEY]).len(), 1);
    }

    #[test]
    fn rejects_malformed_settings() {
        for (name, value) in [
            ("repeat_window", "a while".to_owned()),
            ("repeat_window", "3601".to_owned()),
            ("join", "text".to_owned()),
            ("auth_header", "a b".to_owned()),
            ("organization", "x".repeat(61)),
        ] {
            let mut settings = json!({"engagement_url": "https://sb.example.com"});
            settings[name] = json!(value);
            assert_eq!(problems(&settings, &[ENGAGEMENT_SECRET]).len(), 1, "{name}: {value}");
        }
    }
}
