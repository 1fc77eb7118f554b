//! The settings and secrets of CM.com TwoWay.

use serde_json::{Map, Value};
use trunkline_cm::{
    CHOICE_VARIABLES, CHOICES_VARIABLES, MEDIA_VARIABLES, PRODUCT_TOKEN, SHARED_SECRET,
    account_and_adapter, check_template,
};
use trunkline_core::model::{Platform, Role};

use super::checks;
use crate::file::{AddressSpec, CheckInput, Kind, PlatformSpec, SecretSpec, SettingSpec};

/// The minimum length of a shared secret, in characters.
const MIN_SECRET_LENGTH: usize = 16;

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Cm,
    name: "CM.com TwoWay",
    docs: "docs/platforms/cm.md",
    addresses: &[
        AddressSpec {
            purpose: "Messages",
            field: "Message Endpoint: Url",
            path: "",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        },
        AddressSpec {
            purpose: "Handovers",
            field: "Hand Over Endpoint: Url",
            path: "/handover",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        },
        AddressSpec {
            purpose: "Events",
            field: "Event Endpoint: Url",
            path: "/event",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        },
    ],
    roles: &[Role::Channel, Role::Bot, Role::Desk],
    settings: &[
        SettingSpec::required(
            "send_url",
            Kind::Url,
            "Outbound URL of the adapter, copied from CM.com",
        ),
        SettingSpec::optional(
            "response_status",
            Kind::Enum(&["200", "201", "202", "204"]),
            "HTTP status of Trunkline's responses to CM.com (201)",
        ),
        SettingSpec::optional(
            "secret_header",
            Kind::Text,
            "name of the header that carries shared_secret (X-Trunkline-Secret)",
        ),
        SettingSpec::optional(
            "event_secret",
            Kind::Enum(&["query", "path_key"]),
            "how event calls authenticate: by shared_secret in the query, or by the path key alone (query)",
        ),
        SettingSpec::optional(
            "handover_means",
            Kind::Enum(&["handover", "handback", "accept", "record"]),
            "meaning of a call to the handover endpoint (channel: handover; bot, desk: record)",
        ),
        SettingSpec::optional(
            "message_after_handover",
            Kind::Enum(&["handback", "copy"]),
            "channel: meaning of a customer's message that arrives after a handover to CM.com's agents (handback)",
        ),
        SettingSpec::optional(
            "handover",
            Kind::Enum(&["none", "mutation", "state"]),
            "channel: how a handover to CM.com's agents is triggered (none: by CM.com's ruleset)",
        ),
        SettingSpec::optional(
            "enable_adapter",
            Kind::Text,
            "handover: mutation: the adapter that it enables",
        ),
        SettingSpec::optional(
            "disable_adapter",
            Kind::Text,
            "handover: mutation: the adapter that it disables (the adapter of send_url)",
        ),
        SettingSpec::optional(
            "disable_component",
            Kind::Text,
            "handover: mutation: the component that it disables in place of an adapter",
        ),
        SettingSpec::optional(
            "mutation_operator",
            Kind::Enum(&["or", "and"]),
            "handover: mutation: whether a link must match either adapter or both (or)",
        ),
        SettingSpec::optional(
            "state_name_id",
            Kind::Text,
            "handover: state: the id of the state that a handover sets",
        ),
        SettingSpec::optional(
            "logical_account_id",
            Kind::Text,
            "account of the state API (the account of the technical link)",
        ),
        SettingSpec::optional(
            "end_session",
            Kind::Boolean,
            "whether a close ends the session through the state API (false)",
        ),
        SettingSpec::optional(
            "control_url",
            Kind::Url,
            "URL of the control API (api.conversational.cm.com)",
        ),
        SettingSpec::optional("state_url", Kind::Url, "URL of the state API (api.cm.com)"),
        SettingSpec::optional(
            "account_id",
            Kind::Text,
            "id of the technical link (from the chat, or from send_url)",
        ),
        SettingSpec::optional(
            "conversation_host_id",
            Kind::Text,
            "bot or desk: host of the chats (the adapter of send_url)",
        ),
        SettingSpec::optional(
            "channel",
            Kind::Text,
            "bot or desk: channel of the chats (CXWebConversations)",
        ),
        SettingSpec::optional(
            "send_message_id",
            Kind::Boolean,
            "whether messages to CM.com carry an id (true)",
        ),
        SettingSpec::optional(
            "handover_text",
            Kind::Boolean,
            "desk: whether it receives a handover as a text (true)",
        ),
        SettingSpec::optional(
            "media_template",
            Kind::Text,
            "JSON template of a file message (a text with a link)",
        ),
        SettingSpec::optional(
            "choices_template",
            Kind::Text,
            "JSON template of a message with choices (a text)",
        ),
        SettingSpec::optional(
            "choice_template",
            Kind::Text,
            "JSON template of one choice in choices_template ({\"id\":…,\"title\":…})",
        ),
    ],
    secrets: &[
        SecretSpec::required(
            PRODUCT_TOKEN,
            checks::header_value,
            "product token of CM.com's Channels app",
        ),
        SecretSpec::optional(
            SHARED_SECRET,
            check_shared_secret,
            "secret that the adapter sends in a header or as ?secret=",
        ),
    ],
    // CM.com does not document deduplication by message id, so a retry could show the message twice.
    retry_unknown: Some(1),
    check,
};

fn check_shared_secret(value: &str, local: bool) -> Result<(), String> {
    checks::header_value(value, local)?;
    if value.len() >= MIN_SECRET_LENGTH && value.trim() == value {
        Ok(())
    } else {
        Err(format!(
            "must have at least {MIN_SECRET_LENGTH} characters and no blanks at the start or end"
        ))
    }
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let settings = input.settings;
    let mut problems = Vec::new();
    let place = text(settings, "send_url").and_then(account_and_adapter);
    let has_url = text(settings, "send_url").is_some();
    if has_url && place.is_none() && text(settings, "account_id").is_none() {
        problems.push(
            "send_url does not end in /accounts/<id>/adapters/<id>: copy the Outbound URL from the \
             adapter, or set account_id, and for a bot or desk conversation_host_id"
                .into(),
        );
    }
    let header = text(settings, "secret_header");
    if header.is_some_and(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
        problems.push("secret_header is not a valid header name".into());
    }
    let has = |name: &str| text(settings, name).is_some();
    match text(settings, "handover") {
        Some("mutation") if !has("enable_adapter") && !has("disable_component") => {
            let what = "handover: mutation needs enable_adapter, or disable_component";
            problems.push(what.into());
        }
        Some("mutation")
            if place.is_none() && !has("disable_adapter") && !has("disable_component") =>
        {
            problems.push("handover: mutation needs disable_adapter".into());
        }
        Some("state") if !has("state_name_id") => {
            problems.push("handover: state needs state_name_id".into());
        }
        _ => {}
    }
    for (name, known) in [
        ("media_template", MEDIA_VARIABLES),
        ("choices_template", CHOICES_VARIABLES),
        ("choice_template", CHOICE_VARIABLES),
    ] {
        if let Some(Err(why)) = text(settings, name).map(|text| check_template(text, known)) {
            problems.push(format!("{name}: {why}"));
        }
    }
    problems
}

fn text<'a>(settings: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    settings.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::file::examples::example;

    #[test]
    fn example_is_valid() {
        let desired = example(include_str!("../../../../examples/cm.yaml"));
        let shop = &desired.connections[0].connection;
        assert_eq!((shop.platform, shop.allow_ips.len()), (Platform::Cm, 1));
        assert!(desired.routes.len() >= 2);
    }

    fn problems(settings: Value) -> Vec<String> {
        let Value::Object(mut all) = settings else { panic!("an object") };
        all.entry("send_url").or_insert(json!("https://x.example/accounts/a/adapters/b"));
        check(&CheckInput { settings: &all, secrets: &[PRODUCT_TOKEN] })
    }

    #[test]
    fn rejects_inconsistent_settings() {
        assert_eq!(problems(json!({})), Vec::<String>::new());
        let elsewhere = "https://proxy.example/";
        for (settings, expected) in [
            (json!({"send_url": elsewhere}), "send_url does not end"),
            (json!({"secret_header": "a b"}), "secret_header"),
            (json!({"handover": "mutation"}), "enable_adapter"),
            (
                json!({"handover": "mutation", "enable_adapter": "a", "send_url": elsewhere, "account_id": "b"}),
                "disable_adapter",
            ),
            (json!({"handover": "state"}), "state_name_id"),
            (json!({"media_template": "{}"}), "media_template: $type is missing"),
            (
                json!({"choices_template": r#"{"$type":"x","a":"$url"}"#}),
                "choices_template: unknown variable '$url'",
            ),
            (json!({"choice_template": "$id"}), "choice_template: not a JSON object"),
        ] {
            let problems = problems(settings);
            assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
        }
        let good = json!({"handover": "mutation", "disable_component": "CMBot", "end_session": true,
            "media_template": r#"{"$type":"image","url":"$url"}"#});
        assert_eq!(problems(good), Vec::<String>::new());
    }

    #[test]
    fn rejects_short_shared_secrets() {
        assert!(check_shared_secret("0123456789abcdef", false).is_ok());
        for bad in ["short", " 0123456789abcdef", "0123456789abcdé0"] {
            assert!(check_shared_secret(bad, false).is_err(), "{bad}");
        }
    }
}
