//! A far side over real HTTP: it records what it is sent, and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One call.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its raw body.
    pub body: Bytes,
}

impl Heard {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Debug, Default)]
struct Memory {
    heard: Vec<Heard>,
    answers: VecDeque<(u16, String)>,
    echoes: bool,
}

/// A far side on a port of its own.
#[derive(Debug, Clone)]
pub struct FarSide {
    port: u16,
    memory: Arc<Mutex<Memory>>,
}

impl FarSide {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let router = Router::new().fallback(hear).with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, memory }
    }

    /// The address of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers its next call so; calls after the last such answer get 200 and `{}`.
    pub fn will_answer(&self, status: u16, body: &str) {
        self.memory.lock().unwrap().answers.push_back((status, body.to_owned()));
    }

    /// From now on answers a handshake as the protocol asks.
    pub fn will_echo_the_challenge(&self) {
        self.memory.lock().unwrap().echoes = true;
    }

    /// What was heard on a path so far.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let memory = self.memory.lock().unwrap();
        memory.heard.iter().filter(|heard| heard.path == path).cloned().collect()
    }

    /// What was heard on a path, once it is at least `count` calls.
    pub async fn hears(&self, path: &str, count: usize) -> Vec<Heard> {
        for _ in 0..600 {
            let heard = self.heard(path);
            if heard.len() >= count {
                return heard;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("within 30 s, {path} heard {} calls of {count}", self.heard(path).len());
    }

    /// Makes sure that a path hears exactly `count` calls, and none more in the next two seconds.
    pub async fn hears_only(&self, path: &str, count: usize) -> Vec<Heard> {
        self.hears(path, count).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let heard = self.heard(path);
        let bodies =
            || heard.iter().map(|heard| String::from_utf8_lossy(&heard.body)).collect::<Vec<_>>();
        assert_eq!(heard.len(), count, "{path} heard {:#?}", bodies());
        heard
    }
}

async fn hear(
    State(memory): State<Arc<Mutex<Memory>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let mut memory = memory.lock().unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    memory.heard.push(Heard { path: uri.path().to_owned(), headers, body });
    if memory.echoes && event["type"] == "verification" {
        return (StatusCode::OK, json!({"challenge": event["data"]["challenge"]}).to_string());
    }
    let (status, body) = memory.answers.pop_front().unwrap_or((200, "{}".to_owned()));
    (StatusCode::from_u16(status).unwrap(), body)
}
