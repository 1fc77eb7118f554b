//! From deliveries to calls: of the engagement adapter for a bot, of an event consumer for an observer.

use jiff::Timestamp;
use trunkline_shared::dispatch::{Attempt, Meaning, Outbound, Sending, Unsendable, by_status};
use trunkline_shared::guard::{Answer, Outside, Request};
use trunkline_shared::model::{Connection, Platform, Role, Verdict};
use trunkline_shared::secrets::SecretBag;

use crate::record::DUPLICATE;
use crate::settings::Settings;
use crate::{Servisbot, engage, record};

impl Outbound for Servisbot {
    const PLATFORM: Platform = Platform::Servisbot;

    async fn send(&self, sending: &Sending<'_>, outside: &Outside) -> Attempt {
        let request = match self.encode(sending) {
            Ok(request) => request,
            Err(unsendable) => return unsendable.into(),
        };
        match outside.call(request).await {
            Ok(answer) => {
                let meaning = meaning(sending.delivery.to.role, &answer);
                Attempt::answered(&answer, meaning)
            }
            Err(error) => error.into(),
        }
    }

    fn encode(&self, sending: &Sending<'_>) -> Result<Request, Unsendable> {
        let settings = Settings::of(&sending.connection.settings);
        match sending.delivery.to.role {
            Role::Bot => engage::request(sending, &settings),
            Role::Observer => record::request(sending, &settings),
            Role::Channel | Role::Desk => {
                Err(Unsendable::NoForm("ServisBOT is a bot, or an observer's protocol"))
            }
        }
    }

    fn verification(
        &self,
        _: &Connection,
        _: &SecretBag,
        _: &str,
        _: Timestamp,
    ) -> Result<Request, Unsendable> {
        let how = "ServisBOT documents no handshake: write to the bot, and see `trunkline status`";
        Err(Unsendable::NoForm(how))
    }

    fn verification_problem(&self, _: &Answer, _: &str) -> Option<String> {
        None
    }
}

/// What an answer means: a chat history server refuses what it has already, and so has it (SL).
fn meaning(role: Role, answer: &Answer) -> Meaning {
    if role == Role::Observer && answer.status == DUPLICATE {
        return Meaning { verdict: Verdict::Delivered, reason: None, external_id: None };
    }
    by_status(answer)
}
