//! Generates load: signed messages of customers, as API Gateway passes them to the inbound function.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::task::JoinSet;
use trunkline_runtime::app::{Clock, SystemClock};

use crate::receiver::{MessageKey, ReceivedMessage};
use crate::testbed::{PATH_KEY, SIGNING, TestBed};

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

/// Returns the API Gateway event (payload format 2.0) for a webhook event of a connection.
fn api_gateway_event(connection: &str, id: &str, conversation: &str, payload: &Value) -> Value {
    let now = SystemClock.now();
    let mut body = json!({"id": id, "timestamp": now, "conversation": conversation});
    body.as_object_mut().unwrap().extend(payload.as_object().unwrap().clone());
    let body = body.to_string();
    let signature = Webhook::new(SIGNING).unwrap().sign(id, now.as_second(), body.as_bytes());
    let path = format!("/in/webhook/{connection}/{PATH_KEY}");
    json!({
        "version": "2.0",
        "routeKey": "ANY /in/webhook/{connection}/{key}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "content-length": body.len().to_string(),
            "host": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "bench",
            "x-amzn-trace-id": "Root=1-66f9c1de-5c7c7c7c7c7c7c7c7c7c7c7c",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "webhook-id": id,
            "webhook-timestamp": now.as_second().to_string(),
            "webhook-signature": signature.unwrap(),
        },
        "requestContext": {
            "accountId": "000000000000", "apiId": "bench", "domainName": "localhost",
            "domainPrefix": "bench", "requestId": id, "stage": "$default",
            "routeKey": "ANY /in/webhook/{connection}/{key}",
            "time": "04/Mar/2026:09:15:20 +0000", "timeEpoch": now.as_millisecond(),
            "http": {
                "method": "POST", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7", "userAgent": "bench",
            },
        },
        "pathParameters": {"connection": connection, "key": PATH_KEY},
        "isBase64Encoded": false,
        "body": body,
    })
}
