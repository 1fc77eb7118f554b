//! CM.com: a customer, bot or agent behind CM.com's router.

use serde_json::{Value, json};
use trunkline_mock::{
    Call, ConnectionSetup, Mock, Persona, Player, PlayerCommand, PlayerContext,
    no_conversation_yet, take_new,
};

use crate::{Accepted, AdapterCall, CmRouter, Side};

/// The mock: a customer, bot or agent behind CM.com's router.
pub const MOCK: Mock = Mock { personas: &[Persona::Customer, Persona::Bot, Persona::Agent], start };

const TOKEN: &str = "00000000-0000-4000-8000-000000000000";
const ADAPTER: &str = "7d1c2a94-3f0b-4e0d-8f5d-0a9d5c1e7b22";

struct CmPlayer {
    persona: Persona,
    router: CmRouter,
    known: usize,
    chat: Option<Value>,
}

/// Starts the router.
fn start(context: PlayerContext) -> Box<dyn Player> {
    let router = CmRouter::start_at(context.listener, TOKEN);
    let is_customer = context.persona == Persona::Customer;
    router.add_adapter(ADAPTER, if is_customer { Side::Host } else { Side::Client });
    let chat = is_customer.then(|| router.chat("0031612345678", "0031201234567"));
    Box::new(CmPlayer { persona: context.persona, router, known: 0, chat })
}

impl Player for CmPlayer {
    fn setup(&self) -> ConnectionSetup {
        ConnectionSetup {
            settings: json!({"send_url": self.router.outbound_url(ADAPTER),
                             "control_url": self.router.control_url(),
                             "state_url": self.router.state_url()}),
            secrets: vec![("product_token", TOKEN.to_owned())],
        }
    }

    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String> {
        let chat = self.chat.as_ref().ok_or_else(no_conversation_yet)?;
        let notice = match (command, self.persona) {
            (PlayerCommand::Say(text), Persona::Customer) => {
                self.router.customer_writes(chat, &text)
            }
            (PlayerCommand::Say(text), _) => self.router.host_writes(chat, &text),
            (PlayerCommand::Handover(reason), _) => {
                let context = reason.map(|reason| json!({"reason": reason}));
                self.router.handover(chat, context.as_ref())
            }
            (PlayerCommand::Close, _) => self.router.event(chat, "routerSessionEnded"),
            (other, _) => {
                return Err(other.unsupported_by("CM.com's router", "a text, /handover, /close"));
            }
        };
        Ok(vec![call(notice)])
    }

    fn received(&mut self) -> Vec<String> {
        let accepted = take_new(self.router.accepted(), &mut self.known);
        let newest = accepted.iter().rev().find(|accepted| accepted.what == "messages");
        if let Some(newest) = newest.filter(|_| self.persona != Persona::Customer) {
            self.chat = Some(newest.chat_from_router());
        }
        let display = |accepted: &Accepted| match accepted.what {
            "messages" => accepted.texts().join("\n"),
            other => format!("({other}) {}", accepted.body),
        };
        accepted.iter().map(display).collect()
    }
}

fn call(notice: AdapterCall) -> Call {
    Call { path: notice.path.to_owned(), headers: notice.headers, body: notice.body }
}
