//! Authenticates inbound calls and builds the headers of outbound ones.

use http::HeaderMap;
use jiff::Timestamp;
use trunkline_runtime::outbound::{EncodeError, insert_secret_header, required_secret};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::{AuthError, header_values, matches_any_secret, sign, verify};

use crate::Call;
use crate::settings::{API_KEY, Auth, BEARER, SIGNING, Settings};

/// Checks that a call comes from the connection's remote system.
pub(crate) fn authenticate(call: &Call<'_>) -> Result<(), AuthError> {
    match call.settings.auth {
        Auth::Signature => {
            let bodies: Vec<_> = call.signed_bodies().collect();
            verify(&call.secrets.live(SIGNING), call.headers, &bodies, call.now)
        }
        Auth::Bearer => {
            let given = header_values(call.headers, "authorization");
            let given = given.filter_map(|value| value.split_once(' '));
            let tokens = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            check_tokens(tokens.map(|(_, token)| token), call.secrets, BEARER, "authorization")
        }
        Auth::ApiKey => check_tokens(
            header_values(call.headers, &call.settings.api_key_header),
            call.secrets,
            API_KEY,
            "api key",
        ),
    }
}

fn check_tokens<'a>(
    given: impl Iterator<Item = &'a str>,
    secrets: &SecretBag,
    name: &str,
    header: &'static str,
) -> Result<(), AuthError> {
    let live = secrets.live(name);
    if live.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let compared: Vec<_> =
        given.map(|token| matches_any_secret(token.trim(), live.iter().copied())).collect();
    if compared.iter().fold(false, |found, same| found | same) {
        Ok(())
    } else if compared.is_empty() {
        Err(AuthError::InvalidHeader(header))
    } else {
        Err(AuthError::Mismatch)
    }
}

/// Builds the headers of a call to the remote system. `webhook-id` and `webhook-timestamp` are
/// always present, because receivers recognize repeats by `webhook-id`; the credential depends on
/// `auth`.
pub(crate) fn headers(
    settings: &Settings,
    secrets: &SecretBag,
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<HeaderMap, EncodeError> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| insert_secret_header(&mut headers, name, value);
    put("content-type", "application/json")?;
    put("webhook-id", id)?;
    put("webhook-timestamp", &now.as_second().to_string())?;
    match settings.auth {
        Auth::Signature => {
            let signature = sign(&secrets.live(SIGNING), id, now, body)
                .map_err(|why| EncodeError::Misconfigured(why.to_string()))?;
            put("webhook-signature", &signature)?;
        }
        Auth::Bearer => {
            put("authorization", &format!("Bearer {}", required_secret(secrets, BEARER)?))?;
        }
        Auth::ApiKey => put(&settings.api_key_header, required_secret(secrets, API_KEY)?)?,
    }
    Ok(headers)
}
