//! ServisBOT: a bot with a webhook engagement adapter.

use serde_json::json;
use trunkline_mock::{
    Call, ConnectionSetup, Mock, Persona, Player, PlayerCommand, PlayerContext,
    no_conversation_yet, take_new,
};

use crate::{ENGAGEMENT_SECRET, Post, ServisBot};

/// The mock: a bot with a webhook engagement adapter.
pub const MOCK: Mock = Mock { personas: &[Persona::Bot], start };

/// The prefix of a message that hands the conversation over.
const PHRASE: &str = "#handover";

struct ServisBotPlayer {
    server: ServisBot,
    known: usize,
    customer: Option<String>,
}

/// Starts ServisBOT.
fn start(context: PlayerContext) -> Box<dyn Player> {
    Box::new(ServisBotPlayer {
        server: ServisBot::start_at(context.listener),
        known: 0,
        customer: None,
    })
}

impl Player for ServisBotPlayer {
    fn setup(&self) -> ConnectionSetup {
        ConnectionSetup {
            settings: json!({"engagement_url": self.server.engagement_url(),
                             "handover_phrase": PHRASE}),
            secrets: vec![("engagement_secret", ENGAGEMENT_SECRET.to_owned())],
        }
    }

    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String> {
        let customer = self.customer.as_ref().ok_or_else(no_conversation_yet)?;
        let text = match command {
            PlayerCommand::Say(text) => text,
            PlayerCommand::Handover(reason) => format!("{PHRASE} {}", reason.unwrap_or_default()),
            other => return Err(other.unsupported_by("ServisBOT's egress", "a text, /handover")),
        };
        let call = ServisBot::egress(customer, &[text.trim()]);
        Ok(vec![Call { path: call.path.to_owned(), ..Call::new(call.headers, call.body) }])
    }

    fn received(&mut self) -> Vec<String> {
        let posts = take_new(self.server.posts(), &mut self.known);
        if let Some(newest) = posts.last() {
            self.customer = Some(newest.customer.clone());
        }
        let display = |post: &Post| match post.value.as_str() {
            Some(text) => text.to_owned(),
            None => post.value.to_string(),
        };
        posts.iter().map(display).collect()
    }
}
