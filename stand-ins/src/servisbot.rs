//! A stand-in of ServisBOT over real HTTP: the webhook engagement adapter, which refuses what the real
//! one would; its egress and its eventing, to be posted to Trunkline; the public keys of eventing's
//! tokens; and a consumer of events like ServisBOT's own chat history server, for eventing out.
//!
//! Rules are marked with their sources as in the fact sheet (S4, SW, SL, SC). How errors look is not
//! documented: they have the form of the API gateway that ServisBOT's addresses stand behind.

mod events;
mod history;
mod proof;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::clock::now;
use tokio::net::TcpListener;

pub use events::{Call, Disorder};
pub use proof::{API_KEY, JWT_SECRET, Proof};

/// The address of the endpoint.
pub const ADDRESS: &str = "acme-webhook";
/// The endpoint's secret, a Bearer token both ways.
pub const ENGAGEMENT_SECRET: &str = "engage-7d1f";
/// Where messages are posted.
const ENGAGE: &str = "/picard/v1/engage/";
/// Where the public keys are.
const KEYS: &str = "/keys.json";
/// Where the chat history server takes events.
const PERSIST: &str = "/v1/persist";

/// A message, or a context update, that the engagement adapter took.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// `message` or `context`.
    pub kind: String,
    /// What was said, or what the bot should know.
    pub value: Value,
    /// Whose conversation.
    pub customer: String,
}

#[derive(Debug, Default)]
struct Memory {
    posts: Vec<Post>,
    refused: Vec<(u16, String)>,
    answers: VecDeque<u16>,
    takes_context: bool,
    hides_customers: bool,
    proof: Proof,
    ring: proof::KeyRing,
    keys_are_down: bool,
    key_fetches: usize,
    counted: u64,
    clock: Option<i64>,
    history: history::History,
}

/// ServisBOT on a port of its own.
#[derive(Debug, Clone)]
pub struct ServisBot {
    port: u16,
    memory: Arc<Mutex<Memory>>,
}

impl ServisBot {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The same, at a port that was chosen.
    pub fn start_at(listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, memory }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// `engagement_url`: where the endpoint takes messages.
    pub fn engagement_url(&self) -> String {
        self.url(&format!("{ENGAGE}{ADDRESS}"))
    }

    /// `jwks_url`: where the public keys of eventing's tokens are.
    pub fn jwks_url(&self) -> String {
        self.url(KEYS)
    }

    /// `eventing_url`: where the chat history server takes events.
    pub fn history_url(&self) -> String {
        self.url(PERSIST)
    }

    /// What eventing proves itself by from now on, and what the chat history server asks for.
    pub fn proves_by(&self, proof: Proof) {
        self.memory().proof = proof;
    }

    /// From now on eventing leaves `customerReference` out, as in all of S4's examples; or not.
    pub fn hides_customers(&self, hides: bool) {
        self.memory().hides_customers = hides;
    }

    /// From now on the endpoint takes context updates of the form that the fact sheet guesses.
    pub fn takes_context(&self) {
        self.memory().takes_context = true;
    }

    /// Answers the next call of the endpoint or the chat history server so, and takes nothing.
    pub fn will_answer(&self, status: u16) {
        self.memory().answers.push_back(status);
    }

    /// Sets its clock, in milliseconds; the machine's, if never set.
    pub fn sets_clock(&self, millis: i64) {
        self.memory().clock = Some(millis);
    }

    /// From now on signs with a new key; the one before stays published.
    pub fn rotates_keys(&self) {
        self.memory().ring.rotate();
    }

    /// From now on its public keys cannot be fetched, or can again.
    pub fn hides_keys(&self, hides: bool) {
        self.memory().keys_are_down = hides;
    }

    /// How often its public keys were fetched.
    pub fn key_fetches(&self) -> usize {
        self.memory().key_fetches
    }

    /// What the endpoint took.
    pub fn posts(&self) -> Vec<Post> {
        self.memory().posts.clone()
    }

    /// What the endpoint took, once it is at least `count`.
    pub async fn accepts(&self, count: usize, within: Duration) -> Vec<Post> {
        until(count, within, || self.posts()).await
    }

    /// What was refused, with what was wrong.
    pub fn refused(&self) -> Vec<(u16, String)> {
        self.memory().refused.clone()
    }

    /// The `message` of each event that the chat history server has, by its time.
    pub fn history(&self) -> Vec<Value> {
        self.memory().history.transcript()
    }

    /// What the chat history server has, once it is at least `count`.
    pub async fn persists(&self, count: usize, within: Duration) -> Vec<Value> {
        until(count, within, || self.history()).await
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }
}

impl Memory {
    fn millis(&self) -> i64 {
        self.clock.unwrap_or_else(|| now().as_millisecond())
    }

    fn refuse(&mut self, status: u16, why: &str) -> Response {
        self.refused.push((status, why.to_owned()));
        let body = json!({"message": why});
        (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
    }

    fn engage(&mut self, address: &str, headers: &HeaderMap, body: &Value) -> Response {
        if proof::text(headers, "authorization") != format!("Bearer {ENGAGEMENT_SECRET}") {
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
            "context" if self.takes_context => body["Value"].is_object(),
            _ => return self.refuse(400, "Type must be message"),
        };
        if !fits {
            return self.refuse(400, "Value is required");
        }
        let members = body.as_object().map_or(0, serde_json::Map::len);
        if members != 3 {
            return self.refuse(400, "only Type, Value and CustomerReference are known");
        }
        let (kind, customer) = (kind.to_owned(), customer.to_owned());
        self.posts.push(Post { kind, value: body["Value"].clone(), customer });
        axum::Json(json!({})).into_response()
    }
}

async fn answer(
    State(memory): State<Arc<Mutex<Memory>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut memory = memory.lock().unwrap();
    if uri.path() == KEYS && method == Method::GET {
        memory.key_fetches += 1;
        if memory.keys_are_down {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        return axum::Json(memory.ring.published()).into_response();
    }
    let endpoint = uri.path().strip_prefix(ENGAGE);
    if endpoint.is_none() && uri.path() != PERSIST {
        return memory.refuse(404, "Not Found");
    }
    if method != Method::POST {
        return memory.refuse(405, "Method Not Allowed");
    }
    if let Some(status) = memory.answers.pop_front() {
        return memory.refuse(status, "as a test wants it");
    }
    if !proof::text(&headers, "content-type").starts_with("application/json") {
        return memory.refuse(415, "Unsupported Media Type");
    }
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return memory.refuse(400, "Malformed JSON");
    };
    match endpoint {
        Some(address) => memory.engage(address, &headers, &value),
        None => memory.persist(&headers, &value),
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
        assert!(Instant::now() < end, "within {within:?}, there were {had} of {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
