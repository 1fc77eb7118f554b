//! How each side proves itself to the other.

use http::HeaderMap;
use jiff::Timestamp;
use trunkline_shared::inbound::Call;
use trunkline_shared::outbound::{Unsendable, needed, put_header};
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::security::{Denied, is_one_of, sign, verify};

use crate::settings::{API_KEY, Auth, BEARER, SIGNING, Settings};

/// Checks that a call is from the connection's far side.
pub(crate) fn check(call: &Call<'_>, settings: &Settings) -> Result<(), Denied> {
    match settings.auth {
        Auth::Signature => verify(&call.secrets.live(SIGNING), call.headers, call.body, call.now),
        Auth::Bearer => {
            let given = text(call.headers, "authorization");
            let given = given.and_then(|value| value.split_once(' '));
            let token = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            compare(token.map(|(_, token)| token), call.secrets, BEARER, "authorization")
        }
        Auth::ApiKey => {
            compare(text(call.headers, settings.key_header()), call.secrets, API_KEY, "api key")
        }
    }
}

fn compare(
    given: Option<&str>,
    secrets: &SecretBag,
    name: &str,
    header: &'static str,
) -> Result<(), Denied> {
    let live = secrets.live(name);
    if live.is_empty() {
        return Err(Denied::NoSecret);
    }
    let given = given.ok_or(Denied::Header(header))?;
    if is_one_of(given.trim(), live) { Ok(()) } else { Err(Denied::Mismatch) }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The headers of a call to the connection's far side. The Standard Webhooks headers are always
/// there, for `webhook-id` is what a receiver tells a repeat by; the signature only where chosen.
pub(crate) fn headers(
    settings: &Settings,
    secrets: &SecretBag,
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<HeaderMap, Unsendable> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| put_header(&mut headers, name, value);
    put("content-type", "application/json")?;
    put("webhook-id", id)?;
    put("webhook-timestamp", &now.as_second().to_string())?;
    match settings.auth {
        Auth::Signature => {
            let signature = sign(&secrets.live(SIGNING), id, now, body)
                .map_err(|why| Unsendable::Misconfigured(why.to_string()))?;
            put("webhook-signature", &signature)?;
        }
        Auth::Bearer => put("authorization", &format!("Bearer {}", needed(secrets, BEARER)?))?,
        Auth::ApiKey => put(settings.key_header(), needed(secrets, API_KEY)?)?,
    }
    Ok(headers)
}
