//! Authenticates the router's calls. TwoWay does not sign calls (fact sheet A4), so the adapter is
//! configured to send a shared secret.

use trunkline_runtime::security::{AuthError, matches_any_secret};
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

fn received_secrets(call: &Call<'_>) -> Vec<String> {
    let headers = call.headers.get_all(call.settings.secret_header.as_str()).into_iter();
    let headers = headers.filter_map(|value| value.to_str().ok()).flat_map(header_values);
    let query = form_urlencoded::parse(call.query.as_bytes())
        .find(|(name, _)| name == SECRET_PARAMETER)
        .map(|(_, value)| value.into_owned());
    headers.chain(query).filter(|secret| !secret.is_empty()).collect()
}

/// Returns the values of a header. While the secret is rotated, the adapter may send the header twice, and the
/// gateway joins the two with a comma, which a secret may contain as well.
fn header_values(value: &str) -> Vec<String> {
    let parts = value.split(',').filter(|_| value.contains(','));
    std::iter::once(value).chain(parts).map(|secret| secret.trim().to_owned()).collect()
}
