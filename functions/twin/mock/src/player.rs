//! TWIN: the bot of a chat, which replies by callback.

use serde_json::json;
use trunkline_mock::{
    Call, ConnectionSetup, Mock, Persona, Player, PlayerCommand, PlayerContext,
    no_conversation_yet, take_new,
};

use crate::{Twin24, plain_http};

/// The mock: the bot of a chat.
pub const MOCK: Mock = Mock { personas: &[Persona::Bot], start };

struct TwinPlayer {
    twin: Twin24,
    inbound: String,
    known: usize,
    session: Option<String>,
}

/// Starts the TWIN mock and its player.
fn start(context: PlayerContext) -> Box<dyn Player> {
    let twin = Twin24::start_at(context.listener, plain_http());
    twin.set_callback_port(context.api_port);
    Box::new(TwinPlayer { twin, inbound: context.inbound, known: 0, session: None })
}

impl Player for TwinPlayer {
    fn setup(&self) -> ConnectionSetup {
        ConnectionSetup {
            settings: self.twin.settings(&json!({"answers": "callback"})),
            secrets: vec![("callback_url", self.inbound.clone())],
        }
    }

    /// The mock calls Trunkline itself, so there are no calls to return.
    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String> {
        let session = self.session.clone().ok_or_else(no_conversation_yet)?;
        let message = match command {
            PlayerCommand::Say(text) => json!({"body": text}),
            PlayerCommand::Offer(text, choices) => json!({"body": text, "answers": choices}),
            other => return Err(other.unsupported_by("a bot of TWIN", "a text, /offer")),
        };
        let twin = self.twin.clone();
        tokio::spawn(async move { twin.bot_says(&session, message).await });
        Ok(Vec::new())
    }

    fn received(&mut self) -> Vec<String> {
        let accepted = take_new(self.twin.accepted(), &mut self.known);
        if let Some(newest) = accepted.last() {
            self.session = Some(newest.session.clone());
        }
        let messages = accepted.iter().filter(|accepted| accepted.what != "file");
        messages
            .map(|accepted| match accepted.text() {
                text if text.is_empty() => format!("({})", accepted.what),
                text => text,
            })
            .collect()
    }
}
