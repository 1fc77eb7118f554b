//! The Webex side: takes our 1001 and 1002, and shows them as the customer would see them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::tell;

pub(super) async fn serve(listener: TcpListener, told: watch::Sender<usize>) {
    let router = Router::new().route("/events/demo", post(hear)).with_state(told);
    if let Err(error) = axum::serve(listener, router).await {
        tell("Webex side", &format!("stopped: {error}"));
    }
}

async fn hear(State(told): State<watch::Sender<usize>>, body: Bytes) -> String {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let conversation = event["conversation_id"].as_str().unwrap_or("?");
    let said = match event["eventid"].as_str() {
        Some("1001") => event["message"].as_str().unwrap_or("").replace('\n', " | "),
        Some("1002") => format!("handed over to an agent ({})", event["customparam1"]),
        _ => event.to_string(),
    };
    tell("Webex side receives", &format!("[{conversation}] {said}"));
    told.send_modify(|seen| *seen += 1);
    json!({"response": [{"code": "1002", "description": "Queued"}]}).to_string()
}
