//! The receiver: a bot that records arrivals, with configurable behaviour.

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

/// Identifies a message: the number of its conversation, and its number in the conversation.
pub type MessageKey = (u32, u32);

/// The behaviour of the receiver.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// Time until the response.
    pub delay: Duration,
    /// Fails every call.
    pub down: bool,
    /// Fails every call of this conversation.
    pub poisoned: Option<u32>,
}

/// The ids of a received message, which a receipt refers to.
#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    pub id: String,
    pub conversation: String,
}

#[derive(Debug, Default)]
struct ReceiverState {
    behaviour: Behaviour,
    arrived: Vec<(MessageKey, Instant)>,
    messages: Vec<ReceivedMessage>,
    other_calls: u64,
    waiters: HashMap<MessageKey, Arc<Notify>>,
}

/// A bot that records arrivals.
#[derive(Debug, Clone)]
pub struct Receiver {
    port: u16,
    state: Arc<Mutex<ReceiverState>>,
}

impl Receiver {
    /// Starts the receiver on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { port, state: Arc::default() };
        let app =
            Router::new().route("/bot", post(receive)).route("/bot/other", post(receive_other));
        let app = app.with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/bot", self.port)
    }

    /// Sets the behaviour.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    /// Returns the arrivals since the last call, in order.
    pub fn take_arrivals(&self) -> Vec<(MessageKey, Instant)> {
        std::mem::take(&mut self.state.lock().unwrap().arrived)
    }

    /// Returns the received messages since the last call.
    pub fn take_messages(&self) -> Vec<ReceivedMessage> {
        std::mem::take(&mut self.state.lock().unwrap().messages)
    }

    /// Returns the number of calls for other connections than the bot.
    pub fn other_calls(&self) -> u64 {
        self.state.lock().unwrap().other_calls
    }

    /// Returns a notification of a message's arrival. Call this before the message is sent.
    pub fn arrival_of(&self, key: MessageKey) -> Arc<Notify> {
        Arc::clone(self.state.lock().unwrap().waiters.entry(key).or_default())
    }
}

async fn receive(State(receiver): State<Receiver>, body: Bytes) -> StatusCode {
    let at = Instant::now();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(key) = message_key(&body) else { return StatusCode::BAD_REQUEST };
    let behaviour = receiver.state.lock().unwrap().behaviour;
    if behaviour.down || behaviour.poisoned == Some(key.0) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let waiting = {
        let mut state = receiver.state.lock().unwrap();
        state.arrived.push((key, at));
        state.messages.push(ReceivedMessage {
            id: body["id"].as_str().unwrap_or_default().to_owned(),
            conversation: body["conversation"].as_str().unwrap_or_default().to_owned(),
        });
        state.waiters.remove(&key)
    };
    if let Some(waiting) = waiting {
        waiting.notify_one();
    }
    if !behaviour.delay.is_zero() {
        tokio::time::sleep(behaviour.delay).await;
    }
    StatusCode::OK
}

async fn receive_other(State(receiver): State<Receiver>) -> StatusCode {
    let delay = {
        let mut state = receiver.state.lock().unwrap();
        state.other_calls += 1;
        state.behaviour.delay
    };
    tokio::time::sleep(delay).await;
    StatusCode::OK
}

/// Parses the text `<conversation> <number> …`.
fn message_key(body: &Value) -> Option<MessageKey> {
    let mut words = body["data"]["text"].as_str()?.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
