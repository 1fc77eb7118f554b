//! What CM.com TwoWay is: roles, capabilities, addresses, secrets, and the checks of a connection.

use http::HeaderName;
use trunkline_core::model::{Behaviour, Capabilities, Feature, PlatformId, Role};
use trunkline_core::platform::{
    AddressSpec, CheckInput, Platform, PlatformSettings, PlatformSpec, SecretSpec,
};
use trunkline_runtime::security::secret_checks::header_value;

use crate::events;
use crate::settings::{
    HandoverMethod, PRODUCT_TOKEN, SHARED_SECRET, Settings, account_and_adapter,
};
use crate::template::{self, CHOICE_VARIABLES, CHOICES_VARIABLES, MEDIA_VARIABLES};

/// The minimum length of a shared secret, in characters.
const MIN_SECRET_LENGTH: usize = 16;

/// The CM.com platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cm;

impl Platform for Cm {
    type Settings = Settings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("cm"),
        name: "CM.com TwoWay",
        roles: &[Role::Channel, Role::Bot, Role::Desk],
        capabilities: Capabilities {
            // The vendor documents no limit; the fact sheet proposes this one.
            max_text_chars: 4_000,
            handover: true,
            ..Capabilities::TEXT_ONLY
        },
        optional_features: &[
            (Feature::Choices, &[Role::Channel, Role::Bot, Role::Desk]),
            (Feature::Media, &[Role::Channel, Role::Bot, Role::Desk]),
        ],
        behaviour: Behaviour { assigns_conversation_ids: true, ..Behaviour::NONE },
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
        settings: Settings::SPECS,
        secrets: &[
            SecretSpec::required(
                PRODUCT_TOKEN,
                header_value,
                "product token of CM.com's Channels app",
            ),
            SecretSpec::optional(
                SHARED_SECRET,
                check_shared_secret,
                "secret that the adapter sends in a header or as ?secret=",
            ),
        ],
        alerts_setting: None,
        // CM.com does not document deduplication by message id, so a retry could show the message twice.
        retry_unknown: Some(1),
        check,
    };
}

fn check_shared_secret(value: &str, local: bool) -> Result<(), String> {
    header_value(value, local)?;
    if value.len() >= MIN_SECRET_LENGTH && value.trim() == value {
        Ok(())
    } else {
        Err(format!(
            "must have at least {MIN_SECRET_LENGTH} characters and no blanks at the start or end"
        ))
    }
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let settings = input.typed_settings::<Settings>();
    let mut problems = Vec::new();
    let has_url = !settings.send_url.is_empty();
    if has_url && account_and_adapter(&settings.send_url).is_none() && settings.account_id.is_none()
    {
        problems.push(
            "send_url does not end in /accounts/<id>/adapters/<id>: copy the Outbound URL from the \
             adapter, or set account_id, and for a bot or desk conversation_host_id"
                .into(),
        );
    }
    if HeaderName::from_bytes(settings.secret_header.as_bytes()).is_err() {
        problems.push("secret_header is not a valid header name".into());
    }
    problems.extend(missing_for_handover(&settings).map(Into::into));
    problems.extend(events::check(&settings.events).err().map(|why| format!("events: {why}")));
    let templates = [
        ("media_template", settings.media_template.as_deref(), MEDIA_VARIABLES),
        ("choices_template", settings.choices_template.as_deref(), CHOICES_VARIABLES),
        ("choice_template", Some(settings.choice_template.as_str()), CHOICE_VARIABLES),
    ];
    for (name, text, known) in templates {
        if let Some(Err(why)) = text.map(|text| template::check(text, known)) {
            problems.push(format!("{name}: {why}"));
        }
    }
    problems
}

/// Returns what the chosen way to hand over to CM.com's agents lacks.
fn missing_for_handover(settings: &Settings) -> Option<&'static str> {
    let disables_component = settings.disable_component.is_some();
    match settings.handover {
        HandoverMethod::Mutation if settings.enable_adapter.is_none() && !disables_component => {
            Some("handover: mutation needs enable_adapter, or disable_component")
        }
        HandoverMethod::Mutation
            if settings.adapter_id().is_none()
                && settings.disable_adapter.is_none()
                && !disables_component =>
        {
            Some("handover: mutation needs disable_adapter")
        }
        HandoverMethod::State if settings.state_name_id.is_none() => {
            Some("handover: state needs state_name_id")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problems(settings: Value) -> Vec<String> {
        let Value::Object(mut all) = settings else { panic!("an object") };
        all.entry("send_url").or_insert(json!("https://x.example/accounts/a/adapters/b"));
        Settings::parse(&all).unwrap();
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
            (json!({"events": "AgentJoined=joined"}), "events: 'joined' is not a meaning"),
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
