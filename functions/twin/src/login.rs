//! Logs in and caches the JWT until shortly before it expires (`TS` `Authenticator.php`, `TC-op`).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trunkline_core::json;
use trunkline_core::model::{Connection, ConnectionId, Verdict};
use trunkline_runtime::http_client::{HttpClient, HttpError, HttpRequest};
use trunkline_runtime::outbound::{Attempt, Classification};
use trunkline_runtime::secrets::SecretBag;

use crate::settings::{EMAIL, PASSWORD, Settings, join_url};
use crate::wire::{Login, LoginResponse};

/// The requested lifetime of a token, in seconds.
const TTL: u32 = 43_200;
/// How long before its expiry a token is renewed (`TC-op`).
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(15);
/// How long a token is used if its expiry cannot be read.
const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The connection has no credentials.
    #[error("this call needs a login: add the secrets {EMAIL} and {PASSWORD}")]
    NoCredentials,
    /// TWIN did not answer the login.
    #[error("TWIN login failed: {0}")]
    Http(#[from] HttpError),
    /// TWIN refused the login.
    #[error("TWIN login failed: TWIN answered {0}")]
    Refused(StatusCode),
    /// TWIN's response contains no token.
    #[error("TWIN login failed: the response contains no token")]
    NoToken,
}

impl From<&LoginError> for Classification {
    /// No message was sent before the login, so a retry cannot duplicate one.
    fn from(error: &LoginError) -> Self {
        let verdict = match error {
            LoginError::Http(HttpError::Blocked(_) | HttpError::Malformed(_))
            | LoginError::NoCredentials
            | LoginError::NoToken => Verdict::Permanent,
            LoginError::Refused(status)
                if status.is_client_error() && *status != StatusCode::TOO_MANY_REQUESTS =>
            {
                Verdict::Permanent
            }
            LoginError::Http(_) | LoginError::Refused(_) => Verdict::Retryable,
        };
        Classification { verdict, reason: Some(error.to_string()), external_message_id: None }
    }
}

impl From<LoginError> for Attempt {
    fn from(error: LoginError) -> Self {
        let status = match &error {
            LoginError::Refused(status) => Some(status.as_u16()),
            _ => None,
        };
        Self { status, ..Self::without_response((&error).into()) }
    }
}

/// The tokens that this process has, by connection.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<HashMap<ConnectionId, Token>>);

#[derive(Clone)]
struct Token {
    /// Which writing of the connection's secrets it was had with.
    version: i64,
    bearer: HeaderValue,
    until: Timestamp,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("until", &self.until).finish_non_exhaustive()
    }
}

/// Returns whether a connection can log in.
#[must_use]
pub fn has_credentials(secrets: &SecretBag) -> bool {
    secrets.newest(EMAIL).is_some() && secrets.newest(PASSWORD).is_some()
}

impl Tokens {
    /// Returns the value of the `Authorization` header, from the cache or by a login.
    ///
    /// # Errors
    /// Fails if the login does.
    pub(crate) async fn bearer(
        &self,
        connection: &Connection,
        settings: &Settings,
        secrets: &SecretBag,
        http_client: &HttpClient,
        now: Timestamp,
    ) -> Result<HeaderValue, LoginError> {
        let known = self.known(&connection.id);
        let fresh =
            known.filter(|token| token.version == connection.secrets_version && now < token.until);
        if let Some(token) = fresh {
            return Ok(token.bearer);
        }
        let token = log_in(connection, settings, secrets, http_client, now).await?;
        let bearer = token.bearer.clone();
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(connection.id.clone(), token);
        Ok(bearer)
    }

    /// Removes a connection's token from the cache, because TWIN no longer accepts it.
    pub(crate) fn forget(&self, connection: &ConnectionId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(connection);
    }

    fn known(&self, connection: &ConnectionId) -> Option<Token> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(connection).cloned()
    }
}

async fn log_in(
    connection: &Connection,
    settings: &Settings,
    secrets: &SecretBag,
    http_client: &HttpClient,
    now: Timestamp,
) -> Result<Token, LoginError> {
    let (Some(email), Some(password)) = (secrets.newest(EMAIL), secrets.newest(PASSWORD)) else {
        return Err(LoginError::NoCredentials);
    };
    let login = Login { email, password, ttl: TTL };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = HttpRequest {
        method: Method::POST,
        url: join_url(&settings.iam_url, "auth/login"),
        headers,
        body: serde_json::to_vec(&login).map_err(|_| LoginError::NoToken)?,
    };
    let answer = http_client.send(request).await?;
    if !answer.status.is_success() {
        return Err(LoginError::Refused(answer.status));
    }
    let response: LoginResponse = json::from_slice(&answer.body).unwrap_or_default();
    let jwt = response.auth_token.non_blank().ok_or(LoginError::NoToken)?;
    let bearer = HeaderValue::from_str(&format!("Bearer {jwt}"));
    let mut bearer = bearer.map_err(|_| LoginError::NoToken)?;
    bearer.set_sensitive(true);
    let until = expiry(jwt).map_or(now + DEFAULT_LIFETIME, |end| end - RENEW_BEFORE);
    Ok(Token { version: connection.secrets_version, bearer, until })
}

/// Returns a JWT's `exp`. The token is not verified: it comes from TWIN and goes back to TWIN, and `exp`
/// only decides when to log in again.
fn expiry(jwt: &str) -> Option<Timestamp> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = json::from_slice(&payload).ok()?;
    let exp = claims.get("exp")?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second does not matter")]
    let seconds = exp.as_i64().or_else(|| exp.as_f64().map(|seconds| seconds as i64))?;
    // A time from which the margin cannot be subtracted is invalid.
    Timestamp::from_second(seconds).ok().filter(|end| *end > Timestamp::UNIX_EPOCH + RENEW_BEFORE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_expiry_of_a_token() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"sub":"1","exp":1767225600}"#);
        let read = expiry(&format!("h.{payload}.s"));
        assert_eq!(read, Some(Timestamp::from_second(1_767_225_600).unwrap()));
    }

    proptest! {
        #[test]
        fn reading_a_token_never_panics(jwt in ".{0,80}", exp in any::<f64>()) {
            let _ = expiry(&jwt);
            let payload = URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}"));
            let _ = expiry(&format!("h.{payload}.s"));
        }
    }
}
