//! Authenticates calls of eventing and of the engagement adapter, in both directions.

use http::HeaderMap;
use jiff::Timestamp;
use trunkline_runtime::outbound::{
    EncodeError, insert_secret_header, json_headers, required_secret,
};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::{AuthError, matches_any_secret};

use crate::Call;
use crate::jwks::{KeyCache, TokenError};
use crate::jwt;
use crate::settings::{API_KEY, Auth, ENGAGEMENT_SECRET, EgressAuth, JWT_SECRET, Settings};

const AUTHORIZATION: &str = "authorization";

/// Checks that an egress comes from the engagement adapter: it carries the endpoint's secret (SW;
/// that this is a Bearer token is inferred).
pub(crate) fn check_egress(call: &Call<'_>) -> Result<(), AuthError> {
    match call.settings.egress_auth {
        EgressAuth::None => Ok(()),
        EgressAuth::Bearer => {
            let given = credentials(call.headers, AUTHORIZATION, "bearer");
            check_secret(given, call.secrets, ENGAGEMENT_SECRET)
        }
    }
}

/// Checks that an event comes from eventing (S4: an API key or a token in the header).
pub(crate) fn check_eventing(call: &Call<'_>, keys: &KeyCache) -> Result<(), TokenError> {
    let settings = call.settings;
    let given = |scheme| credentials(call.headers, &settings.auth_header, scheme);
    match settings.auth {
        Auth::ApiKey => {
            check_secret(given("apikey"), call.secrets, API_KEY).map_err(TokenError::Denied)
        }
        Auth::JwtSecret => {
            let token = given("bearer")
                .ok_or(TokenError::Denied(AuthError::InvalidHeader(AUTHORIZATION)))?;
            jwt::check_secrets(token, &call.secrets.live(JWT_SECRET), settings, call.now)
                .map_err(TokenError::Denied)
        }
        Auth::Jwks => {
            let token = given("bearer")
                .ok_or(TokenError::Denied(AuthError::InvalidHeader(AUTHORIZATION)))?;
            let url =
                settings.jwks_url.as_deref().ok_or(TokenError::Denied(AuthError::NoSecret))?;
            keys.check(url, token, settings, call.now)
        }
    }
}

/// Returns the credentials after a header's scheme. Only `authorization` requires the scheme.
fn credentials<'a>(headers: &'a HeaderMap, name: &str, scheme: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    match value.split_once(' ') {
        Some((given, rest)) if given.eq_ignore_ascii_case(scheme) => Some(rest.trim()),
        None if !name.eq_ignore_ascii_case(AUTHORIZATION) => Some(value),
        _ => None,
    }
}

fn check_secret(given: Option<&str>, secrets: &SecretBag, name: &str) -> Result<(), AuthError> {
    let live = secrets.live(name);
    if live.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let given = given.ok_or(AuthError::InvalidHeader(AUTHORIZATION))?;
    if matches_any_secret(given, live) { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Builds the headers of a call to the engagement adapter (SW).
pub(crate) fn engagement_headers(secrets: &SecretBag) -> Result<HeaderMap, EncodeError> {
    let mut headers = json_headers();
    let secret = required_secret(secrets, ENGAGEMENT_SECRET)?;
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
            format!("ApiKey {}", required_secret(secrets, API_KEY)?)
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
