//! What can be set for CM.com TwoWay.

use serde_json::{Map, Value};
use trunkline_cm::{
    CHOICE, CHOICES, MEDIA, PRODUCT_TOKEN, SHARED_SECRET, check_template, place_of,
};
use trunkline_shared::model::{Platform, Role};

use super::checks;
use crate::config::{AddressSpec, Checked, Kind, PlatformSpec, SecretSpec, SettingSpec};

/// The shortest shared secret, in characters.
const SHORTEST: usize = 16;

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Cm,
    name: "CM.com TwoWay",
    docs: "docs/platforms/cm.md",
    addresses: &[
        AddressSpec {
            what: "Messages",
            field: "Message Endpoint: Url",
            path: "",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        },
        AddressSpec {
            what: "Handovers",
            field: "Hand Over Endpoint: Url",
            path: "/handover",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        },
        AddressSpec {
            what: "Events",
            field: "Event Endpoint: Url",
            path: "/event",
            roles: &[Role::Channel, Role::Bot, Role::Desk],
        },
    ],
    roles: &[Role::Channel, Role::Bot, Role::Desk],
    settings: &[
        SettingSpec::required("send_url", Kind::Url, "the adapter's Outbound URL"),
        SettingSpec::optional(
            "answer_status",
            Kind::Word(&["200", "201", "202", "204"]),
            "the status of our answers (201)",
        ),
        SettingSpec::optional(
            "secret_header",
            Kind::Text,
            "the header of shared_secret (X-Trunkline-Secret)",
        ),
        SettingSpec::optional(
            "event_secret",
            Kind::Word(&["query", "path_key"]),
            "whether event calls bring shared_secret in the query, or the address's key is enough (query)",
        ),
        SettingSpec::optional(
            "handover_means",
            Kind::Word(&["handover", "handback", "accept", "record"]),
            "what a call of the handover endpoint means (channel: handover; bot, desk: record)",
        ),
        SettingSpec::optional(
            "after_handover",
            Kind::Word(&["ours", "theirs"]),
            "a channel: whose a customer's message is that still comes after a handover to CM.com's people (ours)",
        ),
        SettingSpec::optional(
            "handover",
            Kind::Word(&["none", "mutation", "state"]),
            "a channel: how a handover to CM.com's people is brought about (none: by the ruleset)",
        ),
        SettingSpec::optional(
            "enable_adapter",
            Kind::Text,
            "the adapter that a mutation switches on",
        ),
        SettingSpec::optional(
            "disable_adapter",
            Kind::Text,
            "the adapter that it switches off (send_url's)",
        ),
        SettingSpec::optional(
            "disable_component",
            Kind::Text,
            "a component to switch off in place of that",
        ),
        SettingSpec::optional(
            "mutation_operator",
            Kind::Word(&["or", "and"]),
            "whether a link must touch either adapter of a mutation or both (or)",
        ),
        SettingSpec::optional("state_name_id", Kind::Text, "the state that a handover goes to"),
        SettingSpec::optional(
            "logical_account_id",
            Kind::Text,
            "the state API's account (the technical link's)",
        ),
        SettingSpec::optional(
            "end_session",
            Kind::Truth,
            "a close ends the session by the state API (false)",
        ),
        SettingSpec::optional(
            "control_url",
            Kind::Url,
            "the control API (api.conversational.cm.com's)",
        ),
        SettingSpec::optional("state_url", Kind::Url, "the state API (api.cm.com's)"),
        SettingSpec::optional(
            "account_id",
            Kind::Text,
            "the technical link's id (the chat's, or send_url's)",
        ),
        SettingSpec::optional(
            "conversation_host_id",
            Kind::Text,
            "a bot or desk: the chats' host (send_url's adapter)",
        ),
        SettingSpec::optional(
            "channel",
            Kind::Text,
            "a bot or desk: the chats' channel (CXWebConversations)",
        ),
        SettingSpec::optional("send_message_id", Kind::Truth, "our messages carry an id (true)"),
        SettingSpec::optional(
            "handover_text",
            Kind::Truth,
            "a desk is told a handover as a text (true)",
        ),
        SettingSpec::optional(
            "media_template",
            Kind::Text,
            "a file's message as JSON with variables (a link)",
        ),
        SettingSpec::optional(
            "choices_template",
            Kind::Text,
            "choices' message as JSON with variables (text)",
        ),
        SettingSpec::optional(
            "choice_template",
            Kind::Text,
            "one choice of it ({\"id\":…,\"title\":…})",
        ),
    ],
    secrets: &[
        SecretSpec::required(
            PRODUCT_TOKEN,
            checks::header_value,
            "the product token of CM.com's Channels app",
        ),
        SecretSpec::optional(
            SHARED_SECRET,
            shared_secret,
            "what the adapter sends along, in a header or as ?secret=",
        ),
    ],
    // Nothing says that the router tells a repeat by its id, so the customer could read it twice.
    retry_unknown: Some(1),
    check,
};

fn shared_secret(value: &str, local: bool) -> Result<(), String> {
    checks::header_value(value, local)?;
    if value.len() >= SHORTEST && value.trim() == value {
        Ok(())
    } else {
        Err(format!("must have at least {SHORTEST} characters, and no blank at either end"))
    }
}

fn check(checked: &Checked<'_>) -> Vec<String> {
    let settings = checked.settings;
    let mut problems = Vec::new();
    let place = text(settings, "send_url").and_then(place_of);
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
        problems.push("secret_header is not the name of a header".into());
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
    for (name, known) in
        [("media_template", MEDIA), ("choices_template", CHOICES), ("choice_template", CHOICE)]
    {
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
    use crate::config::examples::example;

    #[test]
    fn the_example_is_good() {
        let desired = example(include_str!("../../../examples/cm.yaml"));
        let shop = &desired.connections[0].connection;
        assert_eq!((shop.platform, shop.allow_ips.len()), (Platform::Cm, 1));
        assert!(desired.routes.len() >= 2);
    }

    fn problems(settings: Value) -> Vec<String> {
        let Value::Object(mut all) = settings else { panic!("an object") };
        all.entry("send_url").or_insert(json!("https://x.example/accounts/a/adapters/b"));
        check(&Checked { settings: &all, secrets: &[PRODUCT_TOKEN] })
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        assert_eq!(problems(json!({})), Vec::<String>::new());
        let elsewhere = "https://proxy.example/";
        for (settings, said) in [
            (json!({"send_url": elsewhere}), "send_url does not end"),
            (json!({"secret_header": "a b"}), "secret_header"),
            (json!({"handover": "mutation"}), "enable_adapter"),
            (
                json!({"handover": "mutation", "enable_adapter": "a", "send_url": elsewhere, "account_id": "b"}),
                "disable_adapter",
            ),
            (json!({"handover": "state"}), "state_name_id"),
            (json!({"media_template": "{}"}), "media_template: it has no $type"),
            (json!({"choices_template": r#"{"$type":"x","a":"$url"}"#}), "choices_template: there"),
            (json!({"choice_template": "$id"}), "choice_template: it is not"),
        ] {
            let problems = problems(settings);
            assert!(problems.len() == 1 && problems[0].contains(said), "{problems:?}");
        }
        let good = json!({"handover": "mutation", "disable_component": "CMBot", "end_session": true,
            "media_template": r#"{"$type":"image","url":"$url"}"#});
        assert_eq!(problems(good), Vec::<String>::new());
    }

    #[test]
    fn a_shared_secret_is_long_enough() {
        assert!(shared_secret("0123456789abcdef", false).is_ok());
        for bad in ["short", " 0123456789abcdef", "0123456789abcdé0"] {
            assert!(shared_secret(bad, false).is_err(), "{bad}");
        }
    }
}
