//! A tap between the functions and AWS: it passes every call on, and counts it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

#[derive(Debug, Default)]
struct Calls {
    upstream: OnceLock<String>,
    seen: Mutex<Vec<(String, String)>>,
}

/// The tap.
#[derive(Debug, Clone)]
pub struct Tap {
    port: u16,
    http: reqwest::Client,
    calls: Arc<Calls>,
}

impl Tap {
    /// Starts one, which leads nowhere yet.
    pub async fn start(http: reqwest::Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tap = Self { port, http, calls: Arc::new(Calls::default()) };
        let router = Router::new().fallback(pass).with_state(tap.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        tap
    }

    /// Where functions are to call AWS.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Leads it to the local AWS.
    pub fn leads_to(&self, upstream: String) {
        self.calls.upstream.set(upstream).unwrap();
    }

    /// How often each operation was called with `word` in its body. Reads of what a process remembers
    /// (configuration, the way from a leg's external id) are told apart: they come with a fresh
    /// process and every half minute, not with a message.
    pub fn counts(&self, word: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (operation, body) in self.calls.seen.lock().unwrap().iter() {
            if body.contains(word) {
                let keys = ["CONN#".to_owned(), "ROUTE#".to_owned(), format!("LEG#{word}")];
                let remembered = keys.iter().any(|key| body.contains(key));
                let operation = operation.rsplit('.').next().unwrap_or_default();
                let kind = if remembered { " of what is remembered" } else { "" };
                *counts.entry(format!("{operation}{kind}")).or_default() += 1;
            }
        }
        counts
    }
}

async fn pass(
    State(tap): State<Tap>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some(operation) = operation {
        let text = String::from_utf8_lossy(&body).into_owned();
        tap.calls.seen.lock().unwrap().push((operation.to_owned(), text));
    }
    let Some(upstream) = tap.calls.upstream.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let call = tap.http.request(method, format!("{upstream}{uri}")).headers(headers).body(body);
    match call.send().await {
        Ok(answer) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, answer.bytes().await.unwrap_or_default()).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
