//! A simulated Webex Connect: accepts Trunkline's events 1001 and 1002 and prints what the customer sees.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::print_event;

pub(super) async fn serve(listener: TcpListener, received: watch::Sender<usize>) {
    let router = Router::new().route("/events/demo", post(receive)).with_state(received);
    if let Err(error) = axum::serve(listener, router).await {
        print_event("Webex Connect", &format!("stopped: {error}"));
    }
}

async fn receive(State(received): State<watch::Sender<usize>>, body: Bytes) -> String {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let conversation = event["conversation_id"].as_str().unwrap_or("?");
    let text = match event["eventid"].as_str() {
        Some("1001") => event["message"].as_str().unwrap_or("").replace('\n', " | "),
        Some("1002") => format!("handed over to an agent ({})", event["customparam1"]),
        _ => event.to_string(),
    };
    print_event("Webex receives", &format!("[{conversation}] {text}"));
    received.send_modify(|seen| *seen += 1);
    json!({"response": [{"code": "1002", "description": "Queued"}]}).to_string()
}
