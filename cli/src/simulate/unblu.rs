//! Unblu: the agent.

use serde_json::{Value, json};
use trunkline_stand_ins::unblu::{ADMIN, CHANNEL, SECRET, Sent, Style, Unblu};

use super::{Act, Call, Player, Setup, Stage, fresh, nobody};

struct Agent {
    server: Unblu,
    known: usize,
    ended: usize,
    conversation: Option<String>,
}

/// Starts Unblu.
pub(crate) fn play(stage: Stage) -> Box<dyn Player> {
    let server = Unblu::start_at(stage.listener);
    Box::new(Agent { server, known: 0, ended: 0, conversation: None })
}

impl Player for Agent {
    fn setup(&self) -> Setup {
        let (user, password) = ADMIN;
        Setup {
            settings: json!({"base_url": self.server.base_url("v4"), "channel_id": CHANNEL}),
            secrets: vec![
                ("username", user.to_owned()),
                ("password", password.to_owned()),
                ("webhook_secret", SECRET.to_owned()),
            ],
        }
    }

    fn act(&mut self, act: Act) -> Result<Vec<Call>, String> {
        let conversation = self.conversation.as_ref().ok_or_else(nobody)?;
        let style = Style::Outbound;
        let call = match act {
            Act::Say(text) => self.server.agent_writes(conversation, &text, style),
            Act::Offer(text, choices) => {
                let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
                self.server.agent_asks(conversation, &text, &choices, style)
            }
            Act::Close => self.server.agent_ends(conversation, "MANUALLY"),
            other => return Err(other.not_at("an agent at Unblu", "a text, /offer, /close")),
        };
        let body = String::from_utf8(call.body).map_err(|why| why.to_string())?;
        Ok(vec![Call::new(call.headers, body)])
    }

    fn heard(&mut self) -> Vec<String> {
        let sent = fresh(self.server.sent(), &mut self.known);
        if let Some(newest) = sent.last() {
            self.conversation = Some(newest.conversation.clone());
        }
        let ended = fresh(self.server.ended(), &mut self.ended);
        let mut heard: Vec<String> = sent.iter().map(shown).collect();
        heard.extend(ended.iter().map(|ended| format!("(ended: {})", ended.reason)));
        heard
    }
}

fn shown(sent: &Sent) -> String {
    let text = ["text", "fileName", "caption"].iter().find_map(|name| sent.data[*name].as_str());
    text.map_or_else(|| Value::to_string(&sent.data), ToOwned::to_owned)
}
