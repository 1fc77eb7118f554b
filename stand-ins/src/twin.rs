//! TWIN over real HTTP, as far as the fact sheet knows it: the chat platform's sessions and messages,
//! the bot's dialogs, login and files. It refuses what the real one would, lets its bot and operators
//! speak, and calls back whoever asked for that. Its [`sockets`] are a program of their own, which is
//! told what was said.

mod chats;
mod dialogs;
mod iam;
mod rules;
pub mod sockets;
mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use state::Accepted;
use state::{Shared, State};

/// The one chat that there is.
pub const CHAT: &str = "c4a70000-0000-4000-8000-000000000001";
/// The one bot that there is.
pub const BOT: &str = "b0700000-0000-4000-8000-000000000001";
/// Who may log in.
pub const EMAIL: &str = "bot@example.com";
/// With that.
pub const PASSWORD: &str = "a password";

/// TWIN.
#[derive(Debug, Clone)]
pub struct Twin24 {
    port: u16,
    shared: Shared,
}

impl Twin24 {
    /// Starts it. It calls back with `http`.
    pub async fn start(http: reqwest::Client) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), http)
    }

    /// The same, at a port that was chosen.
    pub fn start_at(listener: TcpListener, http: reqwest::Client) -> Self {
        let port = listener.local_addr().unwrap().port();
        let shared = Shared { state: Arc::default(), http };
        shared.state.lock().unwrap().origin = format!("http://127.0.0.1:{port}");
        let router = Router::new()
            .route("/gate/chats/{chat}/sessions", post(chats::start).put(chats::go_on))
            .route("/chats/sessions/{session}/messages", post(chats::message).get(chats::history))
            .route("/chats/sessions/{session}", delete(chats::end))
            .route("/bot/dialogs", post(dialogs::start))
            .route("/bot/dialogs/{dialog}", post(dialogs::message))
            .route("/bot/dialogs/{dialog}/finish", post(dialogs::finish))
            .route("/iam/auth/login", post(iam::login))
            .route("/iam/files", post(iam::upload))
            .route("/iam/files/{file}", get(iam::download))
            .layer(DefaultBodyLimit::max(16 * 1024 * 1024))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, shared }
    }

    /// A connection's settings that lead here, with some more.
    pub fn settings(&self, more: &Value) -> Value {
        let at = |path: &str| format!("http://127.0.0.1:{}/{path}", self.port);
        let mut settings = json!({
            "chat_id": CHAT,
            "chats_url": at("gate"),
            "messages_url": at("chats"),
            "dialogs_url": at("bot"),
            "iam_url": at("iam"),
        });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        settings
    }

    /// What its bot answers to the next message of a client that nothing is prepared for yet: several
    /// messages, such as `{"body": "Hi", "answers": ["Order"]}`. Otherwise it is silent.
    pub fn will_say(&self, messages: Value) {
        let Value::Array(messages) = messages else { panic!("a list of messages") };
        self.state().replies.push_back(messages);
    }

    /// Answers the next call so, in place of doing what it asks.
    pub fn will_refuse(&self, status: u16) {
        self.state().refusals.push_back(status);
    }

    /// Tells the sockets, by their control address, what is said in sessions.
    pub fn speaks_on(&self, control: String) {
        self.state().sockets = Some(control);
    }

    /// From now on calls us back at that port of this machine, whatever name an address has: the local
    /// AWS's names need not resolve.
    pub fn calls_back_by(&self, port: u16) {
        self.state().through = Some(port);
    }

    /// An operator says something in a session. Answers with the message's id.
    pub async fn operator_says(&self, session: &str, name: &str, text: &str) -> String {
        let message = json!({"body": text, "authorType": "OPERATOR", "authorName": name,
                             "authorId": 17});
        self.shared.say(session, message).await
    }

    /// The bot says something in a session of its own accord. Answers with the message's id.
    pub async fn bot_says(&self, session: &str, message: Value) -> String {
        self.shared.say(session, message).await
    }

    /// Calls back about a dialog of its own accord, with what was given last.
    pub async fn dialog_says(&self, dialog: &str, messages: Value, status: &str) {
        self.shared.dialog_says(dialog, messages, status).await;
    }

    /// Tells of anything else that happens in a session, if the client asked for events.
    pub async fn tells(&self, session: &str, event: &str, data: Value) {
        self.shared.tell(session, event, data).await;
    }

    /// From now on a session is over.
    pub fn expire(&self, session: &str) {
        self.state().sessions.get_mut(session).unwrap().over = true;
    }

    /// From now on no token that was given is good any more.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// The ids of the sessions that were started, in order.
    pub fn sessions(&self) -> Vec<String> {
        self.state().started.clone()
    }

    /// Whether a session was ended by a call.
    pub fn is_ended(&self, session: &str) -> bool {
        self.state().sessions[session].ended
    }

    /// How often somebody logged in.
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    /// The names and contents of the files that were uploaded, in order.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        state.files.iter().map(|file| (file.name.clone(), file.content.clone())).collect()
    }

    /// What was accepted so far.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.state().accepted.clone()
    }

    /// What was refused so far: where, and why.
    pub fn refused(&self) -> Vec<String> {
        self.state().refused.clone()
    }

    /// What was accepted, once it is at least `count` calls.
    pub async fn accepts(&self, count: usize) -> Vec<Accepted> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let accepted = self.accepted();
            if accepted.len() >= count {
                return accepted;
            }
            let refused = self.refused();
            assert!(Instant::now() < end, "TWIN accepted {accepted:?}, and refused {refused:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}
