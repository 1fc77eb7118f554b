//! What TWIN remembers, and how it speaks.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clock::now;

/// A call that was accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// `start`, `continue`, `message`, `end`, `dialog`, `dialog message`, `finish` or `file`.
    pub what: &'static str,
    /// The session's or dialog's id.
    pub session: String,
    /// The body.
    pub body: Value,
}

impl Accepted {
    /// What the client said by it.
    pub fn text(&self) -> String {
        let fields = ["body", "messageBody", "message"];
        let found = fields.iter().find_map(|field| self.body[*field].as_str());
        found.unwrap_or_default().to_owned()
    }
}

/// Whom TWIN calls back, with what, and of which events.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The address.
    pub url: String,
    /// What comes back.
    pub data: String,
    /// Of which events; all, if empty.
    pub events: Vec<String>,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    /// The client.
    pub client: String,
    /// When it began.
    pub started: Timestamp,
    /// For how long, in seconds.
    pub ttl: i64,
    /// Whether it is over whatever its time.
    pub over: bool,
    /// Whether a call ended it.
    pub ended: bool,
    /// Whom TWIN calls back.
    pub callback: Option<Callback>,
    /// What was said.
    pub messages: Vec<Value>,
}

impl Session {
    /// Whether anything can be said in it.
    pub fn is_open(&self) -> bool {
        let end = self.started + SignedDuration::from_secs(self.ttl);
        !self.over && !self.ended && now() < end
    }
}

/// A dialog.
#[derive(Debug, Default)]
pub struct Dialog {
    /// Whether it is over.
    pub over: bool,
    /// Whom TWIN calls back.
    pub callback: Option<Callback>,
}

/// A file.
#[derive(Debug)]
pub struct File {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// What TWIN remembers.
#[derive(Debug, Default)]
pub struct State {
    /// Where it is itself.
    pub origin: String,
    /// The sessions, by id.
    pub sessions: HashMap<String, Session>,
    /// Their ids in order.
    pub started: Vec<String>,
    /// The dialogs, by id.
    pub dialogs: HashMap<String, Dialog>,
    /// The files.
    pub files: Vec<File>,
    /// The tokens that are good.
    pub tokens: Vec<String>,
    /// How often somebody logged in.
    pub logins: usize,
    /// What the bot answers to the next messages.
    pub replies: VecDeque<Vec<Value>>,
    /// What the next calls are answered.
    pub refusals: VecDeque<u16>,
    /// Where the sockets are told what is said.
    pub sockets: Option<String>,
    /// By which port of this machine others are called.
    pub through: Option<u16>,
    /// What was accepted.
    pub accepted: Vec<Accepted>,
    /// What was refused.
    pub refused: Vec<String>,
    made: u32,
}

impl State {
    /// A new id.
    pub fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-0000-4000-8000-{:012x}", self.made)
    }

    /// A message as the history has it, with an id and a time.
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

/// TWIN's memory, and its way to others.
#[derive(Debug, Clone)]
pub struct Shared {
    /// What it remembers.
    pub state: Arc<Mutex<State>>,
    /// With what it calls back.
    pub http: reqwest::Client,
}

impl Shared {
    /// Somebody says something in a session; everybody who listens is told.
    pub async fn say(&self, session: &str, message: Value) -> String {
        let whole = self.state.lock().unwrap().message(session, &message);
        let id = whole["id"].as_str().unwrap().to_owned();
        self.tell(session, "chatMessageCreated", whole).await;
        id
    }

    /// Tells everybody who listens to a session.
    pub async fn tell(&self, session: &str, event: &str, data: Value) {
        let (callback, sockets) = {
            let state = self.state.lock().unwrap();
            (state.sessions[session].callback.clone(), state.sockets.clone())
        };
        if let Some(control) = sockets {
            let told = json!({"session": session, "event": format!("{event}Emit"), "data": data});
            self.post(&format!("{control}/emit"), &told).await;
        }
        let wanted = |known: &Callback| {
            known.events.is_empty() || known.events.iter().any(|name| name == event)
        };
        if let Some(callback) = callback.filter(wanted) {
            let told = json!({"event": event, "data": data, "eventCallbackData": callback.data});
            self.post(&callback.url, &told).await;
        }
    }

    /// Calls back about a dialog.
    pub async fn dialog_says(&self, dialog: &str, messages: Value, status: &str) {
        let callback = {
            let mut state = self.state.lock().unwrap();
            let known = state.dialogs.get_mut(dialog).unwrap();
            known.over |= status == "STOP";
            known.callback.clone()
        };
        let Some(callback) = callback else { return };
        let told = json!({
            "dialogId": dialog, "botId": super::BOT, "status": status,
            "result": {"initialVariables": []}, "messages": messages, "callbackData": callback.data,
        });
        self.post(&callback.url, &told).await;
    }

    async fn post(&self, url: &str, body: &Value) {
        let through = self.state.lock().unwrap().through;
        let rest = url.trim_start_matches("https://").trim_start_matches("http://");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let call = match through.filter(|_| !host.starts_with("127.0.0.1")) {
            Some(port) => {
                let url = format!("http://127.0.0.1:{port}/{path}");
                self.http.post(url).header("host", host)
            }
            None => self.http.post(url),
        };
        // What becomes of it is unknown (fact sheet 2.6): nothing is tried again.
        if let Err(error) = call.json(body).send().await {
            self.state.lock().unwrap().refused.push(format!("a call to us: {error}"));
        }
    }
}

/// `2018-10-31T11:56:07+00:00`.
pub fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
