//! A tap between the functions and AWS: it passes every call on and counts it, and where it is told
//! to, refuses a call or kills the worker that makes it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use crate::workers::kill_owner_of;

/// What the tap does to a call in place of passing it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Kills the worker that makes it, with `kill -9`: the call never reaches AWS.
    Kill,
    /// Answers that the service is overloaded.
    Refuse,
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
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
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

    /// From now on does so to the next `times` calls of `operation` with `word` (or, with `&` between
    /// them, several words) in their bodies, after
    /// the first `skip` of them.
    pub fn will(&self, fault: Fault, operation: &str, word: &str, skip: usize, times: usize) {
        let (operation, word) = (operation.to_owned(), word.to_owned());
        self.calls.rules.lock().unwrap().push(Rule { operation, word, skip, times, fault });
    }

    /// How many calls it has yet to do something to, with `word` in their bodies.
    pub fn has_yet_to(&self, word: &str) -> usize {
        let rules = self.calls.rules.lock().unwrap();
        rules.iter().filter(|rule| rule.word == word).map(|rule| rule.times).sum()
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

    /// What was sent in calls of an operation, with `word` in it.
    pub fn bodies(&self, operation: &str, word: &str) -> Vec<String> {
        let seen = self.calls.seen.lock().unwrap();
        let fits =
            seen.iter().filter(|(name, body)| name.contains(operation) && body.contains(word));
        fits.map(|(_, body)| body.clone()).collect()
    }

    /// How often each operation was called with `word` in its body. Reads of what a process remembers
    /// (configuration, the way from a leg's external id) are told apart: they come with a fresh
    /// process and every half minute, not with a message.
    pub fn counts(&self, word: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (operation, body) in self.calls.seen.lock().unwrap().iter() {
            if body.contains(word) {
                // A leg's own item has that in its sort key.
                let address = format!(r#""pk":{{"S":"LEG#{word}"#);
                let keys = ["CONN#", "ROUTE#", &address];
                let operation = operation.rsplit('.').next().unwrap_or_default();
                let remembered =
                    operation == "GetItem" && keys.iter().any(|key| body.contains(key));
                let kind = match remembered {
                    true => " of what is remembered",
                    false if body.contains("RATE#") => " of rates",
                    false => "",
                };
                *counts.entry(format!("{operation}{kind}")).or_default() += 1;
            }
        }
        counts
    }
}

async fn pass(
    State(tap): State<Tap>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some(operation) = operation {
        let text = String::from_utf8_lossy(&body).into_owned();
        let fault = tap.fault(operation, &text);
        tap.calls.seen.lock().unwrap().push((operation.to_owned(), text));
        match fault {
            None => {}
            Some(Fault::Kill) => {
                kill_owner_of(caller.port(), tap.port);
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            Some(Fault::Refuse) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
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
