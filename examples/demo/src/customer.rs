//! The demo customer, who writes through a simulated Webex Connect.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trunkline_core::model::time::format_spaced_millis;
use trunkline_runtime::app::{Clock, IdGenerator, RandomIdGenerator, SystemClock};

use crate::{DemoPlatforms, LocalApi, print_event};

/// A customer of the demo.
#[derive(Debug, Clone)]
pub struct Customer {
    pub api: LocalApi,
    /// The inbound URL of the Webex connection.
    pub url: String,
    /// The id of the conversation in Webex Connect.
    pub conversation: String,
}

impl Customer {
    async fn post_event(&self, what: &str, event: Value) {
        let now = SystemClock.now();
        let mut body = json!({
            "Conversationid": self.conversation,
            "ConversationType": "BOT",
            "Channel": "WhatsApp",
            "Timestamp": format_spaced_millis(now),
        });
        if let (Some(body), Some(event)) = (body.as_object_mut(), event.as_object()) {
            body.extend(event.clone());
        }
        let since = Instant::now();
        let answer = self.api.post(&self.url, body.to_string()).send().await;
        let answer =
            answer.map_or_else(|error| error.to_string(), |answer| answer.status().to_string());
        print_event("customer", &format!("{what}: {answer} in {} ms", since.elapsed().as_millis()));
    }

    async fn sends_text(&self, text: &str) {
        let id = RandomIdGenerator.next(SystemClock.now());
        let event = json!({
            "Event": "Incoming message", "Message": text, "MessageType": "text",
            "Messageid": id, "Media": "",
        });
        self.post_event(&format!("\"{text}\""), event).await;
    }

    async fn picks(&self, payload: &str) {
        let event = json!({"Event": "FB POSTBACK", "PostbackPayload": payload});
        self.post_event(&format!("picks {payload}"), event).await;
    }
}

/// Runs the conversation: a question, a choice, a request for an agent. Returns whether Webex Connect received
/// every expected message, each within a minute.
pub async fn play_conversation(customer: &Customer, platforms: &mut DemoPlatforms) -> bool {
    customer.sends_text("Where is my parcel?").await;
    if !wait_for_messages(platforms, 1).await {
        return false;
    }
    customer.picks("TRACK_48121").await;
    if !wait_for_messages(platforms, 2).await {
        return false;
    }
    customer.sends_text("Can I talk to an agent?").await;
    wait_for_messages(platforms, 4).await
}

async fn wait_for_messages(platforms: &mut DemoPlatforms, count: usize) -> bool {
    let wait = platforms.received.wait_for(|seen| *seen >= count);
    matches!(tokio::time::timeout(Duration::from_mins(1), wait).await, Ok(Ok(_)))
}
