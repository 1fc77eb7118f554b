//! Unblu: an agent.

use serde_json::{Value, json};
use trunkline_mock::{
    Call, ConnectionSetup, Mock, Persona, Player, PlayerCommand, PlayerContext,
    no_conversation_yet, take_new,
};

use crate::{ADMIN, ApiVersion, CHANNEL, CallStyle, SECRET, SentMessage, Unblu};

/// The mock: an agent.
pub const MOCK: Mock = Mock { personas: &[Persona::Agent], start };

struct UnbluPlayer {
    server: Unblu,
    known: usize,
    ended: usize,
    conversation: Option<String>,
}

/// Starts the Unblu mock and its player.
fn start(context: PlayerContext) -> Box<dyn Player> {
    let server = Unblu::start_at(context.listener, ApiVersion::V4);
    Box::new(UnbluPlayer { server, known: 0, ended: 0, conversation: None })
}

impl Player for UnbluPlayer {
    fn setup(&self) -> ConnectionSetup {
        let (user, password) = ADMIN;
        ConnectionSetup {
            settings: json!({"base_url": self.server.api_url(), "channel_id": CHANNEL}),
            secrets: vec![
                ("username", user.to_owned()),
                ("password", password.to_owned()),
                ("webhook_secret", SECRET.to_owned()),
            ],
        }
    }

    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String> {
        let conversation = self.conversation.as_ref().ok_or_else(no_conversation_yet)?;
        let style = CallStyle::Outbound;
        let call = match command {
            PlayerCommand::Say(text) => self.server.agent_writes(conversation, &text, style),
            PlayerCommand::Offer(text, choices) => {
                let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
                self.server.agent_asks(conversation, &text, &choices, style)
            }
            PlayerCommand::Close => self.server.agent_ends(conversation, "ENDED_BY_PARTICIPANT"),
            other => {
                return Err(other.unsupported_by("an agent at Unblu", "a text, /offer, /close"));
            }
        };
        let body = String::from_utf8(call.body).map_err(|why| why.to_string())?;
        Ok(vec![Call::new(call.headers, body)])
    }

    fn received(&mut self) -> Vec<String> {
        let sent = take_new(self.server.sent(), &mut self.known);
        if let Some(newest) = sent.last() {
            self.conversation = Some(newest.conversation.clone());
        }
        let ended = take_new(self.server.ended(), &mut self.ended);
        let mut received: Vec<String> = sent.iter().map(display).collect();
        received.extend(ended.iter().map(|ended| format!("(ended: {})", ended.reason)));
        let violations = self.server.take_violations();
        received.extend(violations.iter().map(|one| format!("(against Unblu's document: {one})")));
        received
    }
}

fn display(sent: &SentMessage) -> String {
    let text = ["text", "fileName", "caption"].iter().find_map(|name| sent.data[*name].as_str());
    text.map_or_else(|| Value::to_string(&sent.data), ToOwned::to_owned)
}
