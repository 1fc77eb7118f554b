//! CM.com: the customer on a channel behind its router, or the bot or agent behind it.

use serde_json::{Value, json};
use trunkline_stand_ins::cm::{CmRouter, Notice, Side};

use super::{Act, Call, Part, Player, Setup, Stage, fresh, nobody};

const TOKEN: &str = "00000000-0000-4000-8000-000000000000";
const ADAPTER: &str = "7d1c2a94-3f0b-4e0d-8f5d-0a9d5c1e7b22";

struct Seat {
    part: Part,
    router: CmRouter,
    known: usize,
    chat: Option<Value>,
}

/// Starts the router.
pub(crate) fn play(stage: Stage) -> Box<dyn Player> {
    let router = CmRouter::start_at(stage.listener, TOKEN);
    let is_customer = stage.part == Part::Customer;
    router.adapter(ADAPTER, if is_customer { Side::Host } else { Side::Client });
    let chat = is_customer.then(|| router.chat("0031612345678", "0031201234567"));
    Box::new(Seat { part: stage.part, router, known: 0, chat })
}

impl Player for Seat {
    fn setup(&self) -> Setup {
        Setup {
            settings: json!({"send_url": self.router.outbound_url(ADAPTER),
                             "control_url": self.router.control_url(),
                             "state_url": self.router.state_url()}),
            secrets: vec![("product_token", TOKEN.to_owned())],
        }
    }

    fn act(&mut self, act: Act) -> Result<Vec<Call>, String> {
        let chat = self.chat.as_ref().ok_or_else(nobody)?;
        let notice = match (act, self.part) {
            (Act::Say(text), Part::Customer) => self.router.customer_writes(chat, &text),
            (Act::Say(text), _) => self.router.host_writes(chat, &text),
            (Act::Handover(reason), _) => {
                let context = reason.map(|reason| json!({"reason": reason}));
                self.router.handover(chat, context.as_ref())
            }
            (Act::Close, _) => self.router.event(chat, "routerSessionEnded"),
            (other, _) => {
                return Err(other.not_at("CM.com's router", "a text, /handover, /close"));
            }
        };
        Ok(vec![call(notice)])
    }

    fn heard(&mut self) -> Vec<String> {
        let accepted = fresh(self.router.accepted(), &mut self.known);
        let newest = accepted.iter().rev().find(|accepted| accepted.what == "messages");
        if let Some(newest) = newest.filter(|_| self.part != Part::Customer) {
            self.chat = Some(newest.chat_as_told());
        }
        let shown = |accepted: &trunkline_stand_ins::cm::Accepted| match accepted.what {
            "messages" => accepted.texts().join("\n"),
            other => format!("({other}) {}", accepted.body),
        };
        accepted.iter().map(shown).collect()
    }
}

fn call(notice: Notice) -> Call {
    Call { path: notice.path.to_owned(), headers: notice.headers, body: notice.body }
}
