//! Authenticates calls of eventing and of the engagement adapter, in both directions.

use http::HeaderMap;
use jiff::Timestamp;
use trunkline_runtime::outbound::{
    EncodeError, insert_secret_header, json_headers, required_secret,
};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::{AuthError, header_values, matches_any_secret};

use crate::Call;
use crate::jwks::{KeyCache, TokenError};
use crate::jwt;
use crate::settings::{API_KEY, Auth, ENGAGEMENT_SECRET, EgressAuth, JWT_SECRET, Settings};

const AUTHORIZATION: &str = "authorization";
const BEARER: &str = "bearer";
const API_KEY_SCHEME: &str = "apikey";
/// Maximum number of credentials that a call can have.
const MAX_CREDENTIALS: usize = 16;

/// Checks that an egress comes from the engagement adapter: it carries the endpoint's secret (SW, Setting up; that
/// this is a Bearer token in `Authorization` is our assumption: `egress_auth`).
pub(crate) fn check_egress(call: &Call<'_>) -> Result<(), AuthError> {
    match call.settings.egress_auth {
        EgressAuth::None => Ok(()),
        EgressAuth::Bearer => {
            let given = credentials(call.headers, AUTHORIZATION, BEARER);
            check_secret(&given, call.secrets, ENGAGEMENT_SECRET, BEARER)
        }
    }
}

/// Checks that an event comes from eventing (S4, Authorization: an API key or a token in the header).
pub(crate) fn check_eventing(call: &Call<'_>, keys: &KeyCache) -> Result<(), TokenError> {
    let settings = call.settings;
    let given = |scheme| credentials(call.headers, &settings.auth_header, scheme);
    match settings.auth {
        Auth::ApiKey => check_secret(&given(API_KEY_SCHEME), call.secrets, API_KEY, API_KEY_SCHEME)
            .map_err(TokenError::Denied),
        Auth::JwtSecret => {
            let secrets = call.secrets.live(JWT_SECRET);
            check_each(&given(BEARER), |token| {
                jwt::check_secrets(token, &secrets, settings, call.now).map_err(TokenError::Denied)
            })
        }
        Auth::Jwks => {
            let no_url = TokenError::Denied(AuthError::NoSecret);
            let url = settings.jwks_url.as_deref();
            check_each(&given(BEARER), |token| {
                keys.check(url.ok_or(no_url.clone())?, token, settings, call.now)
            })
        }
    }
}

/// Checks each token until one is valid. A token whose key is not known yet goes before an invalid one.
fn check_each(
    tokens: &[&str],
    mut check: impl FnMut(&str) -> Result<(), TokenError>,
) -> Result<(), TokenError> {
    let mut result = Err(TokenError::Denied(AuthError::InvalidHeader(AUTHORIZATION)));
    for token in tokens {
        match check(token) {
            Ok(()) => return Ok(()),
            Err(TokenError::KeyPending) => result = Err(TokenError::KeyPending),
            Err(denied) if !matches!(result, Err(TokenError::KeyPending)) => result = Err(denied),
            Err(_) => {}
        }
    }
    result
}

/// Returns the credentials after a header's scheme. Only `authorization` requires the scheme. The header may
/// have several values, also joined by commas, as an HTTP gateway joins them.
fn credentials<'a>(headers: &'a HeaderMap, name: &str, scheme: &str) -> Vec<&'a str> {
    let requires_scheme = name.eq_ignore_ascii_case(AUTHORIZATION);
    let given = header_values(headers, name).filter_map(|value| {
        let without_scheme = || (!requires_scheme && !value.contains(' ')).then_some(value);
        after_scheme(value, scheme).or_else(without_scheme)
    });
    given.take(MAX_CREDENTIALS).collect()
}

/// Returns what follows a scheme, such as `Bearer`; `None` without this scheme.
fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = value.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Compares credentials with the live secrets. A secret may be configured with its scheme, as ServisBOT's sample
/// writes it: `Bearer <key>` (SB).
fn check_secret(
    given: &[&str],
    secrets: &SecretBag,
    name: &str,
    scheme: &str,
) -> Result<(), AuthError> {
    let live = secrets.live(name);
    if live.is_empty() {
        return Err(AuthError::NoSecret);
    }
    if given.is_empty() {
        return Err(AuthError::InvalidHeader(AUTHORIZATION));
    }
    let live: Vec<&str> = live.iter().map(|secret| without_scheme(secret, scheme)).collect();
    let is_one = given.iter().any(|given| matches_any_secret(given, live.iter().copied()));
    if is_one { Ok(()) } else { Err(AuthError::Mismatch) }
}

fn without_scheme<'a>(secret: &'a str, scheme: &str) -> &'a str {
    after_scheme(secret.trim(), scheme).unwrap_or(secret)
}

/// Builds the headers of a call to the engagement adapter (SW).
pub(crate) fn engagement_headers(secrets: &SecretBag) -> Result<HeaderMap, EncodeError> {
    let mut headers = json_headers();
    let secret = required_secret(secrets, ENGAGEMENT_SECRET)?;
    let secret = without_scheme(secret, BEARER);
    insert_secret_header(&mut headers, AUTHORIZATION, &format!("Bearer {secret}"))?;
    Ok(headers)
}

/// Builds the headers of an outbound event, as in S4's curl example.
pub(crate) fn event_headers(
    settings: &Settings,
    secrets: &SecretBag,
    correlation: &str,
    now: Timestamp,
) -> Result<HeaderMap, EncodeError> {
    let mut headers = json_headers();
    insert_secret_header(&mut headers, "x-correlation-id", correlation)?;
    let credential = match settings.auth {
        Auth::ApiKey if settings.auth_header.eq_ignore_ascii_case(AUTHORIZATION) => {
            format!("ApiKey {}", without_scheme(required_secret(secrets, API_KEY)?, API_KEY_SCHEME))
        }
        Auth::ApiKey => required_secret(secrets, API_KEY)?.to_owned(),
        Auth::JwtSecret => {
            let unsigned = || EncodeError::Misconfigured("the token cannot be signed".into());
            let token = jwt::sign(required_secret(secrets, JWT_SECRET)?, settings, now);
            format!("Bearer {}", token.ok_or_else(unsigned)?)
        }
        Auth::Jwks => {
            let why = "auth: jwks supports only inbound events: use api_key or jwt_secret";
            return Err(EncodeError::Misconfigured(why.into()));
        }
    };
    insert_secret_header(&mut headers, &settings.auth_header, &credential)?;
    Ok(headers)
}
