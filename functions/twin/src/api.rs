//! HTTP calls to TWIN's API.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use trunkline_core::model::Connection;
use trunkline_runtime::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{Attempt, classify_by_status};
use trunkline_runtime::secrets::SecretBag;

use crate::SendContext;
use crate::login::{LoginError, Tokens, has_credentials};
use crate::settings::Settings;

/// The largest response that is read, in bytes: it can contain several messages of any length.
pub(crate) const MAX_RESPONSE: usize = 512 * 1024;

/// Why a call got no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The login failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// TWIN did not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl From<ApiError> for Attempt {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Login(error) => error.into(),
            ApiError::Http(error) => error.into(),
        }
    }
}

/// Everything that a connection's calls to TWIN need.
#[derive(Debug, Clone, Copy)]
pub struct Api<'a> {
    /// This process's login tokens.
    pub tokens: &'a Tokens,
    pub connection: &'a Connection,
    pub settings: &'a Settings,
    pub secrets: &'a SecretBag,
    pub http_client: &'a HttpClient,
    pub now: Timestamp,
}

/// A request body with its content type.
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
        // Trunkline's own types always serialize.
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        Self { kind: Some(HeaderValue::from_static("application/json")), bytes }
    }

    pub(crate) fn of(kind: HeaderValue, bytes: Vec<u8>) -> Self {
        Self { kind: Some(kind), bytes }
    }
}

impl<'a> Api<'a> {
    /// Returns the API for a delivery.
    pub(crate) fn of(
        context: &SendContext<'a>,
        tokens: &'a Tokens,
        http_client: &'a HttpClient,
    ) -> Self {
        let SendContext { connection, settings, secrets, now, .. } = *context;
        Self { tokens, connection, settings, secrets, http_client, now }
    }

    /// Returns whether the connection can log in.
    pub(crate) fn has_credentials(&self) -> bool {
        has_credentials(self.secrets)
    }

    /// Makes a call without a login.
    pub(crate) async fn anonymous(
        &self,
        method: Method,
        url: String,
        body: Body,
    ) -> Result<HttpResponse, ApiError> {
        Ok(self.http_client.send_with_limit(request(method, url, None, body), MAX_RESPONSE).await?)
    }

    /// Makes a call with a login. If TWIN refuses the token, logs in again once (`TC-op`).
    pub(crate) async fn authenticated(
        &self,
        method: Method,
        url: String,
        body: Body,
    ) -> Result<HttpResponse, ApiError> {
        self.authenticated_with_limit(method, url, body, MAX_RESPONSE).await
    }

    /// Makes a call with a login and reads at most `limit` bytes of the response.
    pub(crate) async fn authenticated_with_limit(
        &self,
        method: Method,
        url: String,
        body: Body,
        limit: usize,
    ) -> Result<HttpResponse, ApiError> {
        let Self { connection, settings, secrets, http_client, now, .. } = *self;
        let bearer = self.tokens.bearer(connection, settings, secrets, http_client, now).await?;
        let first = request(method.clone(), url.clone(), Some(bearer), body.clone());
        let answer = self.http_client.send_with_limit(first, limit).await?;
        if !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Ok(answer);
        }
        self.tokens.forget(&connection.id);
        let bearer = self.tokens.bearer(connection, settings, secrets, http_client, now).await?;
        Ok(self
            .http_client
            .send_with_limit(request(method, url, Some(bearer), body), limit)
            .await?)
    }
}

fn request(method: Method, url: String, bearer: Option<HeaderValue>, body: Body) -> HttpRequest {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.extend(body.kind.map(|kind| (header::CONTENT_TYPE, kind)));
    headers.extend(bearer.map(|bearer| (header::AUTHORIZATION, bearer)));
    HttpRequest { method, url, headers, body: body.bytes }
}

/// Returns an attempt classified by its response's status.
pub(crate) fn attempt(answer: &HttpResponse) -> Attempt {
    Attempt::with_response(answer, classify_by_status(answer))
}

/// Returns whether TWIN may no longer know a session or dialog. How TWIN signals that is not documented:
/// any 4xx status may mean it (fact sheet 2.3), except those that would fail in any session.
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
