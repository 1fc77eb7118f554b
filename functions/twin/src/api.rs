//! Calls to TWIN's API.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use trunkline_shared::http_client::{Answer, HttpClient, HttpError, Request};
use trunkline_shared::model::Connection;
use trunkline_shared::outbound::{Attempt, Sending, by_status};
use trunkline_shared::secrets::SecretBag;

use crate::login::{LoginError, Tokens, has_credentials};
use crate::settings::Settings;

/// How much of an answer is read, in bytes: several messages of any length can stand in one.
const MAX_ANSWER: usize = 512 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Nobody is logged in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// No answer came.
    #[error(transparent)]
    Outside(#[from] HttpError),
}

impl From<ApiError> for Attempt {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Login(error) => error.into(),
            ApiError::Outside(error) => error.into(),
        }
    }
}

/// A connection's way to TWIN.
#[derive(Debug, Clone, Copy)]
pub struct Api<'a> {
    /// The tokens that this process has.
    pub tokens: &'a Tokens,
    /// The connection.
    pub connection: &'a Connection,
    /// Its settings.
    pub settings: &'a Settings,
    /// Its secrets.
    pub secrets: &'a SecretBag,
    /// The client.
    pub outside: &'a HttpClient,
    /// The time.
    pub now: Timestamp,
}

/// What a call brings.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    kind: Option<HeaderValue>,
    bytes: Vec<u8>,
}

impl Body {
    pub(crate) fn none() -> Self {
        Self { kind: None, bytes: Vec::new() }
    }

    pub(crate) fn json(body: &impl Serialize) -> Self {
        // Types of our own, which can always be written.
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        Self { kind: Some(HeaderValue::from_static("application/json")), bytes }
    }

    pub(crate) fn of(kind: HeaderValue, bytes: Vec<u8>) -> Self {
        Self { kind: Some(kind), bytes }
    }
}

impl<'a> Api<'a> {
    /// The way that a delivery takes.
    pub(crate) fn of(
        sending: &Sending<'a>,
        settings: &'a Settings,
        tokens: &'a Tokens,
        outside: &'a HttpClient,
    ) -> Self {
        let Sending { connection, secrets, now, .. } = *sending;
        Self { tokens, connection, settings, secrets, outside, now }
    }

    /// Whether it can log in.
    pub(crate) fn has_credentials(&self) -> bool {
        has_credentials(self.secrets)
    }

    /// A call that needs no login.
    pub(crate) async fn open(
        &self,
        method: Method,
        url: String,
        body: Body,
    ) -> Result<Answer, ApiError> {
        Ok(self.outside.fetch(request(method, url, None, body), MAX_ANSWER).await?)
    }

    /// A call by whoever is logged in. A token that is refused is renewed once (`TC-op`).
    pub(crate) async fn logged_in(
        &self,
        method: Method,
        url: String,
        body: Body,
    ) -> Result<Answer, ApiError> {
        let Self { connection, secrets, outside, now, .. } = *self;
        let bearer = self.tokens.bearer(connection, secrets, outside, now).await?;
        let first = request(method.clone(), url.clone(), Some(bearer), body.clone());
        let answer = self.outside.fetch(first, MAX_ANSWER).await?;
        if !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Ok(answer);
        }
        self.tokens.forget(&connection.id);
        let bearer = self.tokens.bearer(connection, secrets, outside, now).await?;
        Ok(self.outside.fetch(request(method, url, Some(bearer), body), MAX_ANSWER).await?)
    }
}

fn request(method: Method, url: String, bearer: Option<HeaderValue>, body: Body) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.extend(body.kind.map(|kind| (header::CONTENT_TYPE, kind)));
    headers.extend(bearer.map(|bearer| (header::AUTHORIZATION, bearer)));
    Request { method, url, headers, body: body.bytes }
}

/// An attempt by its answer's status.
pub(crate) fn attempt(answer: &Answer) -> Attempt {
    Attempt::answered(answer, by_status(answer))
}

/// Whether a session or dialog is not there any more. TWIN does not say how it tells so: whatever
/// blames us may be it (fact sheet 2.3), but for what is wrong in any session.
pub(crate) fn is_gone(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
        )
}
