//! What TWIN is: roles, capabilities, addresses, secrets.

use std::sync::Arc;

use trunkline_core::model::{Behaviour, Capabilities, PlatformId, Role};
use trunkline_core::platform::{
    AddressSpec, CheckInput, Platform, PlatformSettings, PlatformSpec, SecretSpec,
};
use trunkline_runtime::security::secret_checks::{callable_url, not_empty};

use crate::login::Tokens;
use crate::settings::{Answers, CALLBACK_URL, EMAIL, Follow, Mode, PASSWORD, Settings};

/// The platform, with this process's login tokens.
#[derive(Debug, Clone, Default)]
pub struct Twin {
    pub(crate) tokens: Arc<Tokens>,
}

impl Platform for Twin {
    type Settings = Settings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("twin"),
        name: "TWIN",
        roles: &[Role::Bot, Role::Desk],
        // The vendor documents no limit of a text.
        capabilities: Capabilities {
            media: true,
            replies: true,
            receipts: true,
            ..Capabilities::TEXT_ONLY
        },
        optional_features: &[],
        behaviour: Behaviour { assigns_conversation_ids: true, ..Behaviour::NONE },
        addresses: &[AddressSpec {
            purpose: "Callbacks",
            field: "eventCallbackUrl: the secret callback_url",
            path: "",
            roles: &[Role::Bot, Role::Desk],
        }],
        settings: Settings::SPECS,
        secrets: &[
            SecretSpec::optional(
                EMAIL,
                not_empty,
                "login for history, files, dialogs, and ending sessions",
            ),
            SecretSpec::optional(PASSWORD, not_empty, "password of the login"),
            SecretSpec::optional(
                CALLBACK_URL,
                callable_url,
                "inbound URL of this connection, which TWIN calls",
            ),
        ],
        alerts_setting: None,
        // TWIN does not deduplicate, so a retry could send the message to the bot twice.
        retry_unknown: Some(1),
        check,
    };
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let settings = input.typed_settings::<Settings>();
    let mut problems = check_ids(&settings);
    problems.extend(check_login(&settings, input));
    problems.extend(check_answers(&settings, input));
    problems
}

fn check_ids(settings: &Settings) -> Vec<String> {
    let chat_id = Some(settings.chat_id.as_str()).filter(|id| !id.is_empty());
    let bot_id = settings.bot_id.as_deref();
    let (needed, id) = match settings.mode {
        Mode::Chats => ("chat_id", chat_id),
        Mode::Dialogs => ("bot_id", bot_id),
    };
    let mut problems = Vec::new();
    if id.is_none() {
        problems.push(format!("it needs the setting {needed}"));
    }
    for (name, id) in [("chat_id", chat_id), ("bot_id", bot_id)] {
        if id.is_some_and(|id| id.is_empty() || !id.bytes().all(is_plain)) {
            problems.push(format!("{name} may contain only letters, digits and hyphens"));
        }
    }
    problems
}

fn is_plain(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'-'
}

fn check_login(settings: &Settings, input: &CheckInput<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    if input.has_secret(EMAIL) != input.has_secret(PASSWORD) {
        problems.push(format!(
            "the secrets {EMAIL} and {PASSWORD} belong together: set both or neither"
        ));
    }
    if settings.mode == Mode::Dialogs && !input.has_secret(EMAIL) {
        problems.push(format!("mode: dialogs needs the secrets {EMAIL} and {PASSWORD}"));
    }
    problems
}

fn check_answers(settings: &Settings, input: &CheckInput<'_>) -> Option<String> {
    match settings.answers() {
        Answers::Response if settings.follow == Some(Follow::Messages) => Some(
            "follow: messages does not work with answers: response: omit follow, or set answers to callback or socket"
                .into(),
        ),
        Answers::Callback if !input.has_secret(CALLBACK_URL) => Some(format!(
            "answers: callback needs the secret {CALLBACK_URL}: the inbound URL that `trunkline urls` prints"
        )),
        Answers::Socket if settings.mode == Mode::Dialogs => Some(
            "mode: dialogs has no sockets: set answers to response or callback".into(),
        ),
        Answers::Response | Answers::Callback | Answers::Socket => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const LOGIN: &[&str] = &[EMAIL, PASSWORD];

    fn problems(settings: &Value, secrets: &[&str]) -> Vec<String> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        check(&CheckInput { settings, secrets })
    }

    #[test]
    fn consistent_settings_have_no_problem() {
        for (settings, secrets) in [
            (json!({"chat_id": "4ee0"}), &[][..]),
            (json!({"chat_id": "4ee0", "follow": "messages"}), &[]),
            (json!({"chat_id": "4ee0", "answers": "response"}), &[]),
            (json!({"chat_id": "4ee0", "answers": "callback"}), &[CALLBACK_URL]),
            (json!({"chat_id": "4ee0", "answers": "socket", "follow": "messages"}), LOGIN),
            (json!({"mode": "dialogs", "bot_id": "c11c"}), LOGIN),
        ] {
            assert_eq!(problems(&settings, secrets), Vec::<String>::new(), "{settings}");
        }
    }

    #[test]
    fn every_inconsistency_is_named() {
        for (settings, secrets, problem) in [
            (json!({}), &[][..], "it needs the setting chat_id"),
            (json!({"mode": "dialogs", "chat_id": "1"}), LOGIN, "it needs the setting bot_id"),
            (json!({"chat_id": "../1"}), &[], "chat_id may contain only"),
            (json!({"chat_id": "1", "bot_id": ""}), &[], "bot_id may contain only"),
            (json!({"chat_id": "1"}), &[EMAIL], "belong together"),
            (json!({"mode": "dialogs", "bot_id": "1"}), &[], "mode: dialogs needs the secrets"),
            (
                json!({"mode": "dialogs", "bot_id": "1", "answers": "socket"}),
                LOGIN,
                "mode: dialogs has no sockets",
            ),
            (json!({"chat_id": "1", "answers": "callback"}), &[], "needs the secret callback_url"),
            (
                json!({"chat_id": "1", "answers": "response", "follow": "messages"}),
                &[],
                "follow: messages does not work",
            ),
        ] {
            let found = problems(&settings, secrets);
            assert_eq!(found.len(), 1, "{settings}: {found:?}");
            assert!(found[0].contains(problem), "{settings}: {found:?}");
        }
    }
}
