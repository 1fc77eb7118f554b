//! The customer, who writes by way of Webex Connect's webhooks.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};
use trunkline_shared::model::time::spaced_millis;

use super::{Api, FarSides, tell};

/// A customer of the demo.
#[derive(Debug, Clone)]
pub struct Customer {
    /// How the API is reached.
    pub api: Api,
    /// The Webex connection's inbound address.
    pub url: String,
    /// The customer's conversation.
    pub conversation: String,
}

impl Customer {
    async fn does(&self, what: &str, event: Value) {
        let now = SystemClock.now();
        let mut body = json!({
            "Conversationid": self.conversation,
            "ConversationType": "BOT",
            "Channel": "WhatsApp",
            "Timestamp": spaced_millis(now),
        });
        if let (Some(body), Some(event)) = (body.as_object_mut(), event.as_object()) {
            body.extend(event.clone());
        }
        let since = Instant::now();
        let answer = self.api.post(&self.url, body.to_string()).send().await;
        let answer =
            answer.map_or_else(|error| error.to_string(), |answer| answer.status().to_string());
        tell("customer", &format!("{what}: {answer} in {} ms", since.elapsed().as_millis()));
    }

    async fn writes(&self, text: &str) {
        let id = RandomIds.next(SystemClock.now());
        let event = json!({
            "Event": "Incoming message", "Message": text, "MessageType": "text",
            "Messageid": id, "Media": "",
        });
        self.does(&format!("\"{text}\""), event).await;
    }

    async fn taps(&self, payload: &str) {
        let event = json!({"Event": "FB POSTBACK", "PostbackPayload": payload});
        self.does(&format!("taps {payload}"), event).await;
    }
}

/// Plays the conversation: a question, a choice, a wish for a person. Answers whether all that was to
/// come out at the Webex side did, within a minute.
pub async fn play(customer: &Customer, far: &mut FarSides) -> bool {
    customer.writes("Where is my parcel?").await;
    if !until(far, 1).await {
        return false;
    }
    customer.taps("TRACK_48121").await;
    if !until(far, 2).await {
        return false;
    }
    customer.writes("Can I talk to an agent?").await;
    until(far, 4).await
}

async fn until(far: &mut FarSides, count: usize) -> bool {
    let wait = far.seen.wait_for(|seen| *seen >= count);
    matches!(tokio::time::timeout(Duration::from_mins(1), wait).await, Ok(Ok(_)))
}
