//! What can be set for ServisBOT.

use http::HeaderName;
use serde_json::Value;
use trunkline_servisbot::{API_KEY, ENGAGEMENT_SECRET, JWT_SECRET, Settings};
use trunkline_shared::model::{Platform, Role};

use super::checks;
use crate::config::{AddressSpec, Checked, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Servisbot,
    name: "ServisBOT",
    docs: "docs/platforms/servisbot.md",
    addresses: &[
        AddressSpec {
            what: "Egress",
            field: "EngagementConfig.Url",
            path: "/egress",
            roles: &[Role::Bot],
        },
        AddressSpec {
            what: "Events",
            field: "Remote Conversation Eventing: URL",
            path: "",
            roles: &[Role::Bot],
        },
    ],
    roles: &[Role::Bot, Role::Observer],
    settings: &[
        SettingSpec::optional(
            "engagement_url",
            Kind::Url,
            "a bot: where its endpoint takes messages",
        ),
        SettingSpec::optional(
            "replies",
            Kind::Word(&["egress", "eventing"]),
            "a bot: whose messages go on to the customer (egress)",
        ),
        SettingSpec::optional(
            "join",
            Kind::Word(&["customer_reference", "text"]),
            "a bot: how eventing is joined with a conversation where it has no customerReference; text \
             needs a bot that nobody else talks to (customer_reference)",
        ),
        SettingSpec::optional(
            "egress_auth",
            Kind::Word(&["bearer", "none"]),
            "a bot: what an egress must bring; none trusts the address alone (bearer)",
        ),
        SettingSpec::optional(
            "egress_content",
            Kind::Word(&["markdown", "messages"]),
            "a bot: which writing of an egress is read (markdown)",
        ),
        SettingSpec::optional(
            "repeat_window",
            Kind::Text,
            "a bot: for about how many seconds the same egress is a repeat (\"0\")",
        ),
        SettingSpec::optional(
            "handover_phrase",
            Kind::Text,
            "a bot: what a message of it begins with that hands over to people (none)",
        ),
        SettingSpec::optional(
            "context_updates",
            Kind::Truth,
            "a bot: tell it of hand-backs and closes by a context update, a guess (false)",
        ),
        SettingSpec::optional(
            "auth",
            Kind::Word(&["api_key", "jwt_secret", "jwks"]),
            "how eventing proves itself, in or out (api_key)",
        ),
        SettingSpec::optional(
            "auth_header",
            Kind::Text,
            "the header of eventing's proof (authorization)",
        ),
        SettingSpec::optional(
            "jwks_url",
            Kind::Url,
            "where the public keys of eventing's tokens are",
        ),
        SettingSpec::optional("issuer", Kind::Text, "the iss of eventing's tokens (any)"),
        SettingSpec::optional("audience", Kind::Text, "the aud of eventing's tokens (any)"),
        SettingSpec::optional(
            "require_expiry",
            Kind::Truth,
            "a token must say until when it is good (true)",
        ),
        SettingSpec::optional("eventing_url", Kind::Url, "an observer: where events go"),
        SettingSpec::optional(
            "organization",
            Kind::Text,
            "an observer: its events' organization (trunkline)",
        ),
    ],
    secrets: &[
        SecretSpec::optional(
            ENGAGEMENT_SECRET,
            checks::header_value,
            "a bot: the secret of its endpoint, a Bearer token both ways",
        ),
        SecretSpec::optional(API_KEY, checks::header_value, "the API key of eventing"),
        SecretSpec::optional(
            JWT_SECRET,
            checks::header_value,
            "what signs eventing's tokens (HS256)",
        ),
    ],
    // The endpoint has no id to tell a repeat by, so the bot would answer it twice.
    retry_unknown: Some(1),
    check,
};

fn check(checked: &Checked<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let settings = Settings::of(checked.settings);
    let text = |name: &str| checked.settings.get(name).and_then(Value::as_str);
    let auth = text("auth").unwrap_or("api_key");
    let has = |name: &str| checked.settings.contains_key(name);
    let (is_bot, is_observer) = (has("engagement_url"), has("eventing_url"));
    let mut needs = |secret: &str| {
        if !checked.secrets.contains(&secret) {
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
        problems.push("join: text is for replies: eventing".into());
    }
    match (is_bot, is_observer) {
        (false, false) => problems.push(
            "it needs engagement_url if it is a bot, or eventing_url if it is an observer".into(),
        ),
        (true, true) => problems.push(
            "engagement_url is a bot's and eventing_url an observer's: make two connections".into(),
        ),
        _ => {}
    }
    match (auth, is_observer, has("jwks_url")) {
        ("jwks", true, _) => {
            problems.push("auth: jwks is for events that come in: use another".into());
        }
        ("jwks", false, false) => problems.push("auth: jwks needs jwks_url".into()),
        _ => {}
    }
    if text("auth_header").is_some_and(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
        problems.push("auth_header is not the name of a header".into());
    }
    if settings.repeat_seconds().is_none() {
        let most = Settings::LONGEST_WINDOW;
        problems.push(format!("repeat_window is not a number of seconds up to {most}"));
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
    use crate::config::examples::example;

    #[test]
    fn the_example_is_good() {
        let desired = example(include_str!("../../../examples/servisbot.yaml"));
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
    fn every_setting_is_one_that_servisbot_knows() {
        let defaults = format!("{:?}", Settings::default());
        for setting in SPEC.settings {
            assert!(defaults.contains(&format!("{}: ", setting.name)), "{}", setting.name);
            let values = match setting.kind {
                Kind::Truth => vec![json!(true), json!(false)],
                Kind::Word(words) => words.iter().map(|word| json!(word)).collect(),
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
        check(&Checked { settings: &settings, secrets })
    }

    #[test]
    fn what_belongs_together_is_asked_for() {
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
    fn what_fits_no_form_is_said() {
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
