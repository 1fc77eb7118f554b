//! How each side of eventing and of the engagement adapter proves itself to the other.

use http::HeaderMap;
use jiff::Timestamp;
use trunkline_shared::inbound::Call;
use trunkline_shared::outbound::{Unsendable, json_headers, needed, put_header};
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::security::{Denied, is_one_of};

use crate::jwks::{Doubt, Keys};
use crate::jwt;
use crate::settings::{API_KEY, Auth, ENGAGEMENT_SECRET, EgressAuth, JWT_SECRET, Settings};

const AUTHORIZATION: &str = "authorization";

/// Checks that an egress is from the engagement adapter: it has the endpoint's secret (SW; that it
/// comes as a Bearer token is inferred).
pub(crate) fn egress(call: &Call<'_>, settings: &Settings) -> Result<(), Denied> {
    match settings.egress_auth {
        EgressAuth::None => Ok(()),
        EgressAuth::Bearer => {
            let given = credentials(call.headers, AUTHORIZATION, "bearer");
            compare(given, call.secrets, ENGAGEMENT_SECRET)
        }
    }
}

/// Checks that an event is from eventing (S4: an API key or a token in the header).
pub(crate) fn eventing(call: &Call<'_>, keys: &Keys, settings: &Settings) -> Result<(), Doubt> {
    let given = |scheme| credentials(call.headers, &settings.auth_header, scheme);
    match settings.auth {
        Auth::ApiKey => compare(given("apikey"), call.secrets, API_KEY).map_err(Doubt::Denied),
        Auth::JwtSecret => {
            let token = given("bearer").ok_or(Doubt::Denied(Denied::Header(AUTHORIZATION)))?;
            jwt::check_secrets(token, &call.secrets.live(JWT_SECRET), settings, call.now)
                .map_err(Doubt::Denied)
        }
        Auth::Jwks => {
            let token = given("bearer").ok_or(Doubt::Denied(Denied::Header(AUTHORIZATION)))?;
            let url = settings.jwks_url.as_deref().ok_or(Doubt::Denied(Denied::NoSecret))?;
            keys.check(url, token, settings, call.now)
        }
    }
}

/// What a header holds behind its scheme. A header of their own need not have the scheme.
fn credentials<'a>(headers: &'a HeaderMap, name: &str, scheme: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    match value.split_once(' ') {
        Some((given, rest)) if given.eq_ignore_ascii_case(scheme) => Some(rest.trim()),
        None if !name.eq_ignore_ascii_case(AUTHORIZATION) => Some(value),
        _ => None,
    }
}

fn compare(given: Option<&str>, secrets: &SecretBag, name: &str) -> Result<(), Denied> {
    let live = secrets.live(name);
    if live.is_empty() {
        return Err(Denied::NoSecret);
    }
    let given = given.ok_or(Denied::Header(AUTHORIZATION))?;
    if is_one_of(given, live) { Ok(()) } else { Err(Denied::Mismatch) }
}

/// The headers of a call to the engagement adapter (SW).
pub(crate) fn engagement_headers(secrets: &SecretBag) -> Result<HeaderMap, Unsendable> {
    let mut headers = json_headers();
    let secret = needed(secrets, ENGAGEMENT_SECRET)?;
    put_header(&mut headers, AUTHORIZATION, &format!("Bearer {secret}"))?;
    Ok(headers)
}

/// The headers of an event of our own, as S4's curl shows them.
pub(crate) fn event_headers(
    settings: &Settings,
    secrets: &SecretBag,
    correlation: &str,
    now: Timestamp,
) -> Result<HeaderMap, Unsendable> {
    let mut headers = json_headers();
    put_header(&mut headers, "x-correlation-id", correlation)?;
    let proof = match settings.auth {
        Auth::ApiKey if settings.auth_header.eq_ignore_ascii_case(AUTHORIZATION) => {
            format!("ApiKey {}", needed(secrets, API_KEY)?)
        }
        Auth::ApiKey => needed(secrets, API_KEY)?.to_owned(),
        Auth::JwtSecret => {
            let unsigned = || Unsendable::Misconfigured("the token cannot be signed".into());
            let token = jwt::sign(needed(secrets, JWT_SECRET)?, settings, now);
            format!("Bearer {}", token.ok_or_else(unsigned)?)
        }
        Auth::Jwks => {
            let why = "auth: jwks is for events that come in: use api_key or jwt_secret";
            return Err(Unsendable::Misconfigured(why.into()));
        }
    };
    put_header(&mut headers, &settings.auth_header, &proof)?;
    Ok(headers)
}
