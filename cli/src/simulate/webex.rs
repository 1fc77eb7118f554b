//! Webex Connect: the customer, on WhatsApp.

use serde_json::{Value, json};
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};
use trunkline_shared::model::time::spaced_millis;

use super::inbox::Inbox;
use super::{Act, Call, Player, Setup, Stage, fresh};

const CONVERSATION: &str = "simulated-1";

struct Customer {
    port: u16,
    inbox: Inbox,
    known: usize,
}

/// Starts Webex Connect.
pub(crate) fn play(stage: Stage) -> Box<dyn Player> {
    let queued = json!({"response": [{"code": "1002", "description": "Queued"}]});
    Box::new(Customer { port: stage.port, inbox: Inbox::start(stage.listener, queued), known: 0 })
}

impl Player for Customer {
    fn setup(&self) -> Setup {
        let url = format!("http://127.0.0.1:{}/events/simulated", self.port);
        let secrets = vec![("verification_token", "vt-simulated".to_owned()), ("send_url", url)];
        Setup { settings: json!({}), secrets }
    }

    fn act(&mut self, act: Act) -> Result<Vec<Call>, String> {
        let now = SystemClock.now();
        let mut event = match act {
            Act::Say(text) => json!({
                "Event": "Incoming message", "Message": text, "MessageType": "text",
                "Messageid": RandomIds.next(now), "Media": "",
            }),
            Act::Pick(id) => json!({"Event": "FB POSTBACK", "PostbackPayload": id}),
            other => return Err(other.not_at("a customer on Webex Connect", "a text, /pick")),
        };
        event["Conversationid"] = json!(CONVERSATION);
        event["ConversationType"] = json!("BOT");
        event["Channel"] = json!("WhatsApp");
        event["Timestamp"] = json!(spaced_millis(now));
        Ok(vec![Call::new([], event.to_string())])
    }

    fn heard(&mut self) -> Vec<String> {
        fresh(self.inbox.heard(), &mut self.known).iter().map(shown).collect()
    }
}

fn shown(event: &Value) -> String {
    match event["eventid"].as_str() {
        Some("1001") => event["message"].as_str().unwrap_or_default().to_owned(),
        Some("1002") => {
            format!("(handed over to Webex Connect's own agents: {})", event["customparam1"])
        }
        _ => event.to_string(),
    }
}
