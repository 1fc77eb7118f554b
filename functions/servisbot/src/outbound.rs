//! From deliveries to calls: of the engagement adapter for a bot, of an event consumer for an observer.

use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{Platform, Role, Verdict};
use trunkline_shared::outbound::{
    Asking, Attempt, Meaning, Outbound, Proof, Sending, Unsendable, by_status,
};

use crate::record::DUPLICATE;
use crate::settings::{Join, Settings, Source};
use crate::{Servisbot, engage, eventing, record};

impl Outbound for Servisbot {
    const PLATFORM: Platform = Platform::Servisbot;

    async fn send(&self, sending: &Sending<'_>, outside: &HttpClient) -> Attempt {
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

    fn clue(&self, sending: &Sending<'_>) -> Option<String> {
        let settings = Settings::of(&sending.connection.settings);
        let by_text = settings.replies == Source::Eventing && settings.join == Join::Text;
        let is_bot = sending.delivery.to.role == Role::Bot;
        let posted = (by_text && is_bot).then(|| engage::posted(sending, &settings)).flatten();
        posted.map(|text| eventing::note_of(&text))
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

    async fn prove(&self, _: &Asking<'_>, _: &HttpClient) -> Proof {
        Proof::Unasked("ServisBOT documents no handshake: write to the bot")
    }
}

/// What an answer means: a chat history server refuses what it has already, and so has it (SL).
fn meaning(role: Role, answer: &Answer) -> Meaning {
    if role == Role::Observer && answer.status == DUPLICATE {
        return Meaning { verdict: Verdict::Delivered, reason: None, external_id: None };
    }
    by_status(answer)
}
