//! Webex Connect: a customer on WhatsApp.

use serde_json::{Value, json};
use trunkline_core::model::time::format_spaced_millis;
use trunkline_mock::{
    Call, ConnectionSetup, Mock, Persona, Player, PlayerCommand, PlayerContext, now, take_new,
};

use crate::WebexConnect;

/// The mock: a customer on WhatsApp.
pub const MOCK: Mock = Mock { personas: &[Persona::Customer], start };

const CONVERSATION: &str = "simulated-1";

struct WebexPlayer {
    webex: WebexConnect,
    known: usize,
    known_refused: usize,
}

/// Starts Webex Connect.
fn start(context: PlayerContext) -> Box<dyn Player> {
    let webex = WebexConnect::start_at(context.listener);
    Box::new(WebexPlayer { webex, known: 0, known_refused: 0 })
}

impl Player for WebexPlayer {
    fn setup(&self) -> ConnectionSetup {
        let url = self.webex.send_url();
        let secrets = vec![("verification_token", "vt-simulated".to_owned()), ("send_url", url)];
        ConnectionSetup { settings: json!({}), secrets }
    }

    /// Builds the documented events "Incoming message on a channel" and "Sample POSTBACK event" (WX-BOT).
    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String> {
        let now = now();
        let mut event = match command {
            PlayerCommand::Say(text) => json!({
                "Event": "Incoming message", "Message": text, "MessageType": "text",
                "Messageid": format!("wx-{}", now.as_nanosecond()), "Media": "",
            }),
            PlayerCommand::Pick(id) => json!({"Event": "FB POSTBACK", "PostbackPayload": id}),
            other => {
                return Err(other.unsupported_by("a customer on Webex Connect", "a text, /pick"));
            }
        };
        event["Conversationid"] = json!(CONVERSATION);
        event["ConversationType"] = json!("BOT");
        event["Channel"] = json!("WhatsApp");
        event["Timestamp"] = json!(format_spaced_millis(now));
        Ok(vec![Call::new([], event.to_string())])
    }

    fn received(&mut self) -> Vec<String> {
        let accepted = take_new(self.webex.accepted(), &mut self.known);
        let refused = take_new(self.webex.refused(), &mut self.known_refused);
        let refused = refused.iter().map(|why| format!("(refused: {why})"));
        accepted.iter().map(display).chain(refused).collect()
    }
}

fn display(event: &Value) -> String {
    match event["eventid"].as_str() {
        Some("1001") => event["message"].as_str().unwrap_or_default().to_owned(),
        Some("1002") => {
            format!("(handed over to Webex Connect's agents: {})", event["customparam1"])
        }
        _ => event.to_string(),
    }
}
