//! Checks the tokens of a call. Webex Connect signs nothing: with its platform IMI BOT it sends the bot's
//! access token "in every interaction" (WX-BOT), without saying where.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value};
use trunkline_runtime::security::{AuthError, joined_values, matches_any_secret};

use crate::Call;
use crate::settings::{ACCESS_TOKEN, Settings, VERIFICATION_TOKEN};
use crate::wire::normalized;

/// The normalized names of headers and members that may carry the access token: our assumption.
const ACCESS_TOKEN_NAMES: [&str; 3] = ["accesstoken", "xaccesstoken", "token"];
const BEARER: &str = "bearer ";

/// Checks the access token, if the connection has one.
pub(crate) fn check_access_token(call: &Call<'_>, body: Option<&Value>) -> Result<(), AuthError> {
    let live = call.secrets.live(ACCESS_TOKEN);
    if live.is_empty() {
        let is_declared = call.connection.secrets.contains(ACCESS_TOKEN);
        return if is_declared { Err(AuthError::NoSecret) } else { Ok(()) };
    }
    let received = received_access_tokens(call, body);
    if received.is_empty() {
        return Err(AuthError::InvalidHeader("(or member) of the access token"));
    }
    let is_live = |token: &String| matches_any_secret(token, live.iter().copied());
    if received.iter().any(is_live) { Ok(()) } else { Err(AuthError::Mismatch) }
}

fn received_access_tokens(call: &Call<'_>, body: Option<&Value>) -> Vec<String> {
    let is_token = |name: &str| is_access_token(name, call.settings);
    let headers =
        call.headers.iter().filter(|(name, _)| *name == AUTHORIZATION || is_token(name.as_str()));
    let headers = headers.filter_map(|(_, value)| value.to_str().ok());
    let headers = headers.flat_map(joined_values).map(without_scheme);
    let members = body.and_then(Value::as_object).into_iter().flatten();
    let members = members
        .filter(|(name, _)| is_token(name))
        .filter_map(|(_, value)| value.as_str())
        .map(without_scheme);
    headers.chain(members).filter(|token| !token.is_empty()).collect()
}

fn is_access_token(name: &str, settings: &Settings) -> bool {
    let name = normalized(name);
    let own = settings.access_token_name.as_deref().map(normalized);
    ACCESS_TOKEN_NAMES.contains(&name.as_str()) || own.is_some_and(|own| own == name)
}

fn without_scheme(value: &str) -> String {
    let value = value.trim();
    let scheme = value.get(..BEARER.len()).filter(|start| start.eq_ignore_ascii_case(BEARER));
    value[scheme.map_or(0, str::len)..].trim().to_owned()
}

/// Removes the access token from an event, because events are stored.
pub(crate) fn remove_access_token(event: &mut Map<String, Value>, call: &Call<'_>) {
    if !call.secrets.live(ACCESS_TOKEN).is_empty() {
        event.retain(|name, _| !is_access_token(name, call.settings));
    }
}

/// Returns whether a call contains verification tokens, none of which is the connection's.
pub(crate) fn has_wrong_verification_token(call: &Call<'_>, body: &Value) -> bool {
    let live = call.secrets.live(VERIFICATION_TOKEN);
    let received = received_tokens(call.headers, body);
    let is_live = |token: &String| matches_any_secret(token, live.iter().copied());
    !received.is_empty() && !live.is_empty() && !received.iter().any(is_live)
}

/// Returns the verification tokens of a call, from headers and the body. The documentation can be
/// read to mean that Webex Connect sends it, too (fact sheet B2).
#[must_use]
pub fn received_tokens(headers: &HeaderMap, body: &Value) -> Vec<String> {
    let is_token = |name: &str| {
        let name = name.to_lowercase();
        name.find("verif").is_some_and(|at| name[at..].contains("token"))
    };
    let headers = headers.iter().filter(|(name, _)| is_token(name.as_str()));
    let headers = headers.map(|(_, value)| value.to_str().unwrap_or_default());
    let headers = headers.flat_map(joined_values).map(without_scheme);
    let members = body.as_object().into_iter().flatten().filter(|(name, _)| is_token(name));
    // An explicit null stands for an absent member.
    let members = members.filter(|(_, value)| !value.is_null());
    headers.chain(members.map(|(_, value)| value.as_str().unwrap_or_default().to_owned())).collect()
}
