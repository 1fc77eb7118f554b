//! A small demo bot with signed webhooks.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use trunkline_runtime::app::{Clock, IdGenerator, RandomIdGenerator, SystemClock};

use crate::{LocalApi, SIGNING, print_event};

#[derive(Clone)]
struct Bot {
    url: Option<String>,
    api: LocalApi,
}

pub(super) async fn serve(listener: TcpListener, url: Option<String>, api: LocalApi) {
    let router = Router::new()
        .route("/bot", post(receive))
        .route("/customer", post(receive_as_customer))
        .with_state(Bot { url, api });
    if let Err(error) = axum::serve(listener, router).await {
        print_event("bot", &format!("stopped: {error}"));
    }
}

async fn receive(State(bot): State<Bot>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let verified = Webhook::new(SIGNING).is_ok_and(|key| key.verify(&body, &headers).is_ok());
    if !verified {
        print_event("bot", "rejected a call with a wrong signature");
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    if event["type"] == "verification" {
        return (StatusCode::OK, json!({"challenge": event["data"]["challenge"]}).to_string());
    }
    let received = event["data"]["text"].as_str().or(event["data"]["id"].as_str()).unwrap_or("");
    let kind = event["type"].as_str().unwrap_or("event");
    let copy = if event["copy"] == true { " (a copy)" } else { "" };
    print_event("bot receives", &format!("{kind} \"{received}\"{copy}, signature verified"));
    if event["copy"] != true {
        for answer in replies(kind, received) {
            let conversation = event["conversation"].clone();
            tokio::spawn(send(bot.clone(), conversation, answer)).await.ok();
        }
    }
    (StatusCode::OK, String::new())
}

/// Receives events for the customer on the webhook channel.
async fn receive_as_customer(body: Bytes) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let kind = event["type"].as_str().unwrap_or("event");
    let text = event["data"]["text"].as_str().or(event["data"]["reason"].as_str()).unwrap_or("");
    let conversation = event["conversation"].as_str().unwrap_or("?");
    print_event("webhook channel", &format!("[{conversation}] {kind} \"{text}\""));
    StatusCode::OK
}

/// Returns the bot's replies to an event.
fn replies(kind: &str, received: &str) -> Vec<(&'static str, Value)> {
    let text = |text: &str| ("message", json!({"text": text}));
    match (kind, received.to_lowercase().as_str()) {
        ("choice", _) => vec![text("Your parcel will arrive tomorrow between 9:00 and 12:00.")],
        ("message", received) if received.contains("parcel") => {
            let choices = json!([{"id": "TRACK_48121", "title": "Order 48121, shoes"},
                                 {"id": "TRACK_48077", "title": "Order 48077, a lamp"}]);
            vec![("message", json!({"text": "Which parcel do you mean?", "choices": choices}))]
        }
        ("message", received) if received.contains("agent") || received.contains("person") => {
            let context = json!({"intent": "human", "language": "en"});
            vec![
                text("I am asking a colleague to take over."),
                ("handover", json!({"reason": "the customer asked", "context": context})),
            ]
        }
        ("message", received) => {
            vec![text(&format!("You said \"{received}\". Ask me about your parcel."))]
        }
        _ => Vec::new(),
    }
}

async fn send(bot: Bot, conversation: Value, (kind, data): (&'static str, Value)) {
    let Some(url) = &bot.url else { return };
    let now = SystemClock.now();
    let id = RandomIdGenerator.next(now);
    let event = json!({
        "id": id, "timestamp": now, "conversation": conversation, "type": kind, "data": data,
    });
    let body = event.to_string();
    let Some(signature) = sign(&id, now, &body) else { return };
    let call = bot
        .api
        .post(url, body)
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.as_second().to_string())
        .header("webhook-signature", signature);
    let text = event["data"]["text"].as_str().unwrap_or(kind);
    match call.send().await {
        Ok(answer) => print_event("bot sends", &format!("{kind} \"{text}\": {}", answer.status())),
        Err(error) => print_event("bot", &format!("cannot send {kind}: {error}")),
    }
}

fn sign(id: &str, at: Timestamp, body: &str) -> Option<String> {
    Webhook::new(SIGNING).and_then(|key| key.sign(id, at.as_second(), body.as_bytes())).ok()
}
