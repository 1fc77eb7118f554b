//! The mock server's state, its callbacks and its socket events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use trunkline_mock::now;

/// An accepted call.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// `start`, `continue`, `message`, `end`, `dialog`, `dialog message`, `finish`, `read` or `file`.
    pub what: &'static str,
    /// The id of the session, dialog or file.
    pub session: String,
    pub body: Value,
}

impl Accepted {
    /// Returns the client's text in the call.
    pub fn text(&self) -> String {
        let fields = ["body", "messageBody", "message"];
        let found = fields.iter().find_map(|field| self.body[*field].as_str());
        found.unwrap_or_default().to_owned()
    }
}

/// A registered callback.
#[derive(Debug, Clone)]
pub struct Callback {
    pub url: String,
    /// The callback data.
    pub data: String,
    /// The events to call back for; all if empty.
    pub events: Vec<String>,
}

/// A chat session.
#[derive(Debug)]
pub struct Session {
    /// The `clientExternalId`.
    pub client: String,
    pub started: Timestamp,
    /// The lifetime, in seconds.
    pub ttl: i64,
    /// Whether it ended before its lifetime did.
    pub has_ended: bool,
    /// Whether a call has ended it.
    pub ended: bool,
    pub callback: Option<Callback>,
    pub messages: Vec<Value>,
}

impl Session {
    /// Returns whether the session accepts messages. Our assumption: its lifetime counts from its start.
    pub fn is_open(&self) -> bool {
        let end = self.started + SignedDuration::from_secs(self.ttl);
        !self.has_ended && !self.ended && now() < end
    }
}

/// A dialog with the bot.
#[derive(Debug, Default)]
pub struct Dialog {
    pub has_ended: bool,
    pub callback: Option<Callback>,
}

/// An uploaded file.
#[derive(Debug)]
pub struct File {
    pub id: String,
    pub name: String,
    /// The MIME type of the file.
    pub kind: String,
    pub content: Vec<u8>,
}

/// The mock server's state.
#[derive(Debug, Default)]
pub struct State {
    /// The server's own origin.
    pub origin: String,
    /// The sessions, by id.
    pub sessions: HashMap<String, Session>,
    /// The sessions' ids, in the order of their start.
    pub started: Vec<String>,
    /// The dialogs, by id.
    pub dialogs: HashMap<String, Dialog>,
    pub files: Vec<File>,
    /// The valid tokens.
    pub tokens: Vec<String>,
    /// The number of logins.
    pub logins: usize,
    /// The bot's answers to the next messages.
    pub replies: VecDeque<Vec<Value>>,
    /// The statuses with which the next calls fail.
    pub refusals: VecDeque<u16>,
    /// The control address of the sockets.
    pub sockets: Option<String>,
    /// The port of this machine that receives all callbacks.
    pub callback_port: Option<u16>,
    /// Whether responses begin with a byte-order mark.
    pub byte_order_marks: bool,
    /// Whether the history is sent at once, for any `limit` and `offset`.
    pub ignores_paging: bool,
    /// The body of the history's responses, in place of the history.
    pub raw_history: Option<String>,
    /// The accepted calls.
    pub accepted: Vec<Accepted>,
    /// The rejected calls.
    pub refused: Vec<String>,
    id_count: u32,
}

impl State {
    /// Returns a new id.
    pub fn id(&mut self, kind: &str) -> String {
        self.id_count += 1;
        format!("{kind}-0000-4000-8000-{:012x}", self.id_count)
    }

    /// Adds a message to the history, with an id and a time, and returns it. Its members are those of the
    /// socket's events (`TC-ev`) and of the history (`TS`); the second as the unit of time is S3's.
    pub fn message(&mut self, session: &str, message: &Value) -> Value {
        let mut whole = json!({
            "id": self.id("0f0e0d0c"), "sessionId": session, "authorId": "b07",
            "authorType": "BOT", "authorName": "Bot", "type": "TEXT", "body": "", "answers": [],
            "actions": [], "attachments": [], "createdAt": seconds(now()), "readAt": null,
        });
        for (name, value) in message.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let session = self.sessions.get_mut(session).unwrap();
        session.messages.push(whole.clone());
        whole
    }
}

/// The mock server's state and its HTTP client.
#[derive(Debug, Clone)]
pub struct Shared {
    pub state: Arc<Mutex<State>>,
    /// The client for callbacks.
    pub http: reqwest::Client,
}

impl Shared {
    /// Adds a message to a session and notifies the listeners.
    pub async fn add_message(&self, session: &str, message: Value) -> String {
        let whole = self.state.lock().unwrap().message(session, &message);
        let id = whole["id"].as_str().unwrap().to_owned();
        self.notify(session, "chatMessageCreated", whole).await;
        id
    }

    /// Notifies the sockets (`TC-ev`: the event's name ends with `Emit`) and the callback of a session's event.
    /// Our assumption: a callback's body is `{event, data, eventCallbackData}` with the names of the operator's
    /// events (`TC-op2`); an empty list of events means all.
    pub async fn notify(&self, session: &str, event: &str, data: Value) {
        let (callback, sockets) = {
            let state = self.state.lock().unwrap();
            (state.sessions[session].callback.clone(), state.sockets.clone())
        };
        if let Some(control) = sockets {
            let body = json!({"session": session, "event": format!("{event}Emit"), "data": data});
            self.post(&format!("{control}/emit"), &body).await;
        }
        let wanted = |known: &Callback| {
            known.events.is_empty() || known.events.iter().any(|name| name == event)
        };
        if let Some(callback) = callback.filter(wanted) {
            let body = json!({"event": event, "data": data, "eventCallbackData": callback.data});
            self.post(&callback.url, &body).await;
        }
    }

    /// Makes a dialog's callback (`TC-hook`).
    pub async fn dialog_says(&self, dialog: &str, messages: Value, status: &str) {
        let callback = {
            let mut state = self.state.lock().unwrap();
            let known = state.dialogs.get_mut(dialog).unwrap();
            known.has_ended |= status == "STOP";
            known.callback.clone()
        };
        let Some(callback) = callback else { return };
        let body = json!({
            "dialogId": dialog, "botId": super::BOT, "status": status,
            "result": {"initialVariables": []}, "messages": messages, "callbackData": callback.data,
        });
        self.post(&callback.url, &body).await;
    }

    async fn post(&self, url: &str, body: &Value) {
        let callback_port = self.state.lock().unwrap().callback_port;
        let rest = url.trim_start_matches("https://").trim_start_matches("http://");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let call = match callback_port.filter(|_| !host.starts_with("127.0.0.1")) {
            Some(port) => {
                let url = format!("http://127.0.0.1:{port}/{path}");
                self.http.post(url).header("host", host)
            }
            None => self.http.post(url),
        };
        // Whether TWIN repeats callbacks is unknown (fact sheet 2.6). Our assumption: it does not.
        if let Err(error) = call.json(body).send().await {
            self.state.lock().unwrap().refused.push(format!("callback: {error}"));
        }
    }
}

/// Formats a time like `2018-10-31T11:56:07+00:00`.
pub fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
