//! A proxy between the functions and AWS. It records every request, and it can reject a request or kill
//! the worker that sent it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use crate::workers::kill_owner_of;

/// A fault that replaces a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Kills the worker with `kill -9`. The request does not reach AWS.
    Kill,
    /// Responds with status 503.
    Refuse,
    /// Responds that the caller calls too often. The request does not reach AWS.
    Throttle,
    /// AWS does what is asked, and its answer is lost: the response is the status 503.
    LoseAnswer,
}

#[derive(Debug)]
struct Rule {
    operation: String,
    word: String,
    skip: usize,
    times: usize,
    fault: Fault,
}

#[derive(Debug, Default)]
struct Calls {
    upstream: OnceLock<String>,
    seen: Mutex<Vec<(String, String)>>,
    rules: Mutex<Vec<Rule>>,
    count: AtomicU64,
}

/// The proxy between the functions and AWS.
#[derive(Debug, Clone)]
pub struct FaultProxy {
    port: u16,
    http: reqwest::Client,
    calls: Arc<Calls>,
}

impl FaultProxy {
    /// Starts a proxy without an upstream: it responds with 503.
    pub async fn start() -> Self {
        // Redirects are for the caller.
        let none = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let started = Self { port, http, calls: Arc::new(Calls::default()) };
        let router = Router::new().fallback(forward).with_state(started.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        started
    }

    /// Returns the AWS endpoint URL for functions.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets the URL of the local AWS.
    pub fn set_upstream(&self, upstream: String) {
        self.calls.upstream.set(upstream).unwrap();
    }

    /// Injects a fault into `times` requests, after skipping `skip` of them. A request matches by its
    /// `operation` and if its body contains `word`, or each of several words that `&` separates.
    pub fn inject(&self, fault: Fault, operation: &str, word: &str, skip: usize, times: usize) {
        let (operation, word) = (operation.to_owned(), word.to_owned());
        self.calls.rules.lock().unwrap().push(Rule { operation, word, skip, times, fault });
    }

    /// Returns the number of faults still to be injected for `word`.
    pub fn remaining(&self, word: &str) -> usize {
        let rules = self.calls.rules.lock().unwrap();
        rules.iter().filter(|rule| rule.word == word).map(|rule| rule.times).sum()
    }

    /// Writes all requests so far to a file, each as a line of JSON with the members `target` and `body`.
    pub fn write_requests(&self, path: &Path) {
        let seen = self.calls.seen.lock().unwrap();
        let line = |(target, body): &(String, String)| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            format!("{}\n", serde_json::json!({"target": target, "body": body}))
        };
        std::fs::write(path, seen.iter().map(line).collect::<String>()).unwrap();
    }

    /// Returns how long the next call takes: calls of AWS take longer than those of the local AWS.
    fn latency(&self) -> Duration {
        let count = self.calls.count.fetch_add(1, Ordering::Relaxed);
        // Spread over 5 to 15 ms.
        Duration::from_millis(5 + count * 7 % 11)
    }

    fn fault(&self, operation: &str, body: &str) -> Option<Fault> {
        let mut rules = self.calls.rules.lock().unwrap();
        let fits = |rule: &&mut Rule| {
            rule.times > 0
                && operation.ends_with(&rule.operation)
                && rule.word.split('&').all(|word| body.contains(word))
        };
        let rule = rules.iter_mut().find(fits)?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault)
    }

    /// Returns the bodies of requests of an operation that contain `word`.
    pub fn bodies(&self, operation: &str, word: &str) -> Vec<String> {
        let seen = self.calls.seen.lock().unwrap();
        let fits =
            seen.iter().filter(|(name, body)| name.contains(operation) && body.contains(word));
        fits.map(|(_, body)| body.clone()).collect()
    }

    /// Counts requests by operation, if their body contains `word`. Reads of cached items (configuration
    /// and the index from external conversation ids to legs) are counted separately: a process sends them
    /// at its start and every 30 seconds, not for each message.
    pub fn counts(&self, word: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (operation, body) in self.calls.seen.lock().unwrap().iter() {
            if body.contains(word) {
                // The item of a leg has the external id in its sort key, this one in its partition key.
                let external_id_item = format!(r#""pk":{{"S":"LEG#{word}"#);
                let keys = ["CONN#", "ROUTE#", &external_id_item];
                let operation = operation.rsplit('.').next().unwrap_or_default();
                let cached = operation == "GetItem" && keys.iter().any(|key| body.contains(key));
                let kind = match cached {
                    true => " of cached items",
                    false if body.contains("RATE#") => " of rates",
                    false => "",
                };
                *counts.entry(format!("{operation}{kind}")).or_default() += 1;
            }
        }
        counts
    }
}

async fn forward(
    State(proxy): State<FaultProxy>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    tokio::time::sleep(proxy.latency()).await;
    let mut answer_lost = false;
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some(operation) = operation {
        let text = String::from_utf8_lossy(&body).into_owned();
        let fault = proxy.fault(operation, &text);
        proxy.calls.seen.lock().unwrap().push((operation.to_owned(), text));
        match fault {
            None => {}
            Some(Fault::LoseAnswer) => answer_lost = true,
            Some(Fault::Throttle) => return throttled(),
            Some(Fault::Kill) => {
                kill_owner_of(caller.port(), proxy.port);
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            Some(Fault::Refuse) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
    let Some(upstream) = proxy.calls.upstream.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let call = proxy.http.request(method, format!("{upstream}{uri}")).headers(headers).body(body);
    match call.send().await {
        Ok(_) if answer_lost => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Ok(answer) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, answer.bytes().await.unwrap_or_default()).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// The response to a call that AWS throttles. Sources: `DynamoDB` API reference, common errors; the SDKs retry it for every
/// service.
fn throttled() -> Response {
    let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    let kind = [("content-type", "application/x-amz-json-1.0")];
    (StatusCode::BAD_REQUEST, kind, body).into_response()
}
