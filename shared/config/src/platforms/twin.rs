//! The settings and secrets of TWIN.

use serde_json::Value;
use trunkline_core::model::{Platform, Role};
use trunkline_twin::{CALLBACK_URL, EMAIL, PASSWORD, parse_ttl};

use super::checks;
use crate::file::{AddressSpec, CheckInput, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Twin,
    name: "TWIN",
    docs: "docs/platforms/twin.md",
    addresses: &[AddressSpec {
        purpose: "Callbacks",
        field: "eventCallbackUrl: the secret callback_url",
        path: "",
        roles: &[Role::Bot, Role::Desk],
    }],
    roles: &[Role::Bot, Role::Desk],
    settings: &[
        SettingSpec::optional(
            "mode",
            Kind::Enum(&["chats", "dialogs"]),
            "API to use: chats, or dialogs for the bot alone (chats)",
        ),
        SettingSpec::optional(
            "answers",
            Kind::Enum(&["response", "callback", "socket"]),
            "how Trunkline receives answers (response)",
        ),
        SettingSpec::optional(
            "chat_id",
            Kind::Text,
            "id of the chat; required unless mode is dialogs",
        ),
        SettingSpec::optional(
            "bot_id",
            Kind::Text,
            "id of the bot; required if mode is dialogs (the bot of the chat)",
        ),
        SettingSpec::optional(
            "chats_url",
            Kind::Url,
            "URL of the API that starts sessions (https://tcl.twin24.ai/api/chats/v1)",
        ),
        SettingSpec::optional(
            "messages_url",
            Kind::Url,
            "URL of the API that accepts messages (https://chats-api.twin24.ai/api/v1)",
        ),
        SettingSpec::optional(
            "dialogs_url",
            Kind::Url,
            "URL of the dialogs API (https://bot.twin24.ai/api/v1)",
        ),
        SettingSpec::optional(
            "iam_url",
            Kind::Url,
            "URL of the login API (https://iam.twin24.ai/api/v1)",
        ),
        SettingSpec::optional("files_url", Kind::Url, "URL of the file API (files below iam_url)"),
        SettingSpec::optional(
            "socket_url",
            Kind::Url,
            "origin of the socket API (https://tcl.twin24.ai)",
        ),
        SettingSpec::optional(
            "session_ttl",
            Kind::Text,
            "lifetime of a session in seconds, at most 43200 (3600)",
        ),
        SettingSpec::optional(
            "session_expiry",
            Kind::Enum(&["fixed", "sliding"]),
            "whether messages extend a session (fixed)",
        ),
        SettingSpec::optional(
            "start",
            Kind::Enum(&["new", "continue"]),
            "whether a conversation starts a new session or continues the customer's last (new)",
        ),
        SettingSpec::optional(
            "follow",
            Kind::Enum(&["messages", "session"]),
            "API for the second and later messages (session if answers is response)",
        ),
        SettingSpec::optional(
            "messenger_type",
            Kind::Text,
            "messenger type, such as WHATSAPP (none)",
        ),
        SettingSpec::optional(
            "client_author",
            Kind::Text,
            "authorType of customers' messages (CLIENT)",
        ),
        SettingSpec::optional(
            "close_events",
            Kind::Text,
            "events that close the conversation, comma-separated (none)",
        ),
        SettingSpec::optional(
            "close_on_stop",
            Kind::Boolean,
            "whether the dialog status STOP closes the conversation (false)",
        ),
        SettingSpec::optional(
            "typing",
            Kind::Boolean,
            "whether typing indicators are relayed (false)",
        ),
        SettingSpec::optional(
            "notify_on_events",
            Kind::Text,
            "events that TWIN sends to the callback, comma-separated (chatMessageCreated)",
        ),
    ],
    secrets: &[
        SecretSpec::optional(
            EMAIL,
            not_empty,
            "login for history, files, dialogs, and ending sessions",
        ),
        SecretSpec::optional(PASSWORD, not_empty, "password of the login"),
        SecretSpec::optional(
            CALLBACK_URL,
            checks::callable_url,
            "inbound URL of this connection, which TWIN calls",
        ),
    ],
    // TWIN does not deduplicate, so a retry could send the message to the bot twice.
    retry_unknown: Some(1),
    check,
};

fn not_empty(value: &str, _: bool) -> Result<(), String> {
    if value.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}

fn check(input: &CheckInput<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |name: &str| input.settings.get(name).and_then(Value::as_str);
    let has = |name: &str| input.secrets.contains(&name);
    let in_dialogs = text("mode") == Some("dialogs");
    let needed = if in_dialogs { "bot_id" } else { "chat_id" };
    if !input.settings.contains_key(needed) {
        problems.push(format!("it needs the setting {needed}"));
    }
    for name in ["chat_id", "bot_id"] {
        if text(name).is_some_and(|id| id.is_empty() || !id.bytes().all(is_plain)) {
            problems.push(format!("{name} may contain only letters, digits and hyphens"));
        }
    }
    if let Some(Err(why)) = text("session_ttl").map(parse_ttl) {
        problems.push(format!("session_ttl {why}"));
    }
    if has(EMAIL) != has(PASSWORD) {
        problems.push(format!(
            "the secrets {EMAIL} and {PASSWORD} belong together: set both or neither"
        ));
    }
    if in_dialogs && !has(EMAIL) {
        problems.push(format!("mode: dialogs needs the secrets {EMAIL} and {PASSWORD}"));
    }
    if in_dialogs && text("answers") == Some("socket") {
        problems.push("mode: dialogs has no sockets: set answers to response or callback".into());
    }
    if text("answers") == Some("callback") && !has(CALLBACK_URL) {
        problems.push(format!(
            "answers: callback needs the secret {CALLBACK_URL}: the inbound URL that `trunkline urls` prints"
        ));
    }
    if text("answers") == Some("response") && text("follow") == Some("messages") {
        problems.push(
            "follow: messages does not work with answers: response: omit follow, or set answers to callback or socket"
                .into(),
        );
    }
    problems
}

fn is_plain(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'-'
}
