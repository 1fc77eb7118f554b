//! A mock ServisBOT server: the webhook engagement adapter, which rejects what the real one would reject;
//! its egress and eventing calls, for a test to post to Trunkline; the public keys of eventing's tokens;
//! and a consumer of events like ServisBOT's own chat history server, for outgoing events.
//!
//! Each rule names its source: a page or program with its section, by these keys.
//!
//! - S4: "Remote Conversation Eventing", <https://docs.servisbot.com/product-features/remote-conversation-eventing/>
//! - SW: "Webhook Adapter", <https://docs.servisbot.com/product-features/engagement-adapters/webhook/>
//! - SX: "Timeline Markup", <https://docs.servisbot.com/product-features/timeline-markup/>
//! - SH: "Notifications", <https://docs.servisbot.com/getting-started/notifications/>
//! - SB: ServisBOT's sample of the adapter, <https://github.com/servisbot/servisbot-labs>, `sb-s3-bot-coupler`
//! - SL: ServisBOT's chat history server, in the same repository, `sb-chat-history-server`
//! - SC: a third party's bridge, <https://github.com/cianclarke/netlify>, `netlify/functions/servisbot.js`
//!
//! A rule without a source says "our assumption"; the page of the platform (`README.md`) lists it with the setting
//! that changes Trunkline's behaviour. The form and the statuses of errors are our assumption: those of the API
//! gateway that ServisBOT's addresses point to.

mod auth;
mod events;
mod history;
mod player;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use tokio::net::TcpListener;
use trunkline_mock::now;

pub use auth::{API_KEY, EventingAuth, JWT_SECRET};
pub use events::{Call, EventOrder};
pub use player::MOCK;

/// The endpoint's address.
pub const ADDRESS: &str = "acme-webhook";
/// The endpoint's secret, a Bearer token (SW, Setting up a Webhook engagement adaptor). That its egress carries it
/// in the same form is our assumption.
pub const ENGAGEMENT_SECRET: &str = "engage-7d1f";
/// The path for messages (SW, Ingress).
const ENGAGE: &str = "/picard/v1/engage/";
/// The path of the public keys: our assumption.
const KEYS: &str = "/keys.json";
/// The path where the chat history server accepts events (SL, swagger/api.yml).
const PERSIST: &str = "/v1/persist";

/// A message or context update that the engagement adapter accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// `message` or `context`.
    pub kind: String,
    /// The message's text, or the context.
    pub value: Value,
    /// The customer's id (`CustomerReference`).
    pub customer: String,
    /// The context beside a message; null if there is none.
    pub context: Value,
}

#[derive(Debug, Default)]
struct ServerState {
    posts: Vec<Post>,
    refused: Vec<(u16, String)>,
    answers: VecDeque<u16>,
    accepts_context: bool,
    omits_customers: bool,
    auth: EventingAuth,
    ring: auth::KeyRing,
    keys_are_down: bool,
    key_fetches: usize,
    event_count: u64,
    clock: Option<i64>,
    history: history::History,
}

/// A mock ServisBOT server on its own port.
#[derive(Debug, Clone)]
pub struct ServisBot {
    port: u16,
    state: Arc<Mutex<ServerState>>,
}

impl ServisBot {
    /// Starts a server.
    pub async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Starts a server on the given listener.
    pub fn start_at(listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(ServerState::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, state }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the setting `engagement_url`: the address for messages.
    pub fn engagement_url(&self) -> String {
        self.url(&format!("{ENGAGE}{ADDRESS}"))
    }

    /// Returns the setting `jwks_url`: the address of the public keys.
    pub fn jwks_url(&self) -> String {
        self.url(KEYS)
    }

    /// Returns the setting `eventing_url`: the address of the chat history server.
    pub fn history_url(&self) -> String {
        self.url(PERSIST)
    }

    /// Sets how eventing authenticates, and what the chat history server requires.
    pub fn set_auth(&self, auth: EventingAuth) {
        self.state().auth = auth;
    }

    /// Sets whether eventing omits `customerReference`, as in all of S4's examples.
    pub fn omit_customer_reference(&self, omit: bool) {
        self.state().omits_customers = omit;
    }

    /// Also accepts context updates in calls of their own. SW, Ingress, says that there are such calls; their form
    /// is our assumption.
    pub fn accept_context(&self) {
        self.state().accepts_context = true;
    }

    /// Answers the next call to the endpoint or the chat history server with a status and ignores its
    /// content.
    pub fn respond_next(&self, status: u16) {
        self.state().answers.push_back(status);
    }

    /// Sets the clock, in milliseconds since 1970; the system time by default.
    pub fn set_clock(&self, millis: i64) {
        self.state().clock = Some(millis);
    }

    /// Signs with a new key from now on; the previous one stays published.
    pub fn rotate_keys(&self) {
        self.state().ring.rotate();
    }

    /// Sets whether fetching the public keys fails.
    pub fn set_keys_down(&self, down: bool) {
        self.state().keys_are_down = down;
    }

    /// Returns how often the public keys were fetched.
    pub fn key_fetches(&self) -> usize {
        self.state().key_fetches
    }

    /// Returns what the endpoint accepted.
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// Waits for at least `count` accepted posts and returns them.
    pub async fn wait_for_posts(&self, count: usize, within: Duration) -> Vec<Post> {
        until(count, within, || self.posts()).await
    }

    /// Returns the rejected calls: status and reason.
    pub fn refused(&self) -> Vec<(u16, String)> {
        self.state().refused.clone()
    }

    /// Returns the `message` of each event in the chat history, ordered by time.
    pub fn history(&self) -> Vec<Value> {
        self.state().history.transcript()
    }

    /// Waits for at least `count` events in the chat history and returns them.
    pub async fn wait_for_history(&self, count: usize, within: Duration) -> Vec<Value> {
        until(count, within, || self.history()).await
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap()
    }
}

impl ServerState {
    fn millis(&self) -> i64 {
        self.clock.unwrap_or_else(|| now().as_millisecond())
    }

    fn refuse(&mut self, status: u16, why: &str) -> Response {
        self.refused.push((status, why.to_owned()));
        let body = json!({"message": why});
        (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
    }

    /// A call of the adapter (SW, Ingress: the address, the secret and three members; SB,
    /// `ServisbotWebhookController`: `Context`).
    fn engage(&mut self, address: &str, headers: &HeaderMap, body: &Value) -> Response {
        if auth::text(headers, "authorization") != format!("Bearer {ENGAGEMENT_SECRET}") {
            return self.refuse(401, "Unauthorized");
        }
        if address != ADDRESS {
            return self.refuse(404, "Endpoint not found");
        }
        let member = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        let Some(customer) = member("CustomerReference") else {
            return self.refuse(400, "CustomerReference is required");
        };
        let kind = body["Type"].as_str().unwrap_or_default();
        let fits = match kind {
            "message" => member("Value").is_some(),
            "context" if self.accepts_context => body["Value"].is_object(),
            _ => return self.refuse(400, "Type must be message"),
        };
        if !fits {
            return self.refuse(400, "Value is required");
        }
        // Stricter than the adapter, for which no public rule is known: only public members are accepted.
        let is_known = |name: &String| {
            ["Type", "Value", "CustomerReference", "Context"].contains(&name.as_str())
        };
        if body.as_object().is_none_or(|body| !body.keys().all(is_known)) {
            return self.refuse(400, "only Type, Value, CustomerReference and Context are known");
        }
        let context = body["Context"].clone();
        if !(context.is_null() || context.is_object() && kind == "message") {
            return self.refuse(400, "Context must be an object beside a message");
        }
        let (kind, customer) = (kind.to_owned(), customer.to_owned());
        self.posts.push(Post { kind, value: body["Value"].clone(), customer, context });
        axum::Json(json!({})).into_response()
    }
}

async fn answer(
    State(state): State<Arc<Mutex<ServerState>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut state = state.lock().unwrap();
    if uri.path() == KEYS && method == Method::GET {
        state.key_fetches += 1;
        if state.keys_are_down {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        return axum::Json(state.ring.published()).into_response();
    }
    let endpoint = uri.path().strip_prefix(ENGAGE);
    if endpoint.is_none() && uri.path() != PERSIST {
        return state.refuse(404, "Not Found");
    }
    if method != Method::POST {
        return state.refuse(405, "Method Not Allowed");
    }
    if let Some(status) = state.answers.pop_front() {
        return state.refuse(status, "scheduled failure");
    }
    if !auth::text(&headers, "content-type").starts_with("application/json") {
        return state.refuse(415, "Unsupported Media Type");
    }
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return state.refuse(400, "Malformed JSON");
    };
    match endpoint {
        Some(address) => state.engage(address, &headers, &value),
        None => state.persist(&headers, &value),
    }
}

async fn until<T>(count: usize, within: Duration, what: impl Fn() -> Vec<T>) -> Vec<T> {
    let end = Instant::now() + within;
    loop {
        let found = what();
        if found.len() >= count {
            return found;
        }
        let had = found.len();
        assert!(Instant::now() < end, "only {had} of {count} arrived within {within:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
