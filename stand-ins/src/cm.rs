//! CM.com's conversational router over real HTTP, as far as the fact sheet knows it: TwoWay endpoints
//! that refuse what the real ones would, the control API and the newer state API; and what the router
//! would post to an adapter's three endpoints.

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

use crate::clock::now;
use tokio::net::TcpListener;

mod control;

/// The technical link of all adapters.
pub const ACCOUNT: &str = "0b3f6f9e-6a51-4a0e-9a4b-2f0c6a6a1d11";

/// The handover body that CM.com's form is filled with at first.
pub const DEFAULT_TEMPLATE: &str =
    "{\"chatId\":\"{{$chatId}}\",\"sessionId\":\"{{$sessionId}}\",\"accountId\":\"{{$accountId}}\",
 \"channel\":\"{{$channel}}\",\"conversationHostId\":\"{{$conversationHostId}}\",
 \"conversationClientId\":\"{{$conversationClientId}}\",\"context\":{{$context}}}";

/// The channels that the router takes.
const CHANNELS: [&str; 16] = [
    "Apple Business Chat",
    "iMessage",
    "WhatsApp",
    "Line",
    "Push",
    "RCS",
    "SMS",
    "Viber",
    "Voice",
    "Facebook Messenger",
    "MobilePush",
    "CXWebConversations",
    "Instagram",
    "Telegram Messenger",
    "Slack",
    "Microsoft Teams",
];

/// What an adapter is on the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A bot or desk: it is sent what clients write, and sends `ClientTerminated`.
    Host,
    /// A channel: it sends `ClientOriginated`.
    Client,
}

/// A call that the router accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// `messages`, `mutation`, `state` or `end`.
    pub what: &'static str,
    /// The router's own id of the chat.
    pub chat: String,
    /// The adapter, if it was sent by one.
    pub adapter: Option<String>,
    /// The body.
    pub body: Value,
}

impl Accepted {
    /// The texts of its messages.
    pub fn texts(&self) -> Vec<String> {
        let messages = self.body["conversationMessages"].as_array().cloned().unwrap_or_default();
        messages.iter().filter_map(|message| message["text"].as_str()).map(Into::into).collect()
    }

    /// Its chat, as the router tells it from then on.
    pub fn chat_as_told(&self) -> Value {
        let mut chat = self.body["chat"].clone();
        chat["id"] = json!(self.chat);
        chat["sessionId"] = json!(guid(&("session", &self.chat)));
        chat
    }
}

/// What the router posts to one of an adapter's endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which endpoint, as the path behind the connection's address: nothing, `/handover` or `/event`.
    pub path: &'static str,
    /// The headers that the adapter's form has for that endpoint; it has none for events.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Status, headers and body.
type Answer = (u16, Vec<(&'static str, String)>, String);

#[derive(Debug, Default)]
struct Memory {
    token: String,
    sides: HashMap<String, Side>,
    types: HashSet<String>,
    chats: HashSet<String>,
    headers: Vec<(String, String)>,
    accepted: Vec<Accepted>,
    refused: Vec<(u16, String)>,
    answers: VecDeque<Answer>,
    lacks_right: bool,
    hangs: bool,
    said: u64,
}

type Shared = Arc<Mutex<Memory>>;

/// CM.com's router on a port of its own.
#[derive(Debug, Clone)]
pub struct CmRouter {
    port: u16,
    memory: Shared,
}

impl CmRouter {
    /// Starts one whose calls must bring this product token.
    pub async fn start(token: &str) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), token)
    }

    /// The same, at a port that was chosen.
    pub fn start_at(listener: TcpListener, token: &str) -> Self {
        let port = listener.local_addr().unwrap().port();
        let types = HashSet::from(["text".to_owned()]);
        let memory = Memory { token: token.to_owned(), types, ..Memory::default() };
        let memory = Arc::new(Mutex::new(memory));
        let control = "/conversational/control/v1/accounts/{account}/chats/{chat}";
        let state = "/router/control/v1/accounts/{account}/chats/{chat}/session";
        let router = Router::new()
            .route(
                "/conversational/twoway/v2/accounts/{account}/adapters/{adapter}",
                post(take_messages),
            )
            .route(&format!("{control}/routing/mutationrequests"), post(control::take_mutation))
            .route(state, get(control::tell_session))
            .route(&format!("{state}/{{what}}"), put(control::take_state))
            .with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, memory }
    }

    /// Adds an adapter.
    pub fn adapter(&self, id: &str, side: Side) {
        self.memory.lock().unwrap().sides.insert(id.to_owned(), side);
    }

    /// An adapter's Outbound URL: the setting `send_url`.
    pub fn outbound_url(&self, adapter: &str) -> String {
        let port = self.port;
        format!(
            "http://127.0.0.1:{port}/conversational/twoway/v2/accounts/{ACCOUNT}/adapters/{adapter}"
        )
    }

    /// The control API: the setting `control_url`.
    pub fn control_url(&self) -> String {
        format!("http://127.0.0.1:{}/conversational/control/v1", self.port)
    }

    /// The newer API: the setting `state_url`.
    pub fn state_url(&self) -> String {
        format!("http://127.0.0.1:{}/router/control/v1", self.port)
    }

    /// From now on also takes messages of this type, of which nothing else is checked.
    pub fn knows_type(&self, name: &str) {
        self.memory.lock().unwrap().types.insert(name.to_owned());
    }

    /// From now on the token lacks the right to change sessions by the newer API, or has it again.
    pub fn lacks_right(&self, lacks: bool) {
        self.memory.lock().unwrap().lacks_right = lacks;
    }

    /// From now on takes every call and never answers, or answers again.
    pub fn hangs(&self, hangs: bool) {
        self.memory.lock().unwrap().hangs = hangs;
    }

    /// Answers the next call so, whatever it is.
    pub fn will_answer(&self, status: u16, headers: Vec<(&'static str, String)>, body: &str) {
        self.memory.lock().unwrap().answers.push_back((status, headers, body.to_owned()));
    }

    /// The headers of the adapters' message and handover endpoints.
    pub fn sends_header(&self, name: &str, value: &str) {
        self.memory.lock().unwrap().headers.push((name.to_owned(), value.to_owned()));
    }

    /// What was accepted so far.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.memory.lock().unwrap().accepted.clone()
    }

    /// What was refused so far: the status and the text.
    pub fn refused(&self) -> Vec<(u16, String)> {
        self.memory.lock().unwrap().refused.clone()
    }

    /// What was accepted, once it is at least `count` calls.
    pub async fn accepts(&self, count: usize) -> Vec<Accepted> {
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

    /// A customer's chat with a host on WhatsApp, as the router would tell it.
    pub fn chat(&self, client: &str, host: &str) -> Value {
        let id = chat_id(client, host, "WhatsApp");
        self.memory.lock().unwrap().chats.insert(id.clone());
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

    /// The customer writes: for a host's message endpoint.
    pub fn customer_writes(&self, chat: &Value, text: &str) -> Notice {
        self.written(chat, &[json!({"$type": "text", "text": text})], "ClientOriginated")
    }

    /// The bot or an agent writes: for a client's message endpoint.
    pub fn host_writes(&self, chat: &Value, text: &str) -> Notice {
        self.written(chat, &[json!({"$type": "text", "text": text})], "ClientTerminated")
    }

    /// Somebody writes messages of any types, several in one call.
    pub fn written(&self, chat: &Value, messages: &[Value], direction: &str) -> Notice {
        let messages: Vec<Value> =
            messages.iter().map(|message| self.stamped(message, Some(direction))).collect();
        let body =
            json!({"chat": chat, "conversationMessages": messages, "targetAdaptersInfo": []});
        Notice { path: "", headers: self.headers(), body: body.to_string() }
    }

    /// A handover, as the default template tells it; an empty context makes it no JSON.
    pub fn handover(&self, chat: &Value, context: Option<&Value>) -> Notice {
        self.handover_by(DEFAULT_TEMPLATE, chat, context)
    }

    /// A handover, as a template of the adapter's own tells it.
    pub fn handover_by(&self, template: &str, chat: &Value, context: Option<&Value>) -> Notice {
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
        Notice { path: "/handover", headers: self.headers(), body }
    }

    /// Something happened in the session, such as `routerSessionEnded`.
    pub fn event(&self, chat: &Value, name: &str) -> Notice {
        let event = self.stamped(&json!({"$type": name}), None);
        let body = json!({"chat": chat, "conversationEvents": [event]}).to_string();
        Notice { path: "/event", headers: Vec::new(), body }
    }

    /// The same in the flat form.
    pub fn flat_event(chat: &Value, name: &str) -> Notice {
        let body = json!({"$type": name, "chatId": chat["id"], "sessionId": chat["sessionId"]});
        Notice { path: "/event", headers: Vec::new(), body: body.to_string() }
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(self.memory.lock().unwrap().headers.clone());
        headers
    }

    /// With an id and the router's own time, in .NET's writing.
    fn stamped(&self, object: &Value, direction: Option<&str>) -> Value {
        let mut memory = self.memory.lock().unwrap();
        memory.said += 1;
        let now = now();
        let mut stamped = object.clone();
        stamped["id"] = json!(guid(&("said", memory.said, now.as_nanosecond())));
        stamped["createdOn"] = json!(now.strftime("%Y-%m-%dT%H:%M:%S.%7f+00:00").to_string());
        if let Some(direction) = direction {
            stamped["direction"] = json!(direction);
        }
        stamped
    }
}

/// The router's own id of a chat, whatever the caller calls it.
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

/// What stands before every call: what the test wants answered, and the token.
async fn met(memory: &Shared, headers: &HeaderMap) -> Result<(), Response> {
    let (hangs, answer, right) = {
        let mut memory = memory.lock().unwrap();
        let token = headers.get("x-cm-producttoken").and_then(|value| value.to_str().ok());
        (memory.hangs, memory.answers.pop_front(), token == Some(memory.token.as_str()))
    };
    if hangs {
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
    memory.lock().unwrap().refused.push((401, "a wrong token".to_owned()));
    // Bare, and without WWW-Authenticate.
    Err(StatusCode::UNAUTHORIZED.into_response())
}

fn refuse(memory: &Shared, status: StatusCode, message: &str) -> Response {
    memory.lock().unwrap().refused.push((status.as_u16(), message.to_owned()));
    (status, Json(json!({"message": message}))).into_response()
}

async fn take_messages(
    State(memory): State<Shared>,
    Path((account, adapter)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(response) = met(&memory, &headers).await {
        return response;
    }
    let side = memory.lock().unwrap().sides.get(&adapter).copied();
    let Some(side) = side.filter(|_| account == ACCOUNT) else {
        return refuse(&memory, StatusCode::NOT_FOUND, "there is no such adapter");
    };
    let types = memory.lock().unwrap().types.clone();
    let (chat, body) = match read_messages(&headers, &body, side, &types) {
        Ok(read) => read,
        Err(message) => return refuse(&memory, StatusCode::BAD_REQUEST, &message),
    };
    let mut answered = json!({"sessionId": null});
    for name in ["accountId", "channel", "conversationClientId", "conversationHostId"] {
        answered[name] = body["chat"][name].clone();
    }
    answered["id"] = json!(chat);
    let mut memory = memory.lock().unwrap();
    memory.chats.insert(chat.clone());
    memory.accepted.push(Accepted { what: "messages", chat, adapter: Some(adapter), body });
    let answer = json!({"chat": answered, "message": "Message(s) accepted"});
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// A call's body and the router's own id of its chat, if all is as the router has it.
fn read_messages(
    headers: &HeaderMap,
    body: &[u8],
    side: Side,
    types: &HashSet<String>,
) -> Result<(String, Value), String> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err("the content type is not application/json".into());
    }
    let body: Value = serde_json::from_slice(body).map_err(|why| why.to_string())?;
    if body.get("targetAdaptersInfo").is_some() {
        return Err("targetAdaptersInfo is the router's own".into());
    }
    let chat = |name: &str| match body["chat"][name].as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("The chat's {name} field is required.")),
    };
    chat("id")?;
    let (client, host) = (chat("conversationClientId")?, chat("conversationHostId")?);
    if chat("accountId")? != ACCOUNT {
        return Err("the chat is of another account".into());
    }
    let channel = chat("channel")?;
    if !CHANNELS.iter().any(|known| known.eq_ignore_ascii_case(&channel)) {
        return Err(format!("The channel '{channel}' is not supported."));
    }
    let messages = body["conversationMessages"].as_array().cloned().unwrap_or_default();
    if messages.is_empty() {
        return Err("there is neither a message nor an event".into());
    }
    let theirs = if side == Side::Host { "ClientTerminated" } else { "ClientOriginated" };
    for message in &messages {
        let kind = message["$type"].as_str().unwrap_or_default();
        if !types.contains(kind) {
            return Err(
                "Could not create an instance of type MessageBase. Type is an interface or \
                 abstract class and cannot be instantiated."
                    .into(),
            );
        }
        if message["direction"] != theirs {
            return Err(format!("this adapter sends {theirs} only"));
        }
        if kind == "text" && message["text"].as_str().is_none_or(str::is_empty) {
            return Err("The text field is required.".into());
        }
    }
    Ok((chat_id(&client, &host, &channel), body))
}
