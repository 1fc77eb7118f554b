//! The settings and secrets of a TWIN connection.

use trunkline_core::platform::{BoundedNumber, WebUrl};
use trunkline_core::{setting_enum, settings};
use trunkline_runtime::security::{escape_dot_segment, percent_encode};

use crate::pairs::{ClientKeys, Pairs};

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

settings! {
    /// A connection's settings. Addresses default to the vendor's. Where its documentation leaves something
    /// open, the defaults are the fact sheet's assumptions.
    pub struct Settings {
        /// API to use: chats, or dialogs for the bot alone
        mode: Mode = Mode::Chats;
        /// how Trunkline receives answers (socket; response if mode is dialogs)
        answers: Option<Answers> = None;
        /// id of the chat; required unless mode is dialogs
        chat_id: String = String::new();
        /// id of the bot; required if mode is dialogs (the bot of the chat)
        bot_id: Option<String> = None;
        /// URL of the API that starts sessions
        chats_url: WebUrl = "https://tcl.twin24.ai/api/chats/v1".into();
        /// URL of the API that accepts messages
        messages_url: WebUrl = "https://chats-api.twin24.ai/api/v1".into();
        /// URL of the dialogs API
        dialogs_url: WebUrl = "https://bot.twin24.ai/api/v1".into();
        /// URL of the login API
        iam_url: WebUrl = "https://iam.twin24.ai/api/v1".into();
        /// URL of the file API (files below iam_url)
        files_url: Option<WebUrl> = None;
        /// origin of the socket API
        socket_url: WebUrl = "https://tcl.twin24.ai".into();
        /// lifetime of a session in seconds
        session_ttl: BoundedNumber<MIN_TTL, MAX_TTL> = BoundedNumber(3_600);
        /// whether messages extend a session
        session_expiry: Expiry = Expiry::Fixed;
        /// whether a conversation starts a new session or continues the customer's last
        start: Start = Start::New;
        /// API for the second and later messages (messages; session if answers is response)
        follow: Option<Follow> = None;
        /// messenger type of all customers, such as WHATSAPP; none: never sent (by the customer's network)
        messenger_type: Option<String> = None;
        /// messenger types of further networks, such as 'sms=SMS'; an empty type is not sent
        messenger_types: Pairs = Pairs::default();
        /// keys of the metadata or handover context that hold fields about the client; an empty key switches a field off
        client_fields: ClientKeys = ClientKeys::default();
        /// whether a session that replaces another names the client by TWIN's own id
        send_client_id: bool = true;
        /// constants for the bot's variables, such as 'source=web, plan=gold'
        client_metadata: Pairs = Pairs::default();
        /// what a selected choice is sent as
        choice_reply: ChoiceReply = ChoiceReply::Title;
        /// authorType of customers' messages
        client_author: String = "CLIENT".into();
        /// events that close the conversation, comma-separated (none)
        close_events: String = String::new();
        /// whether the dialog status STOP closes the conversation
        close_on_stop: bool = false;
        /// whether typing indicators are relayed
        typing: bool = false;
        /// events that TWIN sends to the callback, comma-separated
        notify_on_events: String = "chatMessageCreated".into();
    }
}

setting_enum! {
    /// Which of TWIN's APIs is used.
    pub enum Mode {
        /// The chat platform: bot and operators.
        Chats = "chats",
        /// The bot itself (Bot API): no operators.
        Dialogs = "dialogs",
    }
}

setting_enum! {
    /// How TWIN's answers arrive.
    pub enum Answers {
        /// On a Socket.IO connection (S3, "Подключение к сокетам").
        Socket = "socket",
        /// In the response to each message (`returnAnswerAsync: false`).
        Response = "response",
        /// In TWIN's calls to this connection's address.
        Callback = "callback",
    }
}

setting_enum! {
    /// What a selected choice is sent as. TWIN documents no answer to a button.
    pub enum ChoiceReply {
        /// The label that the customer saw.
        Title = "title",
        /// The value of the button.
        Id = "id",
    }
}

setting_enum! {
    /// When a session expires. TWIN does not document whether messages extend it.
    pub enum Expiry {
        /// `session_ttl` after its start.
        Fixed = "fixed",
        /// `session_ttl` after its last message.
        Sliding = "sliding",
    }
}

setting_enum! {
    /// How a session is started.
    pub enum Start {
        /// `POST`: a new session.
        New = "new",
        /// `PUT`: the customer's last session, or a new one.
        Continue = "continue",
    }
}

setting_enum! {
    /// How the second and later messages are sent.
    pub enum Follow {
        /// To the session's messages. The response contains no answers (S3).
        Messages = "messages",
        /// To the same address as the first, with the session's id.
        Session = "session",
    }
}

impl Settings {
    /// Returns how answers arrive.
    #[must_use]
    pub fn answers(&self) -> Answers {
        self.answers.unwrap_or(match self.mode {
            Mode::Chats => Answers::Socket,
            Mode::Dialogs => Answers::Response,
        })
    }

    /// Returns how the second and later messages are sent. Only the calls that start sessions have
    /// answers in their responses (S3, `TS`), so `answers: response` keeps using those calls.
    #[must_use]
    pub fn follow(&self) -> Follow {
        self.follow.unwrap_or(match self.answers() {
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
    percent_encode(escape_dot_segment(id))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use trunkline_core::platform::PlatformSettings;

    use super::*;

    fn of(value: &Value) -> Settings {
        Settings::parse(value.as_object().unwrap()).unwrap()
    }

    #[test]
    fn settings_default_to_the_vendors_addresses() {
        let settings = of(&json!({}));
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.files_url(), "https://iam.twin24.ai/api/v1/files");
    }

    /// Shows T1, T25.
    #[test]
    fn answers_arrive_on_sockets_and_later_messages_go_to_the_session_by_default() {
        let settings = of(&json!({}));
        assert_eq!((settings.answers(), settings.follow()), (Answers::Socket, Follow::Messages));
        let settings = of(&json!({"answers": "response"}));
        assert_eq!(settings.follow(), Follow::Session);
        let settings = of(&json!({"answers": "response", "follow": "messages"}));
        assert_eq!(settings.follow(), Follow::Messages);
        assert_eq!(of(&json!({"mode": "dialogs"})).answers(), Answers::Response);
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
    fn close_events_are_a_comma_separated_list() {
        let settings = of(&json!({"close_events": "chatSessionFinished, chatSessionDeleted"}));
        assert!(
            settings.closes_conversation("chatsessiondeleted")
                && !settings.closes_conversation("chatMessageRead")
        );
        assert!(!of(&json!({})).closes_conversation(""));
    }
}
