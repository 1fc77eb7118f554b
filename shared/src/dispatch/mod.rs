//! The shell on the way out: a queue's deliveries become calls, and their answers outcomes.

mod attempt;
mod breaker;
mod classify;
mod conclude;
mod deliver;
mod drain;
mod recall;
mod release;
mod sqs;
mod verify;
mod watch;

use jiff::Timestamp;

pub use classify::{by_status, unanswered};
pub use sqs::{serve, work};

use crate::app::App;
use crate::guard::{Answer, Request};
use crate::intake::IntakeError;
use crate::model::{Connection, Delivery, Platform, Role, Verdict};
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
    /// The far side's id of the conversation.
    pub external_id: &'a str,
    /// The delivery.
    pub delivery: &'a Delivery,
    /// The time.
    pub now: Timestamp,
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

/// A platform's way out: from a delivery to a call, and from its answer to an outcome. Pure.
pub trait Outbound: Send + Sync {
    /// The platform.
    const PLATFORM: Platform;

    /// The far side's id of a conversation that is about to be opened there.
    fn external_id(&self, delivery: &Delivery) -> String {
        match delivery.to.role {
            Role::Channel => delivery.key.customer.clone(),
            Role::Bot | Role::Desk | Role::Observer => delivery.leg_conversation().to_owned(),
        }
    }

    /// What the far side knows a delivered message by, so that its receipts can be understood.
    /// `told` is what it answered.
    fn message_id(&self, _delivery: &Delivery, told: Option<String>) -> Option<String> {
        told
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

    /// The call that asks the far side to prove that it is ours, by answering with `challenge`.
    ///
    /// # Errors
    /// If the platform has no such thing, or the connection is not configured for it.
    fn verification(
        &self,
        connection: &Connection,
        secrets: &SecretBag,
        challenge: &str,
        now: Timestamp,
    ) -> Result<Request, Unsendable>;

    /// What is wrong with the answer to [`Outbound::verification`]; nothing, if it proves the far
    /// side to be ours.
    fn verification_problem(&self, answer: &Answer, challenge: &str) -> Option<String>;
}
