//! A mock TWIN server: the chat platform's sessions and messages, the bot's dialogs, login and files. It
//! rejects what the real server would reject, lets a test send messages as bot and operator, and makes
//! callbacks. The [`sockets`] are a separate program, which is notified of new messages.
//!
//! Each rule names its source by these keys, or is marked as our assumption; the platform's README lists the
//! assumptions with the settings.
//!
//! | key | source |
//! | --- | --- |
//! | S3 | TWIN's knowledge base, page on the integration of the chat platform, version 9, sections "Старт новой чат-сессии", "Создать сообщение клиента в чате", "Подключение к сокетам"; a later version: <https://confluence.twin24.ai/plugins/viewsource/viewpagesrc.action?pageId=177307698> |
//! | `TC-fld`, `TC-fld2` | the same page, filled-in table of the fields: <https://confluence.twin24.ai/pages/diffpages.action?originalId=175636869&pageId=175636870>, <https://confluence.twin24.ai/pages/diffpages.action?originalId=177307686&pageId=177307690> |
//! | `TC-py` | the same page, example in Python: <https://confluence.twin24.ai/pages/diffpages.action?originalId=175636786&pageId=175636787> |
//! | `TC-ev` | the same page, events of the socket: <https://confluence.twin24.ai/pages/diffpages.action?originalId=175636782&pageId=175636783> |
//! | `TC-hook` | integration by webhooks: <https://confluence.twin24.ai/pages/diffpages.action?originalId=183861459&pageId=231899148> |
//! | `TC-op`, `TC-op2` | the operator's events: <https://confluence.twin24.ai/plugins/viewsource/viewpagesrc.action?pageId=299991434>, <https://confluence.twin24.ai/pages/diffpages.action?originalId=299991436&pageId=299991442> |
//! | `TS` | the vendor's SDK: <https://github.com/URALINNOVATSIYA/sdk-php> |

mod chats;
mod dialogs;
mod iam;
mod player;
pub mod sockets;
mod state;
mod validation;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use player::MOCK;
pub use state::Accepted;
use state::{Shared, State};

/// The id of the only chat.
pub const CHAT: &str = "c4a70000-0000-4000-8000-000000000001";
/// The id of the only bot.
pub const BOT: &str = "b0700000-0000-4000-8000-000000000001";
/// The e-mail address of the only account.
pub const EMAIL: &str = "bot@example.com";
/// The password of the only account.
pub const PASSWORD: &str = "a password";

/// Returns the HTTP client for calls to servers on this machine.
pub fn plain_http() -> reqwest::Client {
    // The client needs a TLS provider even for plain http.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A mock TWIN server on its own port.
#[derive(Debug, Clone)]
pub struct Twin24 {
    port: u16,
    shared: Shared,
}

impl Twin24 {
    /// Starts a server that makes callbacks with `http`.
    pub async fn start(http: reqwest::Client) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), http)
    }

    /// Starts a server on the given listener.
    pub fn start_at(listener: TcpListener, http: reqwest::Client) -> Self {
        let port = listener.local_addr().unwrap().port();
        let shared = Shared { state: Arc::default(), http };
        shared.state.lock().unwrap().origin = format!("http://127.0.0.1:{port}");
        let router = Router::new()
            .route("/gate/chats/{chat}/sessions", post(chats::start).put(chats::continue_last))
            .route("/chats/sessions/{session}/messages", post(chats::message).get(chats::history))
            .route("/chats/sessions/{session}", delete(chats::end))
            .route("/chats/messages/{message}/read", patch(chats::read))
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

    /// Returns settings of a connection to this server, with additional ones.
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

    /// Queues the bot's answer to the next client message without one: a list of messages such as
    /// `{"body": "Hi", "answers": ["Order"]}`. With an empty queue the bot does not answer.
    pub fn queue_reply(&self, messages: Value) {
        let Value::Array(messages) = messages else { panic!("a list of messages") };
        self.state().replies.push_back(messages);
    }

    /// Answers the next call with a status and ignores its content.
    pub fn fail_next_call(&self, status: u16) {
        self.state().refusals.push_back(status);
    }

    /// Notifies the sockets of new messages, through their control address.
    pub fn set_socket_control(&self, control: String) {
        self.state().sockets = Some(control);
    }

    /// Sends all callbacks to a port of this machine, regardless of the host name: the names of a local
    /// AWS emulation may not resolve.
    pub fn set_callback_port(&self, port: u16) {
        self.state().callback_port = Some(port);
    }

    /// Sends a message as an operator and returns its id.
    pub async fn operator_says(&self, session: &str, name: &str, text: &str) -> String {
        let message = json!({"body": text, "authorType": "OPERATOR", "authorName": name,
                             "authorId": 17});
        self.shared.add_message(session, message).await
    }

    /// Sends a private file as an operator and returns the message's id.
    pub async fn operator_sends_file(&self, session: &str, name: &str, content: &[u8]) -> String {
        let file = self.add_private_file(name, content);
        let message = json!({"body": "The file", "authorType": "OPERATOR", "authorName": "Grace",
                             "authorId": 17, "attachments": [file]});
        self.shared.add_message(session, message).await
    }

    /// Stores a file that needs a login, and returns it as an attachment.
    pub fn add_private_file(&self, name: &str, content: &[u8]) -> Value {
        let mut state = self.state();
        let id = state.id("f11e0000");
        let link = format!("{}/iam/files/{id}", state.origin);
        let (kind, content) = ("application/pdf".to_owned(), content.to_vec());
        state.files.push(state::File { id: id.clone(), name: name.into(), kind, content });
        json!({"id": id, "isPrivate": true, "contentType": "application/pdf", "name": name,
               "url": link, "downloadLink": link})
    }

    /// Adds a message to a session's history without notifying anybody, and returns it.
    pub fn record_message(&self, session: &str, message: &Value) -> Value {
        self.state().message(session, message)
    }

    /// Sends a message as the bot, not in reply to the client, and returns its id.
    pub async fn bot_says(&self, session: &str, message: Value) -> String {
        self.shared.add_message(session, message).await
    }

    /// Makes a dialog's callback, with the latest callback data.
    pub async fn dialog_says(&self, dialog: &str, messages: Value, status: &str) {
        self.shared.dialog_says(dialog, messages, status).await;
    }

    /// Emits any other event of a session.
    pub async fn emit_event(&self, session: &str, event: &str, data: Value) {
        self.shared.notify(session, event, data).await;
    }

    /// Expires a session.
    pub fn expire(&self, session: &str) {
        self.state().sessions.get_mut(session).unwrap().has_ended = true;
    }

    /// Revokes all tokens.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// Begins all responses with a byte-order mark.
    pub fn send_byte_order_marks(&self) {
        self.state().byte_order_marks = true;
    }

    /// Ignores the history's `limit` and `offset`.
    pub fn ignore_paging(&self) {
        self.state().ignores_paging = true;
    }

    /// Answers requests for a history with this body; `None`: with the history.
    pub fn set_raw_history(&self, body: Option<String>) {
        self.state().raw_history = body;
    }

    /// Returns the messages of a session.
    pub fn messages(&self, session: &str) -> Vec<Value> {
        self.state().sessions[session].messages.clone()
    }

    /// Returns the ids of the sessions, in the order of their start.
    pub fn sessions(&self) -> Vec<String> {
        self.state().started.clone()
    }

    /// Returns whether a call has ended the session.
    pub fn is_ended(&self, session: &str) -> bool {
        self.state().sessions[session].ended
    }

    /// Returns the number of logins.
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    /// Returns the address of the file with that name, or of one that does not exist.
    pub fn file_url(&self, name: &str) -> String {
        let state = self.state();
        let id = state.files.iter().find(|file| file.name == name).map_or("none", |file| &file.id);
        format!("{}/iam/files/{id}", state.origin)
    }

    /// Returns the names and contents of the uploaded files, in order.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        state.files.iter().map(|file| (file.name.clone(), file.content.clone())).collect()
    }

    /// Returns the accepted calls.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.state().accepted.clone()
    }

    /// Returns the rejected calls: call, status and reason.
    pub fn refused(&self) -> Vec<String> {
        self.state().refused.clone()
    }

    /// Waits for at least `count` accepted calls and returns them.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<Accepted> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let accepted = self.accepted();
            if accepted.len() >= count {
                return accepted;
            }
            let refused = self.refused();
            assert!(Instant::now() < end, "accepted {accepted:?}, rejected {refused:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}
