//! Checks and repairs the channel's registration at Unblu. Unblu switches off an endpoint that keeps
//! failing and does not switch it on again by itself (UM).

use std::fmt;

use serde_json::{Map, Value};
use trunkline_runtime::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{EncodeError, RegistrationState};
use trunkline_runtime::secrets::SecretBag;

use crate::CheckContext;
use crate::api::{Api, problem};
use crate::settings::{ApiVersion, Settings};
use crate::wire::Object;

/// How many times the update is tried if others change the channel at the same time.
const MAX_ATTEMPTS: usize = 3;

/// Whether Unblu calls the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Active,
    /// Unblu switched the channel off because the endpoint failed for too long. [`repair`] fixes that.
    Unavailable,
    /// A person switched the channel off. It stays off, as in the vendor's own library (UM).
    SwitchedOff,
    /// An unknown status.
    Other(String),
}

/// The state of a channel's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub status: Status,
    /// Differences between the registration and the connection's settings, as texts for operators.
    pub problems: Vec<String>,
}

/// What [`repair`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// The channel is active.
    NotNeeded,
    /// The channel was switched on again.
    Reactivated,
    /// A person switched the channel off; it stays off.
    LeftOff,
}

/// Why a channel could not be checked or repaired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The connection's settings or secrets are incomplete.
    #[error(transparent)]
    Misconfigured(#[from] EncodeError),
    /// Unblu did not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Unblu refused the request.
    #[error("{0}")]
    Refused(String),
    /// The response is not a channel.
    #[error("Unblu's response contains no channel: check base_url, api_version and channel_id")]
    NoChannel,
    /// Others changed the channel before each update.
    #[error("the channel was changed by others during each attempt: try again later")]
    Contended,
}

/// A channel as Unblu returned it. It contains the secret in plain text (UA4), so it is never logged.
struct Channel(Map<String, Value>);

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads the channel and compares it with the connection's settings.
///
/// # Errors
/// Fails if the channel cannot be read.
pub async fn check(
    settings: &Settings,
    secrets: &SecretBag,
    http_client: &HttpClient,
) -> Result<Registration, RegistrationError> {
    let api = Api::of(settings, secrets)?;
    let channel = read_channel(&api, http_client).await?;
    Ok(assess(Object(&channel.0), api.settings))
}

/// Switches the channel on again if Unblu switched it off. An update must carry the channel's current
/// version, so the channel is read before each attempt.
///
/// # Errors
/// Fails if the channel cannot be read or updated.
pub async fn repair(
    settings: &Settings,
    secrets: &SecretBag,
    http_client: &HttpClient,
) -> Result<Repair, RegistrationError> {
    let api = Api::of(settings, secrets)?;
    for _ in 0..MAX_ATTEMPTS {
        let channel = read_channel(&api, http_client).await?;
        match assess(Object(&channel.0), api.settings).status {
            Status::Active => return Ok(Repair::NotNeeded),
            Status::SwitchedOff => return Ok(Repair::LeftOff),
            Status::Unavailable | Status::Other(_) => {}
        }
        let (seen, body) = (channel.0.get("version").cloned(), activated(channel));
        let answer =
            http_client.send(api.post(&["externalmessengers", "update"], Some(&body))).await?;
        if answer.status.is_success() {
            return Ok(Repair::Reactivated);
        }
        // Refused because of an outdated version, or for another reason?
        let now = read_channel(&api, http_client).await?;
        if now.0.get("version").cloned() == seen {
            return Err(RegistrationError::Refused(problem(&answer)));
        }
    }
    Err(RegistrationError::Contended)
}

/// Repairs the channel if Unblu switched it off, and reports differences from the settings.
pub async fn reconcile(context: &CheckContext<'_>, http_client: &HttpClient) -> RegistrationState {
    let CheckContext { settings, secrets, .. } = context;
    let done = match repair(settings, secrets, http_client).await {
        Ok(done) => done,
        Err(why) => return RegistrationState::OutOfSync(why.to_string()),
    };
    if done == Repair::LeftOff {
        let why = "a person switched the channel off in Unblu: switch it on there to receive events again";
        return RegistrationState::OutOfSync(why.into());
    }
    match check(settings, secrets, http_client).await {
        Err(why) => RegistrationState::OutOfSync(why.to_string()),
        Ok(found) if !found.problems.is_empty() => {
            RegistrationState::OutOfSync(found.problems.join("; "))
        }
        Ok(_) if done == Repair::Reactivated => RegistrationState::Repaired(
            "Unblu had switched the channel off: it is active again".into(),
        ),
        Ok(_) => RegistrationState::InSync,
    }
}

async fn read_channel(
    api: &Api<'_>,
    http_client: &HttpClient,
) -> Result<Channel, RegistrationError> {
    let answer = http_client.send(read_request(api)).await?;
    channel(&answer)
}

/// Includes the metadata, which an update would otherwise delete.
fn read_request(api: &Api<'_>) -> HttpRequest {
    let expand = ("expand", "metadata");
    match api.version() {
        ApiVersion::V4 => api.get(&["externalmessengers", api.channel(), "read"], &[expand]),
        ApiVersion::V3 => {
            api.get(&["externalmessengers", "read"], &[("id", api.channel()), expand])
        }
    }
}

fn channel(answer: &HttpResponse) -> Result<Channel, RegistrationError> {
    if !answer.status.is_success() {
        return Err(RegistrationError::Refused(problem(answer)));
    }
    let body = serde_json::from_slice(&answer.body).map_err(|_| RegistrationError::NoChannel)?;
    let channel = Channel(body);
    let is_one = Object(&channel.0).text("webhookStatus").is_some();
    if is_one { Ok(channel) } else { Err(RegistrationError::NoChannel) }
}

fn activated(channel: Channel) -> Value {
    let mut body = channel.0;
    body.insert("webhookStatus".into(), "ACTIVE".into());
    Value::Object(body)
}

fn assess(channel: Object<'_>, settings: &Settings) -> Registration {
    let status = match channel.text("webhookStatus").unwrap_or_default() {
        "ACTIVE" => Status::Active,
        "INACTIVE" => Status::SwitchedOff,
        "INACTIVE_UNAVAILABLE" => Status::Unavailable,
        other => Status::Other(other.to_owned()),
    };
    let mut problems = Vec::new();
    if channel.text("type").is_some_and(|kind| kind != "CUSTOM") {
        problems.push("its type is not CUSTOM: make a custom external messenger channel".into());
    }
    let version = match settings.api_version {
        ApiVersion::V3 => "V3",
        ApiVersion::V4 => "V4",
    };
    if channel.text("webhookApiVersion").is_some_and(|registered| registered != version) {
        problems.push(format!("its webhookApiVersion is not {version}, as api_version says"));
    }
    let (registered, configured) =
        (channel.is_true("messageStateHandledExternally"), settings.message_states);
    if registered != configured {
        problems.push(format!(
            "its messageStateHandledExternally is {registered}, but message_states is {configured}"
        ));
    }
    Registration { status, problems }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHANNEL: &str = include_str!("../fixtures/channel.json");

    fn changed(change: impl FnOnce(&mut Value)) -> Channel {
        let mut channel: Value = serde_json::from_str(CHANNEL).unwrap();
        change(&mut channel);
        let Value::Object(channel) = channel else { panic!("an object") };
        Channel(channel)
    }

    fn assessed(settings: &Settings, change: impl FnOnce(&mut Value)) -> Registration {
        assess(Object(&changed(change).0), settings)
    }

    #[test]
    fn the_documented_channel_has_no_problems() {
        let registration = assessed(&Settings::default(), |_| ());
        assert_eq!(registration, Registration { status: Status::Active, problems: vec![] });
    }

    #[test]
    fn maps_every_webhook_status() {
        for (word, status) in [
            ("ACTIVE", Status::Active),
            ("INACTIVE", Status::SwitchedOff),
            ("INACTIVE_UNAVAILABLE", Status::Unavailable),
            ("ASLEEP", Status::Other("ASLEEP".into())),
        ] {
            let registration =
                assessed(&Settings::default(), |channel| channel["webhookStatus"] = word.into());
            assert_eq!(registration.status, status, "{word}");
        }
    }

    #[test]
    fn reports_differences_from_the_settings() {
        let v3 =
            Settings { api_version: ApiVersion::V3, message_states: false, ..Settings::default() };
        let registration = assessed(&v3, |channel| channel["type"] = json!("SMS"));
        assert_eq!(registration.problems.len(), 3, "{:?}", registration.problems);
    }

    #[test]
    fn a_repair_changes_only_the_status_and_hides_the_secret() {
        let read = changed(|channel| channel["webhookStatus"] = json!("INACTIVE_UNAVAILABLE"));
        assert!(!format!("{read:?}").contains("s3cr3t-shared-key"));
        assert_eq!(activated(read), serde_json::from_str::<Value>(CHANNEL).unwrap());
    }
}
