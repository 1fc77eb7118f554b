//! What can be set for TWIN.

use serde_json::Value;
use trunkline_shared::model::{Platform, Role};
use trunkline_twin::{CALLBACK_URL, EMAIL, PASSWORD, read_ttl};

use super::checks;
use crate::config::{AddressSpec, Checked, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Twin,
    name: "TWIN",
    docs: "docs/platforms/twin.md",
    addresses: &[AddressSpec {
        what: "Callbacks",
        field: "eventCallbackUrl: the secret callback_url",
        path: "",
        roles: &[Role::Bot, Role::Desk],
    }],
    roles: &[Role::Bot, Role::Desk],
    settings: &[
        SettingSpec::optional(
            "mode",
            Kind::Word(&["chats", "dialogs"]),
            "chats, or the bot alone (chats)",
        ),
        SettingSpec::optional(
            "answers",
            Kind::Word(&["response", "callback", "socket"]),
            "where answers are read (response)",
        ),
        SettingSpec::optional(
            "chat_id",
            Kind::Text,
            "the chat's id; needed unless mode is dialogs",
        ),
        SettingSpec::optional(
            "bot_id",
            Kind::Text,
            "the bot's id; needed if mode is dialogs (the chat's)",
        ),
        SettingSpec::optional(
            "chats_url",
            Kind::Url,
            "where sessions are started (https://tcl.twin24.ai/api/chats/v1)",
        ),
        SettingSpec::optional(
            "messages_url",
            Kind::Url,
            "where messages are posted (https://chats-api.twin24.ai/api/v1)",
        ),
        SettingSpec::optional(
            "dialogs_url",
            Kind::Url,
            "the bot's API (https://bot.twin24.ai/api/v1)",
        ),
        SettingSpec::optional(
            "iam_url",
            Kind::Url,
            "where one logs in (https://iam.twin24.ai/api/v1)",
        ),
        SettingSpec::optional("files_url", Kind::Url, "where files are put (files below iam_url)"),
        SettingSpec::optional(
            "socket_url",
            Kind::Url,
            "the origin of the sockets (https://tcl.twin24.ai)",
        ),
        SettingSpec::optional(
            "session_ttl",
            Kind::Text,
            "for how many seconds a session lasts, at most 43200 (3600)",
        ),
        SettingSpec::optional(
            "session_expiry",
            Kind::Word(&["fixed", "sliding"]),
            "whether what is said prolongs a session (fixed)",
        ),
        SettingSpec::optional(
            "start",
            Kind::Word(&["new", "continue"]),
            "a new session, or the customer's last (new)",
        ),
        SettingSpec::optional(
            "follow",
            Kind::Word(&["messages", "session"]),
            "where the second and later messages go (session, if answers are in the response)",
        ),
        SettingSpec::optional(
            "messenger_type",
            Kind::Text,
            "the messenger, such as WHATSAPP (none)",
        ),
        SettingSpec::optional(
            "client_author",
            Kind::Text,
            "the authorType of what customers wrote (CLIENT)",
        ),
        SettingSpec::optional(
            "close_events",
            Kind::Text,
            "events that end the conversation, with commas between (none)",
        ),
        SettingSpec::optional(
            "close_on_stop",
            Kind::Truth,
            "take a dialog's status STOP as the conversation's end (false)",
        ),
        SettingSpec::optional("typing", Kind::Truth, "pass on that somebody is typing (false)"),
        SettingSpec::optional(
            "notify_on_events",
            Kind::Text,
            "of which events TWIN is to tell, with commas between (chatMessageCreated)",
        ),
    ],
    secrets: &[
        SecretSpec::optional(
            EMAIL,
            there,
            "who logs in: for history, files, dialogs, and to end sessions",
        ),
        SecretSpec::optional(PASSWORD, there, "that login's password"),
        SecretSpec::optional(
            CALLBACK_URL,
            checks::address,
            "this connection's own address, for TWIN to call",
        ),
    ],
    // It has no id to tell a repeat by, so the bot would hear it twice.
    retry_unknown: Some(1),
    check,
};

fn there(value: &str, _: bool) -> Result<(), String> {
    if value.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}

fn check(checked: &Checked<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |name: &str| checked.settings.get(name).and_then(Value::as_str);
    let has = |name: &str| checked.secrets.contains(&name);
    let in_dialogs = text("mode") == Some("dialogs");
    let needed = if in_dialogs { "bot_id" } else { "chat_id" };
    if !checked.settings.contains_key(needed) {
        problems.push(format!("it needs the setting {needed}"));
    }
    for name in ["chat_id", "bot_id"] {
        if text(name).is_some_and(|id| id.is_empty() || !id.bytes().all(is_plain)) {
            problems.push(format!("{name} has letters, digits and hyphens only"));
        }
    }
    if let Some(Err(why)) = text("session_ttl").map(read_ttl) {
        problems.push(format!("session_ttl {why}"));
    }
    if has(EMAIL) != has(PASSWORD) {
        problems.push(format!("the secrets {EMAIL} and {PASSWORD} belong together"));
    }
    if in_dialogs && !has(EMAIL) {
        problems.push(format!("dialogs need the secrets {EMAIL} and {PASSWORD}"));
    }
    if in_dialogs && text("answers") == Some("socket") {
        problems.push("dialogs have no sockets: set answers to response or callback".into());
    }
    if text("answers") == Some("callback") && !has(CALLBACK_URL) {
        problems.push(format!(
            "it needs the secret {CALLBACK_URL}: its address, as `trunkline urls` shows it"
        ));
    }
    if text("answers") == Some("response") && text("follow") == Some("messages") {
        problems.push(
            "follow: messages has no answers in its responses: leave follow out, or set answers"
                .into(),
        );
    }
    problems
}

fn is_plain(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'-'
}
