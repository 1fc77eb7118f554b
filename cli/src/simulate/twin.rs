//! TWIN: the bot of a chat, which answers by callback.

use serde_json::json;
use trunkline_stand_ins::twin::Twin24;

use super::{Act, Call, Player, Setup, Stage, fresh, nobody};
use crate::local::plain_http;

struct Bot {
    twin: Twin24,
    inbound: String,
    known: usize,
    session: Option<String>,
}

/// Starts TWIN.
pub(crate) fn play(stage: Stage) -> Box<dyn Player> {
    let twin = Twin24::start_at(stage.listener, plain_http());
    twin.calls_back_by(stage.api.port());
    Box::new(Bot { twin, inbound: stage.inbound, known: 0, session: None })
}

impl Player for Bot {
    fn setup(&self) -> Setup {
        Setup {
            settings: self.twin.settings(&json!({"answers": "callback"})),
            secrets: vec![("callback_url", self.inbound.clone())],
        }
    }

    /// TWIN calls by itself, so there is nothing left to be called.
    fn act(&mut self, act: Act) -> Result<Vec<Call>, String> {
        let session = self.session.clone().ok_or_else(nobody)?;
        let message = match act {
            Act::Say(text) => json!({"body": text}),
            Act::Offer(text, choices) => json!({"body": text, "answers": choices}),
            other => return Err(other.not_at("a bot of TWIN", "a text, /offer")),
        };
        let twin = self.twin.clone();
        tokio::spawn(async move { twin.bot_says(&session, message).await });
        Ok(Vec::new())
    }

    fn heard(&mut self) -> Vec<String> {
        let accepted = fresh(self.twin.accepted(), &mut self.known);
        if let Some(newest) = accepted.last() {
            self.session = Some(newest.session.clone());
        }
        let said = accepted.iter().filter(|accepted| accepted.what != "file");
        said.map(|accepted| match accepted.text() {
            text if text.is_empty() => format!("({})", accepted.what),
            text => text,
        })
        .collect()
    }
}
