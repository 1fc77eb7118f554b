//! What can be set for Unblu.

use serde_json::Value;
use trunkline_shared::model::{ConnectionId, Platform, Role};
use trunkline_unblu::{MEDIA_HEADER, PASSWORD, USERNAME, WEBHOOK_SECRET, number};

use super::checks;
use crate::config::{AddressSpec, Checked, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Unblu,
    name: "Unblu",
    docs: "docs/platforms/unblu.md",
    addresses: &[AddressSpec {
        what: "Events",
        field: "webhookEndpoint",
        path: "",
        roles: &[Role::Desk],
    }],
    roles: &[Role::Desk],
    settings: &[
        SettingSpec::required(
            "base_url",
            Kind::Url,
            "the web API's address, such as https://unblu.cloud/app/rest/v4",
        ),
        SettingSpec::required(
            "channel_id",
            Kind::Text,
            "the id of the custom external messenger channel",
        ),
        SettingSpec::optional(
            "api_version",
            Kind::Word(&["v3", "v4"]),
            "the web API's version (v4)",
        ),
        SettingSpec::optional(
            "recipient_type",
            Kind::Word(&["NAMED_AREA", "TEAM", "AGENT", "ACCOUNT"]),
            "what kind of recipient new conversations have (Unblu decides)",
        ),
        SettingSpec::optional("recipient_id", Kind::Text, "which one"),
        SettingSpec::optional(
            "locale",
            Kind::Text,
            "the language of new conversations (the customer's)",
        ),
        SettingSpec::optional(
            "initial_engagement_type",
            Kind::Text,
            "what kind of conversation is opened (CHAT_REQUEST)",
        ),
        SettingSpec::optional(
            "visibility",
            Kind::Text,
            "their conversationVisibility (Unblu decides)",
        ),
        SettingSpec::optional("topic", Kind::Text, "the topic of new conversations (none)"),
        SettingSpec::optional(
            "end_reason",
            Kind::Text,
            "why a conversation is ended that is taken back (EXTERNAL_CHANNEL_CLOSED)",
        ),
        SettingSpec::optional(
            "max_file_bytes",
            Kind::Text,
            "the largest file that is sent as one; larger ones go as links (5242880; at most 16777216)",
        ),
        SettingSpec::optional(
            "media_hosts",
            Kind::Text,
            "the hosts that get the media_header: secrets (none)",
        ),
        SettingSpec::optional(
            "message_states",
            Kind::Truth,
            "tell what became of agents' messages: the channel's messageStateHandledExternally (true)",
        ),
        SettingSpec::optional(
            "fail_state",
            Kind::Word(&["TERMINAL", "RETRYABLE"]),
            "how a message is marked that the customer's channel failed to deliver (TERMINAL)",
        ),
        SettingSpec::optional(
            "system_messages",
            Kind::Truth,
            "pass on messages of the type SYSTEM (false)",
        ),
        SettingSpec::optional(
            "handover_title",
            Kind::Text,
            "the first line of a handover (Handed over by the assistant)",
        ),
        SettingSpec::optional(
            "contact_channel",
            Kind::Text,
            "the channel connection of contacts that agents create by a bare identifier (none)",
        ),
    ],
    secrets: &[
        SecretSpec::required(
            USERNAME,
            user_name,
            "the user name of an account with the role ADMIN",
        ),
        SecretSpec::required(PASSWORD, there, "its password"),
        SecretSpec::required(
            WEBHOOK_SECRET,
            there,
            "the channel's webhook secret, which signs both ways",
        ),
        SecretSpec::optional(
            MEDIA_HEADER,
            checks::header_value,
            "a header to fetch customers' files with, such as media_header:authorization",
        ),
    ],
    // Nothing says that a repeated sourceId is known again, so an agent would read it twice.
    retry_unknown: Some(1),
    check,
};

fn there(value: &str, _: bool) -> Result<(), String> {
    if value.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}

fn user_name(value: &str, local: bool) -> Result<(), String> {
    // HTTP Basic ends the name there.
    if value.contains(':') { Err("cannot hold a colon".into()) } else { there(value, local) }
}

fn check(checked: &Checked<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |name: &str| checked.settings.get(name).and_then(Value::as_str);
    let version = text("api_version").unwrap_or("v4");
    let base = text("base_url").unwrap_or_default().trim_end_matches('/');
    let other = if version == "v4" { "/v3" } else { "/v4" };
    if base.ends_with(other) {
        problems.push(format!("base_url ends with {other}, but api_version is {version}"));
    }
    if text("recipient_type").is_some() != text("recipient_id").is_some() {
        problems
            .push("recipient_type and recipient_id belong together: set both or neither".into());
    }
    let bytes = checked.settings.get("max_file_bytes").filter(|value| !value.is_null());
    if bytes.is_some_and(|value| number(value).is_none()) {
        problems.push("max_file_bytes must be a number of bytes".into());
    }
    if let Some(Err(why)) = text("contact_channel").map(str::parse::<ConnectionId>) {
        problems.push(format!("contact_channel: {why}"));
    }
    if checked.secrets.iter().any(|name| name.starts_with(MEDIA_HEADER))
        && text("media_hosts").is_none()
    {
        problems.push("media_header: secrets are sent nowhere: set media_hosts".into());
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::examples::example;

    #[test]
    fn the_example_is_good() {
        let desired = example(include_str!("../../../examples/unblu.yaml"));
        let advisers = &desired.connections.iter().find(|c| c.connection.id.as_str() == "advisers");
        let advisers = &advisers.unwrap().connection;
        assert_eq!((advisers.platform, advisers.role), (Platform::Unblu, Role::Desk));
        let settings = trunkline_unblu::Settings::read(&advisers.settings).unwrap();
        assert_eq!(settings.contact_channel.as_deref(), Some("app"));
        assert_eq!(desired.routes.len(), 1);
    }

    #[test]
    fn every_setting_is_one_that_unblu_knows() {
        let example = |kind| match kind {
            Kind::Truth => json!(true),
            Kind::Word(words) => json!(words[0]),
            Kind::Text | Kind::Url => json!("7"),
        };
        let all =
            SPEC.settings.iter().map(|setting| (setting.name.to_owned(), example(setting.kind)));
        let defaults = format!("{:?}", trunkline_unblu::Settings::default());
        for (name, value) in all {
            assert!(defaults.contains(&format!("{name}: ")), "{name}");
            let one = [(name.clone(), value)].into_iter().collect();
            assert!(trunkline_unblu::Settings::read(&one).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_user_name_holds_no_colon() {
        assert!(user_name("hub", false).is_ok());
        assert!(user_name("a:b", false).is_err() && user_name(" ", false).is_err());
    }

    fn problems(settings: &Value, secrets: &[&str]) -> usize {
        check(&Checked { settings: settings.as_object().unwrap(), secrets }).len()
    }

    #[test]
    fn settings_must_fit_together() {
        let v4 = "https://unblu.cloud/app/rest/v4";
        assert_eq!(problems(&json!({"base_url": v4}), &[]), 0);
        for wrong in [
            json!({"base_url": v4, "api_version": "v3"}),
            json!({"base_url": "https://unblu.cloud/app/rest/v3/"}),
            json!({"recipient_type": "TEAM"}),
            json!({"recipient_id": "x"}),
            json!({"max_file_bytes": "64 KB"}),
            json!({"contact_channel": "No Name"}),
        ] {
            assert_eq!(problems(&wrong, &[]), 1, "{wrong}");
        }
        assert_eq!(problems(&json!({}), &["media_header:authorization"]), 1);
        let trusted = json!({"media_hosts": "m.example"});
        assert_eq!(problems(&trusted, &["media_header:authorization"]), 0);
    }
}
