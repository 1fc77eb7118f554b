//! Logging in: a JWT, remembered until shortly before it ends (`TS` `Authenticator.php`, `TC-op`).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trunkline_shared::http_client::{HttpClient, HttpError, Request};
use trunkline_shared::model::{Connection, ConnectionId, Verdict};
use trunkline_shared::outbound::{Attempt, Meaning};
use trunkline_shared::secrets::SecretBag;

use crate::settings::{EMAIL, PASSWORD, Settings, below};
use crate::wire::{LoggedIn, Login};

/// For how long a token is asked for, in seconds.
const TTL: u32 = 43_200;
/// How long before its end a token is renewed (`TC-op`).
const EARLY: SignedDuration = SignedDuration::from_mins(15);
/// How long a token is used of which the end cannot be read.
const UNREAD: SignedDuration = SignedDuration::from_mins(30);

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The connection has no credentials.
    #[error("TWIN asks for a login here: add the secrets {EMAIL} and {PASSWORD}")]
    NoCredentials,
    /// The login was not answered.
    #[error("TWIN's login: {0}")]
    Unanswered(#[from] HttpError),
    /// It was refused.
    #[error("TWIN's login answered {0}")]
    Refused(StatusCode),
    /// There is no token in its answer.
    #[error("TWIN's login gave no token")]
    NoToken,
}

impl From<&LoginError> for Meaning {
    /// Whatever of the login failed, nothing was said yet: trying again repeats nothing.
    fn from(error: &LoginError) -> Self {
        let verdict = match error {
            LoginError::Unanswered(HttpError::Blocked(_) | HttpError::Malformed(_))
            | LoginError::NoCredentials
            | LoginError::NoToken => Verdict::Permanent,
            LoginError::Refused(status)
                if status.is_client_error() && *status != StatusCode::TOO_MANY_REQUESTS =>
            {
                Verdict::Permanent
            }
            LoginError::Unanswered(_) | LoginError::Refused(_) => Verdict::Retryable,
        };
        Meaning { verdict, reason: Some(error.to_string()), external_id: None }
    }
}

impl From<LoginError> for Attempt {
    fn from(error: LoginError) -> Self {
        let status = match &error {
            LoginError::Refused(status) => Some(status.as_u16()),
            _ => None,
        };
        Self { status, ..Self::without_answer((&error).into()) }
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

/// Whether a connection can log in.
#[must_use]
pub fn has_credentials(secrets: &SecretBag) -> bool {
    secrets.newest(EMAIL).is_some() && secrets.newest(PASSWORD).is_some()
}

impl Tokens {
    /// What goes into `Authorization`.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn bearer(
        &self,
        connection: &Connection,
        secrets: &SecretBag,
        outside: &HttpClient,
        now: Timestamp,
    ) -> Result<HeaderValue, LoginError> {
        let known = self.known(&connection.id);
        let fresh =
            known.filter(|token| token.version == connection.secrets_version && now < token.until);
        if let Some(token) = fresh {
            return Ok(token.bearer);
        }
        let token = log_in(connection, secrets, outside, now).await?;
        let bearer = token.bearer.clone();
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(connection.id.clone(), token);
        Ok(bearer)
    }

    /// Forgets a connection's token: TWIN does not take it any more.
    pub(crate) fn forget(&self, connection: &ConnectionId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(connection);
    }

    fn known(&self, connection: &ConnectionId) -> Option<Token> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(connection).cloned()
    }
}

async fn log_in(
    connection: &Connection,
    secrets: &SecretBag,
    outside: &HttpClient,
    now: Timestamp,
) -> Result<Token, LoginError> {
    let (Some(email), Some(password)) = (secrets.newest(EMAIL), secrets.newest(PASSWORD)) else {
        return Err(LoginError::NoCredentials);
    };
    let login = Login { email, password, ttl: TTL };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = Request {
        method: Method::POST,
        url: below(&Settings::of(&connection.settings).iam_url, "auth/login"),
        headers,
        body: serde_json::to_vec(&login).map_err(|_| LoginError::NoToken)?,
    };
    let answer = outside.call(request).await?;
    if !answer.status.is_success() {
        return Err(LoginError::Refused(answer.status));
    }
    let given: LoggedIn = serde_json::from_slice(&answer.body).unwrap_or_default();
    let jwt = given.auth_token.some().ok_or(LoginError::NoToken)?;
    let bearer = HeaderValue::from_str(&format!("Bearer {jwt}"));
    let mut bearer = bearer.map_err(|_| LoginError::NoToken)?;
    bearer.set_sensitive(true);
    let until = expiry(jwt).map_or(now + UNREAD, |end| end - EARLY);
    Ok(Token { version: connection.secrets_version, bearer, until })
}

/// A JWT's `exp`. It is not verified: it is TWIN's own, and only tells when to ask for the next.
fn expiry(jwt: &str) -> Option<Timestamp> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let exp = claims.get("exp")?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second does not matter")]
    let seconds = exp.as_i64().or_else(|| exp.as_f64().map(|seconds| seconds as i64))?;
    // A time so late that nothing can be taken from it would be nonsense.
    Timestamp::from_second(seconds).ok().filter(|end| *end > Timestamp::UNIX_EPOCH + EARLY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_end_of_a_token_is_read() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"sub":"1","exp":1767225600}"#);
        let read = expiry(&format!("h.{payload}.s"));
        assert_eq!(read, Some(Timestamp::from_second(1_767_225_600).unwrap()));
    }

    proptest! {
        #[test]
        fn no_token_makes_it_panic(jwt in ".{0,80}", exp in any::<f64>()) {
            let _ = expiry(&jwt);
            let payload = URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}"));
            let _ = expiry(&format!("h.{payload}.s"));
        }
    }
}
