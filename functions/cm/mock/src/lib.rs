//! A mock of CM.com's conversational router: the TwoWay endpoints, the control API and the newer state API, which
//! reject what the real ones would reject; and the calls that the router makes to an adapter's three endpoints.
//! The rules and the keys of their sources are in `rules.rs` and `control.rs`.

mod control;
mod player;
mod rules;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use tokio::net::TcpListener;
use trunkline_mock::now;

pub use player::MOCK;

/// The account id (technical link) of all adapters.
pub const ACCOUNT: &str = "0b3f6f9e-6a51-4a0e-9a4b-2f0c6a6a1d11";

/// The default handover template of CM.com's form (BRIDGE).
pub const DEFAULT_TEMPLATE: &str =
    "{\"chatId\":\"{{$chatId}}\",\"sessionId\":\"{{$sessionId}}\",\"accountId\":\"{{$accountId}}\",
 \"channel\":\"{{$channel}}\",\"conversationHostId\":\"{{$conversationHostId}}\",
 \"conversationClientId\":\"{{$conversationClientId}}\",\"context\":{{$context}}}";

/// The side of a chat that an adapter is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A bot or desk: it receives the clients' messages and sends `ClientTerminated`.
    Host,
    /// A channel: it sends `ClientOriginated`.
    Client,
}

/// An accepted call.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// `messages`, `mutation`, `state` or `end`.
    pub what: &'static str,
    /// The router's own id of the chat.
    pub chat: String,
    /// The adapter that made the call; `None` for control and state calls.
    pub adapter: Option<String>,
    pub body: Value,
}

impl Accepted {
    /// Returns the texts of the messages.
    pub fn texts(&self) -> Vec<String> {
        let messages = self.body["conversationMessages"].as_array().cloned().unwrap_or_default();
        messages.iter().filter_map(|message| message["text"].as_str()).map(Into::into).collect()
    }

    /// Returns the chat as the router sends it from then on.
    pub fn chat_from_router(&self) -> Value {
        let mut chat = self.body["chat"].clone();
        chat["id"] = json!(self.chat);
        chat["sessionId"] = json!(guid(&("session", &self.chat)));
        chat
    }
}

/// A call that the router makes to an adapter's endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterCall {
    /// The path to append to the connection's address: empty, `/handover` or `/event`.
    pub path: &'static str,
    /// The headers configured in the adapter's form; none for events.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Status, headers and body.
type MockResponse = (u16, Vec<(&'static str, String)>, String);

#[derive(Debug, Default)]
struct RouterState {
    token: String,
    sides: HashMap<String, Side>,
    types: HashSet<String>,
    chats: HashSet<String>,
    headers: Vec<(String, String)>,
    accepted: Vec<Accepted>,
    refused: Vec<(u16, String)>,
    responses: VecDeque<MockResponse>,
    deny_session_update: bool,
    hanging: bool,
    count: u64,
}

type Shared = Arc<Mutex<RouterState>>;

/// A mock router on its own port.
#[derive(Debug, Clone)]
pub struct CmRouter {
    port: u16,
    state: Shared,
}

impl CmRouter {
    /// Starts a router that requires this product token.
    pub async fn start(token: &str) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), token)
    }

    /// Starts a router on the given listener.
    pub fn start_at(listener: TcpListener, token: &str) -> Self {
        let port = listener.local_addr().unwrap().port();
        let types = HashSet::from(["text".to_owned()]);
        let state = RouterState { token: token.to_owned(), types, ..RouterState::default() };
        let state = Arc::new(Mutex::new(state));
        let control = "/conversational/control/v1/accounts/{account}/chats/{chat}";
        let session = "/router/control/v1/accounts/{account}/chats/{chat}/session";
        let router = Router::new()
            .route(
                "/conversational/twoway/v2/accounts/{account}/adapters/{adapter}",
                post(post_messages),
            )
            .route(&format!("{control}/routing/mutationrequests"), post(control::post_mutation))
            .route(session, get(control::get_session))
            .route(&format!("{session}/{{what}}"), put(control::put_state))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, state }
    }

    /// Adds an adapter.
    pub fn add_adapter(&self, id: &str, side: Side) {
        self.state.lock().unwrap().sides.insert(id.to_owned(), side);
    }

    /// Returns an adapter's Outbound URL: the setting `send_url`.
    pub fn outbound_url(&self, adapter: &str) -> String {
        let port = self.port;
        format!(
            "http://127.0.0.1:{port}/conversational/twoway/v2/accounts/{ACCOUNT}/adapters/{adapter}"
        )
    }

    /// Returns the address of the control API: the setting `control_url`.
    pub fn control_url(&self) -> String {
        format!("http://127.0.0.1:{}/conversational/control/v1", self.port)
    }

    /// Returns the address of the newer API: the setting `state_url`.
    pub fn state_url(&self) -> String {
        format!("http://127.0.0.1:{}/router/control/v1", self.port)
    }

    /// Also accepts messages of this type, without further checks.
    pub fn allow_type(&self, name: &str) {
        self.state.lock().unwrap().types.insert(name.to_owned());
    }

    /// Sets whether the token lacks the right to change sessions through the newer API.
    pub fn deny_session_update(&self, lacks: bool) {
        self.state.lock().unwrap().deny_session_update = lacks;
    }

    /// Sets whether calls hang without a response.
    pub fn set_hanging(&self, hanging: bool) {
        self.state.lock().unwrap().hanging = hanging;
    }

    /// Sets the response to the next call, regardless of its content.
    pub fn respond_next(&self, status: u16, headers: Vec<(&'static str, String)>, body: &str) {
        self.state.lock().unwrap().responses.push_back((status, headers, body.to_owned()));
    }

    /// Adds a header to the calls to the adapters' message and handover endpoints.
    pub fn add_header(&self, name: &str, value: &str) {
        self.state.lock().unwrap().headers.push((name.to_owned(), value.to_owned()));
    }

    /// Returns the accepted calls.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.state.lock().unwrap().accepted.clone()
    }

    /// Returns the rejected calls: status and text.
    pub fn refused(&self) -> Vec<(u16, String)> {
        self.state.lock().unwrap().refused.clone()
    }

    /// Waits for at least `count` accepted calls and returns them.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<Accepted> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let accepted = self.accepted();
            if accepted.len() >= count {
                return accepted;
            }
            let (have, refused) = (accepted.len(), self.refused());
            assert!(Instant::now() < end, "accepted {have} of {count}; refused {refused:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Creates a customer's chat with a host on WhatsApp and returns it as the router would send it.
    pub fn chat(&self, client: &str, host: &str) -> Value {
        let id = chat_id(client, host, "WhatsApp");
        self.state.lock().unwrap().chats.insert(id.clone());
        json!({
            "id": id,
            "sessionId": guid(&("session", &id)),
            "accountId": ACCOUNT,
            "channel": "WhatsApp",
            "conversationClientId": client,
            "conversationHostId": host,
            "conversationClientName": "Noor de Wit",
        })
    }

    /// Returns a customer's message, for a host's message endpoint.
    pub fn customer_writes(&self, chat: &Value, text: &str) -> AdapterCall {
        self.messages_call(chat, &[json!({"$type": "text", "text": text})], "ClientOriginated")
    }

    /// Returns a bot's or agent's message, for a client's message endpoint.
    pub fn host_writes(&self, chat: &Value, text: &str) -> AdapterCall {
        self.messages_call(chat, &[json!({"$type": "text", "text": text})], "ClientTerminated")
    }

    /// Returns a call with messages of any types (CM-FMT). The content of `targetAdaptersInfo` is unknown.
    pub fn messages_call(&self, chat: &Value, messages: &[Value], direction: &str) -> AdapterCall {
        let messages: Vec<Value> =
            messages.iter().map(|message| self.stamped(message, Some(direction))).collect();
        let body =
            json!({"chat": chat, "conversationMessages": messages, "targetAdaptersInfo": []});
        AdapterCall { path: "", headers: self.headers(), body: body.to_string() }
    }

    /// Returns a handover in the default template's form. Without a context the body is not valid JSON.
    pub fn handover(&self, chat: &Value, context: Option<&Value>) -> AdapterCall {
        self.handover_with_template(DEFAULT_TEMPLATE, chat, context)
    }

    /// Returns a handover in the form of the adapter's own template.
    pub fn handover_with_template(
        &self,
        template: &str,
        chat: &Value,
        context: Option<&Value>,
    ) -> AdapterCall {
        let text = |name: &str| chat[name].as_str().unwrap_or_default().to_owned();
        let context = context.map(ToString::to_string).unwrap_or_default();
        let values = [
            ("chatId", text("id")),
            ("sessionId", text("sessionId")),
            ("accountId", text("accountId")),
            ("channel", text("channel")),
            ("conversationHostId", text("conversationHostId")),
            ("conversationClientId", text("conversationClientId")),
            ("context", context),
        ];
        let body = values.iter().fold(template.to_owned(), |body, (name, value)| {
            body.replace(&format!("{{{{${name}}}}}"), value)
        });
        AdapterCall { path: "/handover", headers: self.headers(), body }
    }

    /// Returns a session event, such as `routerSessionEnded`. The name is from BRIDGE; the envelope is that of
    /// messages (CM-FMT), which is our assumption for the event endpoint.
    pub fn event(&self, chat: &Value, name: &str) -> AdapterCall {
        let event = self.stamped(&json!({"$type": name}), None);
        let body = json!({"chat": chat, "conversationEvents": [event]}).to_string();
        AdapterCall { path: "/event", headers: Vec::new(), body }
    }

    /// Returns a session event in the flat form, which BRIDGE accepts as well.
    pub fn flat_event(chat: &Value, name: &str) -> AdapterCall {
        let body = json!({"$type": name, "chatId": chat["id"], "sessionId": chat["sessionId"]});
        AdapterCall { path: "/event", headers: Vec::new(), body: body.to_string() }
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(self.state.lock().unwrap().headers.clone());
        headers
    }

    /// Adds an id and the router's time, in .NET's format.
    fn stamped(&self, object: &Value, direction: Option<&str>) -> Value {
        let mut state = self.state.lock().unwrap();
        state.count += 1;
        let now = now();
        let mut stamped = object.clone();
        stamped["id"] = json!(guid(&("message", state.count, now.as_nanosecond())));
        stamped["createdOn"] = json!(now.strftime("%Y-%m-%dT%H:%M:%S.%7f+00:00").to_string());
        if let Some(direction) = direction {
            stamped["direction"] = json!(direction);
        }
        stamped
    }
}

/// Returns the router's own id of a chat, independent of the id that the adapter uses.
pub fn chat_id(client: &str, host: &str, channel: &str) -> String {
    guid(&("chat", client, host, channel.to_lowercase()))
}

fn guid(of: &impl Hash) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, of).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    };
    let hex = half(0) + &half(1);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Checks every call first: applies the test's scheduled response, then requires the token: the header
/// `X-CM-PRODUCTTOKEN` ("Authentication", <https://developers.cm.com/messaging/docs/channels-authentication>).
async fn check_call(state: &Shared, headers: &HeaderMap) -> Result<(), Response> {
    let (hanging, answer, right) = {
        let mut state = state.lock().unwrap();
        let token = headers.get("x-cm-producttoken").and_then(|value| value.to_str().ok());
        (state.hanging, state.responses.pop_front(), token == Some(state.token.as_str()))
    };
    if hanging {
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    if let Some((status, headers, body)) = answer {
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return Err(response);
    }
    if right {
        return Ok(());
    }
    state.lock().unwrap().refused.push((401, "a wrong token".to_owned()));
    // Without a body and without WWW-Authenticate (BRIDGE).
    Err(StatusCode::UNAUTHORIZED.into_response())
}

fn reject(state: &Shared, status: StatusCode, message: &str) -> Response {
    state.lock().unwrap().refused.push((status.as_u16(), message.to_owned()));
    (status, Json(json!({"message": message}))).into_response()
}

async fn post_messages(
    State(state): State<Shared>,
    Path((account, adapter)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(response) = check_call(&state, &headers).await {
        return response;
    }
    let side = state.lock().unwrap().sides.get(&adapter).copied();
    let Some(side) = side.filter(|_| account == ACCOUNT) else {
        return reject(&state, StatusCode::NOT_FOUND, "there is no such adapter");
    };
    let types = state.lock().unwrap().types.clone();
    let (chat, body) = match rules::check_messages(&headers, &body, side, &types) {
        Ok(read) => read,
        Err(message) => return reject(&state, StatusCode::BAD_REQUEST, &message),
    };
    let mut answered = json!({"sessionId": null});
    for name in ["accountId", "channel", "conversationClientId", "conversationHostId"] {
        answered[name] = body["chat"][name].clone();
    }
    answered["id"] = json!(chat);
    let mut state = state.lock().unwrap();
    state.chats.insert(chat.clone());
    state.accepted.push(Accepted { what: "messages", chat, adapter: Some(adapter), body });
    // BRIDGE: the status, the text, and an id that differs from the given one.
    let answer = json!({"chat": answered, "message": "Message(s) accepted"});
    (StatusCode::CREATED, Json(answer)).into_response()
}
