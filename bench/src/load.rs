//! Generates load: signed messages of customers, as API Gateway passes them to the inbound function.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::task::JoinSet;
use trunkline_runtime::app::{Clock, SystemClock};

use crate::gateway::http_event;
use crate::receiver::{MessageKey, ReceivedMessage};
use crate::testbed::{SIGNING, TestBed};

/// A message that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub key: MessageKey,
    /// The scheduled time.
    pub at: Instant,
    /// From the scheduled time to the response.
    pub duration: Duration,
    pub accepted: bool,
}

/// Sends a message that is scheduled for `at`.
pub async fn send(bed: &TestBed, key: MessageKey, at: Instant) -> Sent {
    let answer = bed.inbound.invoke(message_event(key).to_string().into()).await;
    let response: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let accepted = answer.ok && response["statusCode"] == 200;
    Sent { key, at, duration: at.elapsed(), accepted }
}

/// The number of conversations between which messages alternate.
pub const CONVERSATIONS: u32 = 100;

/// Messages at a constant rate.
#[derive(Debug, Clone, Copy)]
pub struct LoadProfile {
    /// Messages per second.
    pub rate: u32,
    /// Duration, in whole seconds.
    pub time: Duration,
    /// Number of times that each message is sent.
    pub copies: u32,
    /// Number of the first conversation.
    pub base: u32,
    /// Number of the first message of each conversation.
    pub first: u32,
}

/// Sends messages at a constant rate. Durations start at the scheduled time, so that a stall shows in every
/// message that it delays.
pub async fn send_at_rate(bed: &Arc<TestBed>, profile: LoadProfile) -> Vec<Sent> {
    let began = Instant::now();
    let count = profile.rate * u32::try_from(profile.time.as_secs()).unwrap_or(1);
    let mut calls = JoinSet::new();
    for place in 0..count {
        let at = began + Duration::from_secs(1) * place / profile.rate;
        tokio::time::sleep_until(at.into()).await;
        let key = (profile.base + place % CONVERSATIONS, place / CONVERSATIONS + profile.first);
        for _ in 0..profile.copies {
            let bed = Arc::clone(bed);
            calls.spawn(async move { send(&bed, key, at).await });
        }
    }
    calls.join_all().await
}

/// Returns the event of a message with 100 bytes of text.
pub fn message_event((conversation, number): MessageKey) -> Value {
    let text = format!("{conversation} {number} {:.<80}", "Where is my parcel?");
    let id = format!("m-{conversation}-{number}");
    api_gateway_event(
        "shop",
        &id,
        &format!("c-{conversation}"),
        &json!({"type": "message", "data": {"text": text}}),
    )
}

/// Returns the event of the bot's read receipt for a message.
pub fn receipt_event(message: &ReceivedMessage) -> Value {
    let data = json!({"message": message.id, "status": "read"});
    api_gateway_event(
        "bot",
        &format!("r-{}", message.id),
        &message.conversation,
        &json!({"type": "receipt", "data": data}),
    )
}

/// Returns the API Gateway event for a webhook event of a connection.
fn api_gateway_event(connection: &str, id: &str, conversation: &str, payload: &Value) -> Value {
    let now = SystemClock.now();
    let mut body = json!({"id": id, "timestamp": now, "conversation": conversation});
    body.as_object_mut().unwrap().extend(payload.as_object().unwrap().clone());
    let body = body.to_string();
    let signature = Webhook::new(SIGNING).unwrap().sign(id, now.as_second(), body.as_bytes());
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now.as_second().to_string()),
        ("webhook-signature", signature.unwrap()),
    ];
    http_event("webhook", connection, "", headers, &body)
}
