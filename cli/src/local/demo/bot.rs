//! A small bot that speaks signed webhooks, as anybody's could.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};

use super::{Api, SIGNING, tell};

#[derive(Clone)]
struct Bot {
    url: Option<String>,
    api: Api,
}

pub(super) async fn serve(listener: TcpListener, url: Option<String>, api: Api) {
    let router = Router::new()
        .route("/bot", post(hear))
        .route("/customer", post(hear_as_customer))
        .with_state(Bot { url, api });
    if let Err(error) = axum::serve(listener, router).await {
        tell("bot", &format!("stopped: {error}"));
    }
}

async fn hear(State(bot): State<Bot>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let believed = Webhook::new(SIGNING).is_ok_and(|key| key.verify(&body, &headers).is_ok());
    if !believed {
        tell("bot", "a call whose signature is wrong: refused");
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    if event["type"] == "verification" {
        return (StatusCode::OK, json!({"challenge": event["data"]["challenge"]}).to_string());
    }
    let heard = event["data"]["text"].as_str().or(event["data"]["id"].as_str()).unwrap_or("");
    let kind = event["type"].as_str().unwrap_or("event");
    let copy = if event["copy"] == true { " (a copy)" } else { "" };
    tell("bot hears", &format!("{kind} \"{heard}\"{copy}, signature verified"));
    if event["copy"] != true {
        for answer in answers(kind, heard) {
            let conversation = event["conversation"].clone();
            tokio::spawn(say(bot.clone(), conversation, answer)).await.ok();
        }
    }
    (StatusCode::OK, String::new())
}

/// The customer on the webhook channel.
async fn hear_as_customer(body: Bytes) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let kind = event["type"].as_str().unwrap_or("event");
    let said = event["data"]["text"].as_str().or(event["data"]["reason"].as_str()).unwrap_or("");
    let conversation = event["conversation"].as_str().unwrap_or("?");
    tell("webhook channel", &format!("[{conversation}] {kind} \"{said}\""));
    StatusCode::OK
}

/// What the bot has to say.
fn answers(kind: &str, heard: &str) -> Vec<(&'static str, Value)> {
    let text = |text: &str| ("message", json!({"text": text}));
    match (kind, heard.to_lowercase().as_str()) {
        ("choice", _) => vec![text("Your parcel will arrive tomorrow between 9:00 and 12:00.")],
        ("message", heard) if heard.contains("parcel") => {
            let choices = json!([{"id": "TRACK_48121", "title": "Order 48121, shoes"},
                                 {"id": "TRACK_48077", "title": "Order 48077, a lamp"}]);
            vec![("message", json!({"text": "Which parcel do you mean?", "choices": choices}))]
        }
        ("message", heard) if heard.contains("agent") || heard.contains("person") => {
            let context = json!({"intent": "human", "language": "en"});
            vec![
                text("I am asking a colleague to take over."),
                ("handover", json!({"reason": "the customer asked", "context": context})),
            ]
        }
        ("message", heard) => {
            vec![text(&format!("You said \"{heard}\". Ask me about your parcel."))]
        }
        _ => Vec::new(),
    }
}

async fn say(bot: Bot, conversation: Value, (kind, data): (&'static str, Value)) {
    let Some(url) = &bot.url else { return };
    let now = SystemClock.now();
    let id = RandomIds.next(now);
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
    let said = event["data"]["text"].as_str().unwrap_or(kind);
    match call.send().await {
        Ok(answer) => tell("bot says", &format!("{kind} \"{said}\": {}", answer.status())),
        Err(error) => tell("bot", &format!("could not say {kind}: {error}")),
    }
}

fn sign(id: &str, at: Timestamp, body: &str) -> Option<String> {
    Webhook::new(SIGNING).and_then(|key| key.sign(id, at.as_second(), body.as_bytes())).ok()
}
