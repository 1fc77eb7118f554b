//! The load: signed messages of customers, as API Gateway hands them to the function.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::task::JoinSet;
use trunkline_shared::app::{Clock, SystemClock};

use crate::sink::{Heard, Name};
use crate::world::{PATH_KEY, SIGNING, World};

/// A message that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// Which.
    pub name: Name,
    /// When it was to be sent.
    pub at: Instant,
    /// How long its answer took.
    pub took: Duration,
    /// Whether it was accepted.
    pub accepted: bool,
}

/// Sends a message that was to be sent at that time.
pub async fn send(world: &World, name: Name, at: Instant) -> Sent {
    let answer = world.inbound.invoke(event(name).to_string().into()).await;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let accepted = answer.ok && told["statusCode"] == 200;
    Sent { name, at, took: at.elapsed(), accepted }
}

/// How many conversations take turns.
pub const CONVERSATIONS: u32 = 100;

/// Messages at an even rate.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many a second.
    pub rate: u32,
    /// For how long, in whole seconds.
    pub time: Duration,
    /// How often each is sent.
    pub copies: u32,
    /// The first conversation's number.
    pub base: u32,
    /// The number of each conversation's first message.
    pub first: u32,
}

/// Times are taken from when a message was to be sent, so that a stall shows in all that wait for it.
pub async fn paced(world: &Arc<World>, pace: Pace) -> Vec<Sent> {
    let began = Instant::now();
    let count = pace.rate * u32::try_from(pace.time.as_secs()).unwrap_or(1);
    let mut calls = JoinSet::new();
    for place in 0..count {
        let at = began + Duration::from_secs(1) * place / pace.rate;
        tokio::time::sleep_until(at.into()).await;
        let name = (pace.base + place % CONVERSATIONS, place / CONVERSATIONS + pace.first);
        for _ in 0..pace.copies {
            let world = Arc::clone(world);
            calls.spawn(async move { send(&world, name, at).await });
        }
    }
    calls.join_all().await
}

/// A message of 100 bytes of text.
pub fn event((conversation, number): Name) -> Value {
    let text = format!("{conversation} {number} {:.<80}", "Where is my parcel?");
    let id = format!("m-{conversation}-{number}");
    called(
        "shop",
        &id,
        &format!("c-{conversation}"),
        &json!({"type": "message", "data": {"text": text}}),
    )
}

/// What the bot says of a message that it got.
pub fn receipt(heard: &Heard) -> Value {
    let data = json!({"message": heard.id, "status": "read"});
    called(
        "bot",
        &format!("r-{}", heard.id),
        &heard.conversation,
        &json!({"type": "receipt", "data": data}),
    )
}

/// The event of API Gateway (payload format 2.0) for what a connection says.
fn called(connection: &str, id: &str, conversation: &str, payload: &Value) -> Value {
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
