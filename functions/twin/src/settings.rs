//! What an operator sets for a TWIN connection.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use trunkline_shared::security::segment;

/// The e-mail address that logs in; needed for history, files, dialogs and the end of a session.
pub const EMAIL: &str = "email";
/// The password that belongs to it.
pub const PASSWORD: &str = "password";
/// This connection's own address, as `trunkline urls` shows it: TWIN is told to call it. Whoever has
/// it can speak as the bot, so it is kept as a secret.
pub const CALLBACK_URL: &str = "callback_url";

/// The longest time that a session may last, in seconds (S3).
pub const LONGEST_TTL: u32 = 43_200;
/// The shortest that is of any use.
pub const SHORTEST_TTL: u32 = 60;

/// A connection's settings. Addresses have the vendor's as defaults; what its documentation leaves
/// open has the fact sheet's proposals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// With what of TWIN we speak.
    pub mode: Mode,
    /// Where answers are read.
    pub answers: Answers,
    /// The chat: it tells TWIN which bot and which operators answer.
    pub chat_id: String,
    /// The bot: needed for dialogs, optional for chats.
    pub bot_id: Option<String>,
    /// Where sessions are started.
    pub chats_url: String,
    /// Where messages are posted, history is read and sessions are ended.
    pub messages_url: String,
    /// Where dialogs are held.
    pub dialogs_url: String,
    /// Where one logs in.
    pub iam_url: String,
    /// Where files are put; `files` below `iam_url`, if absent.
    pub files_url: Option<String>,
    /// The origin of the sockets.
    pub socket_url: String,
    /// For how long a session lasts, in seconds.
    #[serde(deserialize_with = "ttl")]
    pub session_ttl: u32,
    /// Whether what is said prolongs a session: TWIN does not say.
    pub session_expiry: Expiry,
    /// Whether a session is always a new one, or the customer's last is continued.
    pub start: Start,
    /// How the second and later messages are sent; by `answers`, if absent.
    pub follow: Option<Follow>,
    /// The messenger that customers use, in TWIN's words.
    pub messenger_type: Option<String>,
    /// The `authorType` of what the customer wrote.
    pub client_author: String,
    /// The names of events that end a conversation, with commas between.
    pub close_events: String,
    /// Take a dialog's status `STOP` as the end of the conversation.
    pub close_on_stop: bool,
    /// Pass on that somebody is typing.
    pub typing: bool,
    /// Of which events TWIN is to tell, with commas between.
    pub notify_on_events: String,
}

/// With what of TWIN we speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// With the chat platform: bot and operators.
    #[default]
    Chats,
    /// With the bot itself (Bot API): no operators.
    Dialogs,
}

/// Where answers are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// In the response to what was sent (`returnAnswerAsync: false`).
    #[default]
    Response,
    /// In calls to our address.
    Callback,
    /// On a Socket.IO connection.
    Socket,
}

/// How a session is started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// `POST`: a new one.
    #[default]
    New,
    /// `PUT`: the last, or a new one.
    Continue,
}

/// How the second and later messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Follow {
    /// To the session's messages. Its answer holds no answers (S3).
    Messages,
    /// To the same address as the first, with the session's id.
    Session,
}

/// When a session expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expiry {
    /// So long after it was started.
    #[default]
    Fixed,
    /// So long after what was said last.
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

    /// How the second and later messages are sent. Answers are in a response only where sessions are
    /// started (S3, `TS`), so whoever reads them there goes on there.
    #[must_use]
    pub fn follow(&self) -> Follow {
        self.follow.unwrap_or(match self.answers {
            Answers::Response => Follow::Session,
            Answers::Callback | Answers::Socket => Follow::Messages,
        })
    }

    /// Where files are put and had.
    #[must_use]
    pub fn files_url(&self) -> String {
        match &self.files_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => below(&self.iam_url, "files"),
        }
    }

    /// Whether an event of that name ends the conversation.
    #[must_use]
    pub fn is_close(&self, name: &str) -> bool {
        words(&self.close_events).any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The words of a list with commas between.
pub(crate) fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// A path below an address.
pub(crate) fn below(base: &str, path: &str) -> String {
    format!("{}/{path}", base.trim_end_matches('/'))
}

/// A far side's id as one segment of a path: nothing in it leads elsewhere.
pub(crate) fn id_segment(id: &str) -> String {
    let mut written = String::with_capacity(id.len());
    for byte in segment(id).bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

/// Reads how long a session lasts.
///
/// # Errors
/// If it is no number of seconds that TWIN takes.
pub fn read_ttl(text: &str) -> Result<u32, String> {
    let seconds = text.trim().parse().ok().filter(|s| (SHORTEST_TTL..=LONGEST_TTL).contains(s));
    seconds.ok_or_else(|| format!("must be {SHORTEST_TTL} to {LONGEST_TTL} seconds"))
}

fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    read_ttl(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Settings {
        Settings::of(value.as_object().unwrap())
    }

    #[test]
    fn nothing_set_means_the_vendors_addresses() {
        let settings = of(&json!({}));
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.files_url(), "https://iam.twin24.ai/api/v1/files");
        assert_eq!(settings.follow(), Follow::Session);
        assert_eq!(of(&json!({"answers": "socket"})).follow(), Follow::Messages);
        assert_eq!(of(&json!({"follow": "messages"})).follow(), Follow::Messages);
    }

    #[test]
    fn an_id_stays_one_segment_of_its_path() {
        assert_eq!(id_segment("6b1d-7f_5.x~"), "6b1d-7f_5.x~");
        assert_eq!(id_segment("../a?b#c/d e\r\n%2f"), "..%2Fa%3Fb%23c%2Fd%20e%0D%0A%252f");
        for dots in [".", ".."] {
            let url = format!("https://t.example/sessions/{}/messages", id_segment(dots));
            let url = url::Url::parse(&url).unwrap();
            assert_eq!(url.path_segments().unwrap().count(), 3, "{url}");
        }
    }

    #[test]
    fn a_ttl_is_a_text_or_a_number_within_what_twin_takes() {
        assert_eq!(of(&json!({"session_ttl": "43200"})).session_ttl, 43_200);
        assert_eq!(of(&json!({"session_ttl": 600})).session_ttl, 600);
        for bad in ["0", "43201", "an hour", ""] {
            assert!(read_ttl(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_closes_are_a_list() {
        let settings = of(&json!({"close_events": "chatSessionFinished, chatSessionDeleted"}));
        assert!(settings.is_close("chatsessiondeleted") && !settings.is_close("chatMessageRead"));
        assert!(!of(&json!({})).is_close(""));
    }
}
