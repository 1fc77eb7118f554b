//! Signed webhooks: a customer, bot or agent.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use trunkline_mock::{
    Call, ConnectionSetup, Inbox, Mock, Persona, Player, PlayerCommand, PlayerContext,
    no_conversation_yet, now, take_new,
};

/// The mock: a customer, bot or agent.
pub const MOCK: Mock = Mock { personas: &[Persona::Bot, Persona::Agent, Persona::Customer], start };

/// The signing secret of simulated connections. It is public: it is used on this machine only.
const SIGNING: &str = "whsec_c2ltdWxhdGVkLW9ubHktc2lnbmluZy1rZXktbm90LWEtc2VjcmV0";

struct WebhookPlayer {
    persona: Persona,
    port: u16,
    inbox: Inbox,
    known: usize,
    conversation: Option<String>,
}

/// Starts the server of a webhook party.
fn start(context: PlayerContext) -> Box<dyn Player> {
    let inbox = Inbox::start(context.listener, json!({}));
    let conversation = (context.persona == Persona::Customer).then(|| "simulated-1".to_owned());
    Box::new(WebhookPlayer {
        persona: context.persona,
        port: context.port,
        inbox,
        known: 0,
        conversation,
    })
}

impl Player for WebhookPlayer {
    fn setup(&self) -> ConnectionSetup {
        let settings = json!({"message_url": format!("http://127.0.0.1:{}/", self.port)});
        ConnectionSetup { settings, secrets: vec![("signing", SIGNING.to_owned())] }
    }

    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String> {
        let (kind, data) = match command {
            PlayerCommand::Say(text) => ("message", json!({"text": text})),
            PlayerCommand::Offer(text, choices) => {
                let choices: Vec<Value> =
                    choices.iter().map(|title| json!({"id": title, "title": title})).collect();
                ("message", json!({"text": text, "choices": choices}))
            }
            PlayerCommand::Pick(id) => ("choice", json!({"id": id})),
            PlayerCommand::Handover(reason) => ("handover", json!({"reason": reason})),
            PlayerCommand::Accept => ("accept", json!({})),
            PlayerCommand::Handback => ("handback", json!({})),
            PlayerCommand::Close => ("close", json!({})),
        };
        let conversation = self.conversation.as_ref().ok_or_else(no_conversation_yet)?;
        let now = now();
        let id = format!("simulated-{}", now.as_nanosecond());
        let event = json!({
            "id": id, "timestamp": now, "conversation": conversation, "type": kind, "data": data,
        });
        let body = event.to_string();
        let signature = Webhook::new(SIGNING)
            .and_then(|key| key.sign(&id, now.as_second(), body.as_bytes()))
            .map_err(|why| why.to_string())?;
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", now.as_second().to_string()),
            ("webhook-signature", signature),
        ];
        Ok(vec![Call::new(headers, body)])
    }

    fn received(&mut self) -> Vec<String> {
        let received = take_new(self.inbox.received(), &mut self.known);
        // A copy is not addressed to this party, so it does not change the current conversation.
        let newest = received.iter().rev().find(|event| event["copy"] != true);
        let newest = newest.and_then(|event| event["conversation"].as_str());
        if let Some(conversation) = newest.filter(|_| self.persona != Persona::Customer) {
            self.conversation = Some(conversation.to_owned());
        }
        received.iter().map(display).collect()
    }
}

fn display(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or("event");
    let data = &event["data"];
    let copy = if event["copy"] == true { "(a copy) " } else { "" };
    let line = match kind {
        "message" => format!("{copy}{}", data["text"].as_str().unwrap_or_default()),
        _ => format!("{copy}[{kind}] {data}"),
    };
    let choices = data["choices"].as_array().into_iter().flatten().map(|choice| {
        let part = |name: &str| choice[name].as_str().unwrap_or("?").to_owned();
        format!("\n  [{}]  /pick {}", part("title"), part("id"))
    });
    line + &choices.collect::<String>()
}
