//! The settings and secrets of Unblu.

use serde_json::Value;
use trunkline_core::model::{ConnectionId, Platform, Role};
use trunkline_unblu::{MEDIA_HEADER, PASSWORD, USERNAME, WEBHOOK_SECRET, parse_bytes};

use super::checks;
use crate::file::{AddressSpec, CheckInput, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Unblu,
    name: "Unblu",
    docs: "docs/platforms/unblu.md",
    addresses: &[AddressSpec {
        purpose: "Events",
        field: "webhookEndpoint",
        path: "",
        roles: &[Role::Desk],
    }],
    roles: &[Role::Desk],
    settings: &[
        SettingSpec::required(
            "base_url",
            Kind::Url,
            "URL of the web API, such as https://unblu.cloud/app/rest/v4",
        ),
        SettingSpec::required(
            "channel_id",
            Kind::Text,
            "id of the custom external messenger channel",
        ),
        SettingSpec::optional(
            "api_version",
            Kind::Enum(&["v3", "v4"]),
            "version of the web API (v4)",
        ),
        SettingSpec::optional(
            "recipient_type",
            Kind::Enum(&["NAMED_AREA", "TEAM", "AGENT", "ACCOUNT"]),
            "type of the recipient of new conversations (Unblu decides)",
        ),
        SettingSpec::optional(
            "recipient_id",
            Kind::Text,
            "id of the recipient of new conversations",
        ),
        SettingSpec::optional(
            "locale",
            Kind::Text,
            "language of new conversations (the customer's)",
        ),
        SettingSpec::optional(
            "initial_engagement_type",
            Kind::Text,
            "initialEngagementType of new conversations (CHAT_REQUEST)",
        ),
        SettingSpec::optional(
            "visibility",
            Kind::Text,
            "conversationVisibility of new conversations (Unblu decides)",
        ),
        SettingSpec::optional("topic", Kind::Text, "topic of new conversations (none)"),
        SettingSpec::optional(
            "end_reason",
            Kind::Text,
            "end reason of a conversation that goes back to the bot (EXTERNAL_CHANNEL_CLOSED)",
        ),
        SettingSpec::optional(
            "max_file_bytes",
            Kind::Text,
            "maximum size of an uploaded file in bytes; larger files are sent as links (5242880; at most 16777216)",
        ),
        SettingSpec::optional(
            "media_hosts",
            Kind::Text,
            "hosts that receive the media_header: secrets, comma-separated (none)",
        ),
        SettingSpec::optional(
            "message_states",
            Kind::Boolean,
            "whether delivery states of agents' messages are reported; set the channel's messageStateHandledExternally likewise (true)",
        ),
        SettingSpec::optional(
            "fail_state",
            Kind::Enum(&["TERMINAL", "RETRYABLE"]),
            "failure type of a message that the customer's channel could not deliver (TERMINAL)",
        ),
        SettingSpec::optional(
            "system_messages",
            Kind::Boolean,
            "whether messages of the type SYSTEM are relayed (false)",
        ),
        SettingSpec::optional(
            "handover_title",
            Kind::Text,
            "first line of a handover message (Handed over by the assistant)",
        ),
        SettingSpec::optional(
            "contact_channel",
            Kind::Text,
            "channel connection of contacts that agents create with a customer id only (none)",
        ),
    ],
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
            checks::header_value,
            "header for fetching customers' files, such as media_header:authorization",
        ),
    ],
    // Unblu does not document deduplication by sourceId, so a retry could show the message twice.
    retry_unknown: Some(1),
    check,
};

fn not_empty(value: &str, _: bool) -> Result<(), String> {
    if value.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
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
    let mut problems = Vec::new();
    let text = |name: &str| input.settings.get(name).and_then(Value::as_str);
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
    let bytes = input.settings.get("max_file_bytes").filter(|value| !value.is_null());
    if bytes.is_some_and(|value| parse_bytes(value).is_none()) {
        problems.push("max_file_bytes must be a number of bytes".into());
    }
    if let Some(Err(why)) = text("contact_channel").map(str::parse::<ConnectionId>) {
        problems.push(format!("contact_channel: {why}"));
    }
    if input.secrets.iter().any(|name| name.starts_with(MEDIA_HEADER))
        && text("media_hosts").is_none()
    {
        problems.push("media_header: secrets have no effect without hosts: set media_hosts".into());
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::file::examples::example;

    #[test]
    fn example_is_valid() {
        let desired = example(include_str!("../../../../examples/unblu.yaml"));
        let advisers = &desired.connections.iter().find(|c| c.connection.id.as_str() == "advisers");
        let advisers = &advisers.unwrap().connection;
        assert_eq!((advisers.platform, advisers.role), (Platform::Unblu, Role::Desk));
        let settings = trunkline_unblu::Settings::read(&advisers.settings).unwrap();
        assert_eq!(settings.contact_channel.as_deref(), Some("app"));
        assert_eq!(desired.routes.len(), 1);
    }

    #[test]
    fn every_setting_exists_in_the_function() {
        let example = |kind| match kind {
            Kind::Boolean => json!(true),
            Kind::Enum(words) => json!(words[0]),
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
    fn rejects_user_names_with_a_colon() {
        assert!(check_user_name("hub", false).is_ok());
        assert!(check_user_name("a:b", false).is_err() && check_user_name(" ", false).is_err());
    }

    fn problems(settings: &Value, secrets: &[&str]) -> usize {
        check(&CheckInput { settings: settings.as_object().unwrap(), secrets }).len()
    }

    #[test]
    fn rejects_inconsistent_settings() {
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
