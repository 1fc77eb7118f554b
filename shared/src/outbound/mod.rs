//! The shell on the way out: a queue's deliveries become calls, and their answers outcomes.

mod attempt;
mod bind_session;
mod bot_watchdog;
mod breaker;
mod classify;
mod deliver;
mod drain;
mod headers;
mod record_outcome;
mod release_held;
mod sqs;
mod transcript;
mod verify;

use jiff::{SignedDuration, Timestamp};

pub use classify::{by_status, unanswered};
pub use headers::{json_headers, needed, put_header};
pub use sqs::{serve, work};

use crate::app::App;
use crate::http_client::{Answer, HttpClient, HttpError, Request};
use crate::inbound::IntakeError;
use crate::listener::ListeningError;
use crate::model::{Connection, Delivery, Event, Platform, Role, Session, Verdict};
use crate::queue::QueueError;
use crate::secrets::{SecretBag, SecretsError};
use crate::store::StoreError;

/// Why a message could not be worked on. Ours: the queue gives it again.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Nobody could be made to listen.
    #[error(transparent)]
    Listening(#[from] ListeningError),
    /// What follows from it for its sender.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// It is not as we write them: a dead letter.
    #[error("a queue's message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// How long may be worked.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Until then.
    pub until: Timestamp,
}

impl Budget {
    fn is_spent(self, app: &App) -> bool {
        app.clock.now() >= self.until
    }
}

/// All that a platform may know to encode a delivery.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The connection that it goes to.
    pub connection: &'a Connection,
    /// That connection's secrets.
    pub secrets: &'a SecretBag,
    /// The conversation as the far side has it; absent while it is opened.
    pub session: Option<&'a Session>,
    /// The delivery.
    pub delivery: &'a Delivery,
    /// The time.
    pub now: Timestamp,
}

impl Sending<'_> {
    /// The far side's id of the conversation; empty while it is opened.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.session.map_or("", |session| &session.external_id)
    }
}

/// Why a delivery is not sent at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The platform has no form for it, and that is all right.
    #[error("{0}")]
    NoForm(&'static str),
    /// The connection is not configured for it: a person must mend that.
    #[error("{0}")]
    Misconfigured(String),
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// What became of the attempt.
    pub verdict: Verdict,
    /// Why, in words for an operator; absent where delivered.
    pub reason: Option<String>,
    /// The platform's own id of what was delivered, where it gives one.
    pub external_id: Option<String>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What it means.
    pub meaning: Meaning,
    /// The platform's HTTP status, if it answered.
    pub status: Option<u16>,
    /// For how long it asks us to wait, in seconds.
    pub retry_after: Option<u32>,
    /// The conversation as the far side has it now, where that changed.
    pub session: Option<Session>,
    /// What the far side said in its answer: taken like anything that comes from it.
    pub said: Vec<Event>,
    /// How long it took.
    pub took: SignedDuration,
}

impl Attempt {
    /// An attempt that the platform answered.
    #[must_use]
    pub fn answered(answer: &Answer, meaning: Meaning) -> Self {
        Self {
            status: Some(answer.status.as_u16()),
            retry_after: retry_after(answer),
            ..Self::without_answer(meaning)
        }
    }

    /// An attempt that was not made, or not answered.
    #[must_use]
    pub fn without_answer(meaning: Meaning) -> Self {
        Self {
            meaning,
            status: None,
            retry_after: None,
            session: None,
            said: Vec::new(),
            took: SignedDuration::ZERO,
        }
    }
}

impl From<Unsendable> for Attempt {
    fn from(why: Unsendable) -> Self {
        let verdict = match why {
            Unsendable::NoForm(_) => Verdict::Skipped,
            Unsendable::Misconfigured(_) => Verdict::Permanent,
        };
        let reason = Some(why.to_string());
        Self::without_answer(Meaning { verdict, reason, external_id: None })
    }
}

impl From<HttpError> for Attempt {
    fn from(error: HttpError) -> Self {
        Self::without_answer(unanswered(&error))
    }
}

/// `Retry-After` in seconds; one that is a date is left alone, as the schedule covers it.
fn retry_after(answer: &Answer) -> Option<u32> {
    let value = answer.headers.get(http::header::RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok()
}

/// A platform's way out: from a delivery to calls, and from their answers to an outcome. What most
/// platforms need is one call, and then this is pure: [`Outbound::encode`] and [`Outbound::meaning`].
pub trait Outbound: Send + Sync {
    /// The platform.
    const PLATFORM: Platform;
    /// How long one delivery may take at most, where that is more than one call.
    const LONGEST: SignedDuration = SignedDuration::from_secs(5);

    /// The far side's id of a conversation that is about to be opened there, where we choose it.
    fn external_id(&self, delivery: &Delivery) -> String {
        match delivery.to.role {
            Role::Channel => delivery.key.customer.clone(),
            Role::Bot | Role::Desk | Role::Observer => delivery.leg_conversation().to_owned(),
        }
    }

    /// Opens the conversation on the far side, before anything is sent there; nothing, if sending does
    /// that. It may be asked again for one that it opened: whoever asked may have died.
    ///
    /// # Errors
    /// What came of it, if it could not be opened.
    fn open(
        &self,
        sending: &Sending<'_>,
        _outside: &HttpClient,
    ) -> impl Future<Output = Result<Option<Session>, Box<Attempt>>> + Send {
        let delivery = sending.delivery;
        let session = Session::new(delivery.leg_conversation(), self.external_id(delivery));
        std::future::ready(Ok(Some(session)))
    }

    /// Sends a delivery.
    fn send(
        &self,
        sending: &Sending<'_>,
        outside: &HttpClient,
    ) -> impl Future<Output = Attempt> + Send {
        async move {
            let request = match self.encode(sending) {
                Ok(request) => request,
                Err(unsendable) => return unsendable.into(),
            };
            match outside.call(request).await {
                Ok(answer) => Attempt::answered(&answer, self.meaning(&answer)),
                Err(error) => error.into(),
            }
        }
    }

    /// What the far side knows a delivered message by, so that its receipts can be understood.
    /// `told` is what it answered.
    fn message_id(&self, _delivery: &Delivery, told: Option<String>) -> Option<String> {
        told
    }

    /// By what the far side may speak of this delivery under an id of the conversation that we do not
    /// know: noted before it is sent.
    fn clue(&self, _sending: &Sending<'_>) -> Option<String> {
        None
    }

    /// The call that delivers.
    ///
    /// # Errors
    /// Why nothing is sent.
    fn encode(&self, sending: &Sending<'_>) -> Result<Request, Unsendable>;

    /// What an answer means. The default goes by HTTP status.
    fn meaning(&self, answer: &Answer) -> Meaning {
        by_status(answer)
    }

    /// Asks the far side to prove that it is ours, and takes our credentials.
    fn prove(
        &self,
        asking: &Asking<'_>,
        outside: &HttpClient,
    ) -> impl Future<Output = Proof> + Send;

    /// Looks after our registration on a far side that keeps one ([`Capabilities::registers`]).
    ///
    /// [`Capabilities::registers`]: crate::model::Capabilities::registers
    fn tend(
        &self,
        _asking: &Asking<'_>,
        _outside: &HttpClient,
    ) -> impl Future<Output = Registered> + Send {
        std::future::ready(Registered::Well)
    }
}

/// Which far side is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// That connection's secrets.
    pub secrets: &'a SecretBag,
    /// What a far side can answer with that was not known before.
    pub challenge: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// What came of asking a far side to prove itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is ours, and takes our credentials.
    Given,
    /// It is not, or does not, for this reason.
    Missing(String),
    /// Its platform has no call for that; what a person can do in its place.
    Unasked(&'static str),
}

/// How a far side has us registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// As we want it.
    Well,
    /// It was otherwise: this was done about it.
    Mended(String),
    /// Otherwise, and a person must see to it.
    Unwell(String),
}
