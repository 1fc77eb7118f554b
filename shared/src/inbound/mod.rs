//! The shell on the way in: a platform's events become records, and deliveries in queues.

mod agent_initiated;
mod enqueue;
mod error;
mod http;
mod ingest;
mod limits;
mod receipt_target;
mod records;
mod rejected;

use ::http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;

pub use self::http::serve;
pub use error::{IntakeError, Rejection, Taken};
pub use ingest::{take, take_from_house, take_from_target, take_now};
pub use rejected::take_or_keep;

use crate::http_client::HttpClient;
use crate::model::{Connection, Event, Platform};
use crate::secrets::SecretBag;
use crate::security::Denied;

/// The largest body that is read, in bytes: what comes of it must fit into a queue's message.
pub const MAX_BODY: usize = 128 * 1024;

/// A call from a platform, whose connection and key are known to be right.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The connection that it is for.
    pub connection: &'a Connection,
    /// That connection's secrets.
    pub secrets: &'a SecretBag,
    /// The method.
    pub method: &'a Method,
    /// What follows the key in the path: one of [`Inbound::PATHS`].
    pub path: &'a str,
    /// The query, as it came.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The raw body.
    pub body: &'a [u8],
    /// The time.
    pub now: Timestamp,
}

/// What a platform's call turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// Events, in the order in which they are to be taken.
    Events(Vec<Event>),
    /// Nothing to take: a handshake or a test, answered like this.
    Answered(Reply),
    /// It cannot be read. It is kept for a person to see, and answered as the platform needs.
    Unreadable(String),
    /// It is not believed.
    Denied(Denied),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string() }
    }
}

/// What an event came to, or what was wrong with a call as a whole.
#[derive(Debug)]
pub enum Result<'a> {
    /// The events were dealt with, each like this.
    Taken(&'a [std::result::Result<Taken, IntakeError>]),
    /// The call could not be read.
    Unreadable(&'a str),
    /// The body is larger than [`MAX_BODY`].
    TooLarge,
    /// The call is not believed.
    Denied(&'a Denied),
}

/// A platform's way in: from a call to events, and from what came of them to an answer. Pure.
pub trait Inbound: Send + Sync {
    /// The platform.
    const PLATFORM: Platform;

    /// What may follow the key in an address.
    const PATHS: &'static [&'static str] = &[""];

    /// Fetches what is needed to verify calls, such as public keys, and remembers it.
    fn prepare(
        &self,
        _connection: &Connection,
        _headers: &HeaderMap,
        _outside: &HttpClient,
        _now: Timestamp,
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Verifies and reads a call.
    fn receive(&self, call: &Call<'_>) -> Received;

    /// The answer that the platform expects. Not asked for where the table or a queue failed: that is
    /// always answered 503, so that the platform sends again.
    fn reply(&self, call: &Call<'_>, result: &Result<'_>) -> Reply;
}
