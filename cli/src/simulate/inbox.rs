//! A far side that takes every call, for platforms whose side is only an address.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What came, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Inbox {
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Inbox {
    /// Listens; whatever comes is answered with `answer`, a verification with its challenge.
    pub(super) fn start(listener: TcpListener, answer: Value) -> Self {
        let inbox = Self::default();
        let kept = inbox.clone();
        let take = move |body: Bytes| {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let answer = match body["data"].get("challenge") {
                Some(challenge) => json!({"challenge": challenge}),
                None => answer.clone(),
            };
            kept.heard.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            std::future::ready(axum::Json(answer))
        };
        let router = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        inbox
    }

    /// All that came so far.
    pub(super) fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
