//! The receiver: a bot that notes what arrives and when, and behaves as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// A message: the how-manieth of which conversation.
pub type Name = (u32, u32);

/// How the receiver behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// It answers after that time.
    pub after: Duration,
    /// It takes nothing.
    pub down: bool,
    /// It takes nothing of this conversation.
    pub poisoned: Option<u32>,
}

/// What the bot knows a message by.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its id.
    pub id: String,
    /// Its conversation.
    pub conversation: String,
}

#[derive(Debug, Default)]
struct Memory {
    behaviour: Behaviour,
    arrived: Vec<(Name, Instant)>,
    heard: Vec<Heard>,
    elsewhere: u64,
    waited_for: HashMap<Name, Arc<Notify>>,
}

/// The receiver.
#[derive(Debug, Clone)]
pub struct Sink {
    port: u16,
    memory: Arc<Mutex<Memory>>,
}

impl Sink {
    /// On a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Self { port, memory: Arc::default() };
        let app = Router::new().route("/bot", post(hear)).route("/bot/other", post(other));
        let app = app.with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        sink
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/bot", self.port)
    }

    /// From now on it behaves so.
    pub fn behave(&self, behaviour: Behaviour) {
        self.memory.lock().unwrap().behaviour = behaviour;
    }

    /// What has arrived, in order, since this was last asked.
    pub fn take(&self) -> Vec<(Name, Instant)> {
        std::mem::take(&mut self.memory.lock().unwrap().arrived)
    }

    /// What has arrived, as a receipt can be about it, since this was last asked.
    pub fn take_heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.memory.lock().unwrap().heard)
    }

    /// How much has arrived that is not the bot's.
    pub fn elsewhere(&self) -> u64 {
        self.memory.lock().unwrap().elsewhere
    }

    /// What wakes whoever waits for a message; to be asked for before it is sent.
    pub fn expect(&self, name: Name) -> Arc<Notify> {
        Arc::clone(self.memory.lock().unwrap().waited_for.entry(name).or_default())
    }
}

async fn hear(State(sink): State<Sink>, body: Bytes) -> StatusCode {
    let at = Instant::now();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(name) = name(&body) else { return StatusCode::BAD_REQUEST };
    let behaviour = sink.memory.lock().unwrap().behaviour;
    if behaviour.down || behaviour.poisoned == Some(name.0) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let waiting = {
        let mut memory = sink.memory.lock().unwrap();
        memory.arrived.push((name, at));
        memory.heard.push(Heard {
            id: body["id"].as_str().unwrap_or_default().to_owned(),
            conversation: body["conversation"].as_str().unwrap_or_default().to_owned(),
        });
        memory.waited_for.remove(&name)
    };
    if let Some(waiting) = waiting {
        waiting.notify_one();
    }
    if !behaviour.after.is_zero() {
        tokio::time::sleep(behaviour.after).await;
    }
    StatusCode::OK
}

async fn other(State(sink): State<Sink>) -> StatusCode {
    let after = {
        let mut memory = sink.memory.lock().unwrap();
        memory.elsewhere += 1;
        memory.behaviour.after
    };
    tokio::time::sleep(after).await;
    StatusCode::OK
}

/// From the text `<conversation> <number> …`.
fn name(body: &Value) -> Option<Name> {
    let mut words = body["data"]["text"].as_str()?.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
