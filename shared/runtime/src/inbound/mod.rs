//! Inbound pipeline: turns a platform's HTTP calls into stored events and queued deliveries.
//!
//! The path of an event: `handle` -> `authenticate` -> [`Inbound::parse`] -> [`ingest`] -> `route` ->
//! `persist_and_enqueue`.

mod agent_initiated;
mod compression;
mod earlier_message;
mod enqueue;
mod error;
mod http;
mod ingest;
mod limits;
mod private_files;
mod records;
mod rejected;

use ::http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

pub use self::http::{handle_request, serve};
pub use error::{InboundError, Ingested, Rejection};
pub use ingest::{ingest, ingest_from_target, ingest_now, ingest_system};
pub use rejected::ingest_or_store_rejected;

use crate::http_client::HttpClient;
use crate::secrets::SecretBag;
use crate::security::AuthError;
use trunkline_core::model::{Connection, Event};
use trunkline_core::platform::Platform;

/// Maximum size of a request body, in bytes. The deliveries made from it must fit into a queue message.
pub const MAX_BODY: usize = 128 * 1024;

/// An HTTP call from a platform, whose connection, URL key and source address have been checked.
#[derive(Debug)]
pub struct Call<'a, S> {
    pub connection: &'a Connection,
    /// The connection's settings.
    pub settings: &'a S,
    pub secrets: &'a SecretBag,
    pub method: &'a Method,
    /// The path after the URL key: one of [`Inbound::PATHS`].
    pub path: &'a str,
    /// The query string, not decoded.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// The body, decompressed.
    pub body: &'a [u8],
    /// The body as received. A signature covers these bytes or, with some senders, the decompressed ones.
    pub received_body: &'a [u8],
    /// When the call arrived.
    pub now: Timestamp,
}

impl<S> Clone for Call<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Call<'_, S> {}

impl<'a, S> Call<'a, S> {
    /// Returns what a signature of the call may cover: the body as received and, if it was compressed, the
    /// decompressed one.
    pub fn signed_bodies(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, S> {
        let decompressed = (self.body != self.received_body).then_some(self.body);
        std::iter::once(self.received_body).chain(decompressed)
    }
}

/// The result of [`Inbound::parse`].
#[derive(Debug, Clone, PartialEq)]
pub enum ParsedCall {
    /// Events, to be ingested in this order.
    Events(Vec<Event>),
    /// A handshake or a test without an event, and the response to it.
    Reply(Reply),
    /// The body cannot be parsed, for this reason. It is stored so that operators can inspect it.
    Unreadable(String),
    /// The call failed authentication.
    Denied(AuthError),
}

/// An HTTP response to a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Reply {
    /// Builds a JSON response.
    #[must_use]
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string() }
    }

    /// Builds the response to a call that was not stored: 503, so that the platform sends it again.
    #[must_use]
    pub fn unavailable() -> Self {
        let body = json!({
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": "the request could not be stored: send it again",
        });
        let mut reply = Self::json(StatusCode::SERVICE_UNAVAILABLE, &body);
        reply.headers.push(("retry-after", "2".to_owned()));
        reply
    }
}

/// The outcome of a call, from which the platform builds its response.
#[derive(Debug)]
pub enum CallOutcome<'a> {
    /// The result of each event.
    Ingested(&'a [std::result::Result<Ingested, InboundError>]),
    /// The body cannot be parsed, for this reason.
    Unreadable(&'a str),
    /// The body is larger than [`MAX_BODY`].
    TooLarge,
    /// The body is compressed in this way, which Trunkline does not support.
    UnsupportedEncoding(&'a str),
    /// The call failed authentication.
    Denied(&'a AuthError),
}

/// The inbound side of a platform: parses calls into events and builds the responses. Except for
/// [`Inbound::prepare`], implementations do no I/O.
pub trait Inbound: Platform {
    /// The paths that may follow the URL key.
    const PATHS: &'static [&'static str] = &[""];

    /// Fetches and caches what is needed to verify calls, such as public keys.
    fn prepare(
        &self,
        _connection: &Connection,
        _settings: &Self::Settings,
        _headers: &HeaderMap,
        _http_client: &HttpClient,
        _now: Timestamp,
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Verifies the signature or token of a call and parses its body.
    fn parse(&self, call: &Call<'_, Self::Settings>) -> ParsedCall;

    /// Builds the response that the platform expects.
    fn reply(&self, call: &Call<'_, Self::Settings>, outcome: &CallOutcome<'_>) -> Reply;

    /// Builds the response to a call that was not stored, because the table, a queue or the secrets failed or
    /// the call took too long. The platform is to send it again.
    fn unavailable(&self, _call: &Call<'_, Self::Settings>) -> Reply {
        Reply::unavailable()
    }
}
