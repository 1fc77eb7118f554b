//! A server that accepts every call, for platforms that only call one URL.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The received events, in order.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    received: Arc<Mutex<Vec<Value>>>,
}

impl Inbox {
    /// Starts the server. It answers each call with `answer`, and a verification with its challenge.
    pub fn start(listener: TcpListener, answer: Value) -> Self {
        let inbox = Self::default();
        let kept = inbox.clone();
        let take = move |body: Bytes| {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let answer = match body["data"].get("challenge") {
                Some(challenge) => json!({"challenge": challenge}),
                None => answer.clone(),
            };
            kept.received.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            std::future::ready(axum::Json(answer))
        };
        let router = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        inbox
    }

    /// Returns all events received so far.
    pub fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
