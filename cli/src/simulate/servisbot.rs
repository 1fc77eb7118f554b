//! ServisBOT: the bot behind a webhook engagement adapter.

use serde_json::json;
use trunkline_stand_ins::servisbot::{ENGAGEMENT_SECRET, Post, ServisBot};

use super::{Act, Call, Player, Setup, Stage, fresh, nobody};

/// What a message begins with that hands over.
const PHRASE: &str = "#handover";

struct Bot {
    server: ServisBot,
    known: usize,
    customer: Option<String>,
}

/// Starts ServisBOT.
pub(crate) fn play(stage: Stage) -> Box<dyn Player> {
    Box::new(Bot { server: ServisBot::start_at(stage.listener), known: 0, customer: None })
}

impl Player for Bot {
    fn setup(&self) -> Setup {
        Setup {
            settings: json!({"engagement_url": self.server.engagement_url(),
                             "handover_phrase": PHRASE}),
            secrets: vec![("engagement_secret", ENGAGEMENT_SECRET.to_owned())],
        }
    }

    fn act(&mut self, act: Act) -> Result<Vec<Call>, String> {
        let customer = self.customer.as_ref().ok_or_else(nobody)?;
        let text = match act {
            Act::Say(text) => text,
            Act::Handover(reason) => format!("{PHRASE} {}", reason.unwrap_or_default()),
            other => return Err(other.not_at("ServisBOT's egress", "a text, /handover")),
        };
        let call = ServisBot::egress(customer, &[text.trim()]);
        Ok(vec![Call { path: call.path.to_owned(), ..Call::new(call.headers, call.body) }])
    }

    fn heard(&mut self) -> Vec<String> {
        let posts = fresh(self.server.posts(), &mut self.known);
        if let Some(newest) = posts.last() {
            self.customer = Some(newest.customer.clone());
        }
        let shown = |post: &Post| match post.value.as_str() {
            Some(text) => text.to_owned(),
            None => post.value.to_string(),
        };
        posts.iter().map(shown).collect()
    }
}
