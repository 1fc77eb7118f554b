//! The settings and secrets of a TWIN connection.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use trunkline_runtime::security::escape_dot_segment;

/// The secret with the login's e-mail address. A login is needed for history, file uploads, dialogs and
/// ending sessions.
pub const EMAIL: &str = "email";
/// The secret with the login's password.
pub const PASSWORD: &str = "password";
/// The secret with this connection's own address, as `trunkline urls` prints it. TWIN calls it. Anyone
/// who knows it can send messages as the bot.
pub const CALLBACK_URL: &str = "callback_url";

/// The longest lifetime of a session, in seconds (S3).
pub const MAX_TTL: u32 = 43_200;
/// The shortest useful lifetime of a session, in seconds.
pub const MIN_TTL: u32 = 60;

/// A connection's settings. Addresses default to the vendor's. Where its documentation leaves something
/// open, the defaults are the fact sheet's assumptions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which of TWIN's APIs is used.
    pub mode: Mode,
    /// How TWIN's answers arrive.
    pub answers: Answers,
    /// The chat's id. The chat determines which bot and which operators answer.
    pub chat_id: String,
    /// The bot's id: required for dialogs, optional for chats.
    pub bot_id: Option<String>,
    /// The API that starts sessions.
    pub chats_url: String,
    /// The API that posts messages, reads histories and ends sessions.
    pub messages_url: String,
    /// The API for dialogs.
    pub dialogs_url: String,
    /// The API for logins.
    pub iam_url: String,
    /// The API for files; `files` below `iam_url` by default.
    pub files_url: Option<String>,
    /// The origin of the sockets, such as `https://tcl.twin24.ai`.
    pub socket_url: String,
    /// The lifetime of a session, in seconds.
    #[serde(deserialize_with = "deserialize_ttl")]
    pub session_ttl: u32,
    /// Whether messages extend a session. TWIN does not document this.
    pub session_expiry: Expiry,
    /// Whether a session is always new or continues the customer's last one.
    pub start: Start,
    /// How the second and later messages are sent; by default it depends on `answers`.
    pub follow: Option<Follow>,
    /// The customers' messenger, as TWIN names it, such as `WHATSAPP`.
    pub messenger_type: Option<String>,
    /// The `authorType` of the customer's messages.
    pub client_author: String,
    /// The names of events that end a conversation, separated by commas.
    pub close_events: String,
    /// Whether a dialog's status `STOP` ends the conversation.
    pub close_on_stop: bool,
    /// Whether typing indicators are passed on.
    pub typing: bool,
    /// The events for which TWIN calls back, separated by commas.
    pub notify_on_events: String,
}

/// Which of TWIN's APIs is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The chat platform: bot and operators.
    #[default]
    Chats,
    /// The bot itself (Bot API): no operators.
    Dialogs,
}

/// How TWIN's answers arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// In the response to each message (`returnAnswerAsync: false`).
    #[default]
    Response,
    /// In TWIN's calls to this connection's address.
    Callback,
    /// On a Socket.IO connection.
    Socket,
}

/// How a session is started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// `POST`: a new session.
    #[default]
    New,
    /// `PUT`: the customer's last session, or a new one.
    Continue,
}

/// How the second and later messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Follow {
    /// To the session's messages. The response contains no answers (S3).
    Messages,
    /// To the same address as the first, with the session's id.
    Session,
}

/// When a session expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expiry {
    /// `session_ttl` after its start.
    #[default]
    Fixed,
    /// `session_ttl` after its last message.
    Sliding,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            answers: Answers::default(),
            chat_id: String::new(),
            bot_id: None,
            chats_url: "https://tcl.twin24.ai/api/chats/v1".into(),
            messages_url: "https://chats-api.twin24.ai/api/v1".into(),
            dialogs_url: "https://bot.twin24.ai/api/v1".into(),
            iam_url: "https://iam.twin24.ai/api/v1".into(),
            files_url: None,
            socket_url: "https://tcl.twin24.ai".into(),
            session_ttl: 3_600,
            session_expiry: Expiry::default(),
            start: Start::default(),
            follow: None,
            messenger_type: None,
            client_author: "CLIENT".into(),
            close_events: String::new(),
            close_on_stop: false,
            typing: false,
            notify_on_events: "chatMessageCreated".into(),
        }
    }
}

impl Settings {
    /// As they were applied, which checked them.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

    /// Returns how the second and later messages are sent. Only the calls that start sessions have
    /// answers in their responses (S3, `TS`), so `answers: response` keeps using those calls.
    #[must_use]
    pub fn follow(&self) -> Follow {
        self.follow.unwrap_or(match self.answers {
            Answers::Response => Follow::Session,
            Answers::Callback | Answers::Socket => Follow::Messages,
        })
    }

    /// Returns the address of the files API.
    #[must_use]
    pub fn files_url(&self) -> String {
        match &self.files_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => join_url(&self.iam_url, "files"),
        }
    }

    /// Returns whether an event of that name ends the conversation.
    #[must_use]
    pub fn closes_conversation(&self, name: &str) -> bool {
        comma_separated(&self.close_events).any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Splits a comma-separated list.
pub(crate) fn comma_separated(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Joins a base address and a path.
pub(crate) fn join_url(base: &str, path: &str) -> String {
    format!("{}/{path}", base.trim_end_matches('/'))
}

/// Encodes an id from outside as a single path segment, so that it cannot lead to another address.
pub(crate) fn path_segment(id: &str) -> String {
    let mut written = String::with_capacity(id.len());
    for byte in escape_dot_segment(id).bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

/// Parses the lifetime of a session.
///
/// # Errors
/// Fails if it is not a number of seconds from [`MIN_TTL`] to [`MAX_TTL`].
pub fn parse_ttl(text: &str) -> Result<u32, String> {
    let seconds = text.trim().parse().ok().filter(|s| (MIN_TTL..=MAX_TTL).contains(s));
    seconds.ok_or_else(|| format!("must be {MIN_TTL} to {MAX_TTL} seconds"))
}

fn deserialize_ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    parse_ttl(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Settings {
        Settings::of(value.as_object().unwrap())
    }

    #[test]
    fn settings_default_to_the_vendors_addresses() {
        let settings = of(&json!({}));
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.files_url(), "https://iam.twin24.ai/api/v1/files");
        assert_eq!(settings.follow(), Follow::Session);
        assert_eq!(of(&json!({"answers": "socket"})).follow(), Follow::Messages);
        assert_eq!(of(&json!({"follow": "messages"})).follow(), Follow::Messages);
    }

    #[test]
    fn path_segments_cannot_leave_their_path() {
        assert_eq!(path_segment("6b1d-7f_5.x~"), "6b1d-7f_5.x~");
        assert_eq!(path_segment("../a?b#c/d e\r\n%2f"), "..%2Fa%3Fb%23c%2Fd%20e%0D%0A%252f");
        for dots in [".", ".."] {
            let url = format!("https://t.example/sessions/{}/messages", path_segment(dots));
            let url = url::Url::parse(&url).unwrap();
            assert_eq!(url.path_segments().unwrap().count(), 3, "{url}");
        }
    }

    #[test]
    fn accepts_a_ttl_as_string_or_number_within_limits() {
        assert_eq!(of(&json!({"session_ttl": "43200"})).session_ttl, 43_200);
        assert_eq!(of(&json!({"session_ttl": 600})).session_ttl, 600);
        for bad in ["0", "43201", "an hour", ""] {
            assert!(parse_ttl(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn close_events_are_a_comma_separated_list() {
        let settings = of(&json!({"close_events": "chatSessionFinished, chatSessionDeleted"}));
        assert!(
            settings.closes_conversation("chatsessiondeleted")
                && !settings.closes_conversation("chatMessageRead")
        );
        assert!(!of(&json!({})).closes_conversation(""));
    }
}
