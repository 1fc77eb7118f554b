//! A mock of Webex Connect: the generated URL, which refuses events that differ from the documented ones; and the
//! events that Webex Connect sends to a bot.

mod player;
mod rules;

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use player::MOCK;
pub use rules::{check_event, check_response};

#[derive(Debug, Default)]
struct Received {
    accepted: Vec<Value>,
    refused: Vec<String>,
}

/// A mock of the URL that Webex Connect generates for an integration, on its own port.
#[derive(Debug, Clone)]
pub struct WebexConnect {
    port: u16,
    received: Arc<Mutex<Received>>,
}

impl WebexConnect {
    /// Starts the server.
    pub async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Starts the server on the given listener.
    pub fn start_at(listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let received = Arc::<Mutex<Received>>::default();
        let router = Router::new().fallback(post_event).with_state(Arc::clone(&received));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, received }
    }

    /// Returns the generated URL. Its form is our assumption.
    pub fn send_url(&self) -> String {
        format!("http://127.0.0.1:{}/events/simulated", self.port)
    }

    /// Returns the accepted events, in order.
    pub fn accepted(&self) -> Vec<Value> {
        self.received.lock().unwrap().accepted.clone()
    }

    /// Returns why events were refused.
    pub fn refused(&self) -> Vec<String> {
        self.received.lock().unwrap().refused.clone()
    }
}

/// Takes an event. The page documents no answer: the codes are those of the feature "Inbound Webhooks"
/// (<https://developers.webexconnect.io/reference/inbound-webhooks>), which answers errors with status 200, too. That
/// the generated URL answers alike, and with the id of the message, is our assumption.
async fn post_event(State(received): State<Arc<Mutex<Received>>>, body: Bytes) -> Response {
    let mut received = received.lock().unwrap();
    let event = serde_json::from_slice::<Value>(&body).map_err(|why| why.to_string());
    let answer = match event.and_then(|event| check_event(&event).map(|()| event)) {
        Ok(event) => {
            received.accepted.push(event);
            let id = format!("wx-out-{}", received.accepted.len());
            json!({"response": [{"code": "1002", "description": "Queued", "transid": id}]})
        }
        Err(why) => {
            let answer = json!({"response": [{"code": "7000", "description": why}]});
            received.refused.push(why);
            answer
        }
    };
    Json(answer).into_response()
}
