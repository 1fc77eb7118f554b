//! Whether a call is from the router. TwoWay signs nothing (fact sheet A4), so the adapter is given a
//! secret to send along.

use trunkline_shared::inbound::Call;
use trunkline_shared::security::{Denied, is_one_of};
use url::form_urlencoded;

use crate::settings::{EventSecret, SHARED_SECRET, Settings};

/// Our address's path of the event endpoint.
pub(crate) const EVENT: &str = "event";
/// The query's member that holds the secret.
const QUERY: &str = "secret";

/// Checks a call's shared secret, in the header or the query; where the connection has none, the
/// address's own key is all there is.
pub(crate) fn check(call: &Call<'_>, settings: &Settings) -> Result<(), Denied> {
    let live = call.secrets.live(SHARED_SECRET);
    if live.is_empty() && !call.connection.secrets.contains(SHARED_SECRET) {
        return Ok(());
    }
    if call.path == EVENT && settings.event_secret == EventSecret::PathKey {
        return Ok(());
    }
    if live.is_empty() {
        return Err(Denied::NoSecret);
    }
    let given = given(call, settings);
    if given.is_empty() {
        return Err(Denied::Header("(or query member) of the shared secret"));
    }
    let right = given.iter().any(|given| is_one_of(given, live.iter().copied()));
    if right { Ok(()) } else { Err(Denied::Mismatch) }
}

fn given(call: &Call<'_>, settings: &Settings) -> Vec<String> {
    let header = call.headers.get(settings.secret_header.as_str());
    let header = header.and_then(|value| value.to_str().ok()).map(|value| value.trim().to_owned());
    let query = form_urlencoded::parse(call.query.as_bytes())
        .find(|(name, _)| name == QUERY)
        .map(|(_, value)| value.into_owned());
    header.into_iter().chain(query).filter(|given| !given.is_empty()).collect()
}
