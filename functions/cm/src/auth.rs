//! Authenticates the router's calls. TwoWay does not sign calls (fact sheet A4), so the adapter is
//! configured to send a shared secret.

use trunkline_runtime::security::{AuthError, header_values, matches_any_secret};
use url::form_urlencoded;

use crate::Call;
use crate::settings::{EventSecret, SHARED_SECRET};

/// The path of the event endpoint, after the connection's URL.
pub(crate) const EVENT_PATH: &str = "event";
/// The query parameter that holds the shared secret.
const SECRET_PARAMETER: &str = "secret";

/// Checks the shared secret of a call, in the header or the query. A connection without one relies
/// on the key in its URL.
pub(crate) fn authenticate(call: &Call<'_>) -> Result<(), AuthError> {
    let live = call.secrets.live(SHARED_SECRET);
    if live.is_empty() && !call.connection.secrets.contains(SHARED_SECRET) {
        return Ok(());
    }
    if call.path == EVENT_PATH && call.settings.event_secret == EventSecret::PathKey {
        return Ok(());
    }
    if live.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let received = received_secrets(call);
    if received.is_empty() {
        return Err(AuthError::InvalidHeader("(or query parameter) of the shared secret"));
    }
    let matches = received.iter().any(|secret| matches_any_secret(secret, live.iter().copied()));
    if matches { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Returns the secrets of a call. While the secret is rotated, the adapter may send the header twice.
fn received_secrets(call: &Call<'_>) -> Vec<String> {
    let headers = header_values(call.headers, &call.settings.secret_header).map(ToOwned::to_owned);
    let query = form_urlencoded::parse(call.query.as_bytes())
        .find(|(name, _)| name == SECRET_PARAMETER)
        .map(|(_, value)| value.into_owned());
    headers.chain(query).filter(|secret| !secret.is_empty()).collect()
}
