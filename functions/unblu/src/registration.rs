//! Whether our channel at Unblu still works, and how it is mended: Unblu switches off an endpoint that
//! keeps failing, and does not switch it on again by itself (UM).

use std::fmt;

use serde_json::{Map, Value};
use trunkline_shared::http_client::{Answer, HttpClient, HttpError, Request};
use trunkline_shared::model::Connection;
use trunkline_shared::outbound::{Asking, Registered, Unsendable};
use trunkline_shared::secrets::SecretBag;

use crate::api::{Api, problem};
use crate::settings::{ApiVersion, Settings};
use crate::wire::Object;

/// How often a channel is read anew because somebody else changed it meanwhile.
const TRIES: usize = 3;

/// Whether Unblu calls us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Active,
    /// It gave up: our address failed for too long. [`repair`] mends that.
    Unavailable,
    /// A person switched the channel off, which is left so, as the vendor's own library does (UM).
    SwitchedOff,
    /// Unblu's own word, which we do not know.
    Other(String),
}

/// A channel's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Whether Unblu calls us.
    pub status: Status,
    /// What is registered otherwise than the connection is configured, in words for an operator.
    pub problems: Vec<String>,
}

/// What [`repair`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Nothing: the channel is active.
    NotNeeded,
    /// It is active again.
    Reactivated,
    /// Nothing: a person switched it off.
    LeftOff,
}

/// Why a channel's health is not known, or could not be mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The connection is not configured for it.
    #[error(transparent)]
    Misconfigured(#[from] Unsendable),
    /// Unblu did not answer.
    #[error(transparent)]
    Unanswered(#[from] HttpError),
    /// Unblu refused.
    #[error("{0}")]
    Refused(String),
    /// The answer is no channel.
    #[error("Unblu answered without a channel: check base_url, api_version and channel_id")]
    NoChannel,
    /// Others changed the channel each time before we could.
    #[error("somebody else keeps changing the channel: try again later")]
    Contended,
}

/// A channel as it was read. It holds its secret in clear (UA4), so it is never shown.
struct Channel(Map<String, Value>);

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads the channel and says how it is.
///
/// # Errors
/// If it cannot be read.
pub async fn check(
    connection: &Connection,
    secrets: &SecretBag,
    outside: &HttpClient,
) -> Result<Registration, RegistrationError> {
    let api = Api::of(connection, secrets)?;
    let channel = read(&api, outside).await?;
    Ok(assess(Object(&channel.0), &api.settings))
}

/// Switches the channel on again if Unblu switched it off: each update must bring the version that was
/// read last, so it is read before each try.
///
/// # Errors
/// If it cannot be read or written.
pub async fn repair(
    connection: &Connection,
    secrets: &SecretBag,
    outside: &HttpClient,
) -> Result<Repair, RegistrationError> {
    let api = Api::of(connection, secrets)?;
    for _ in 0..TRIES {
        let channel = read(&api, outside).await?;
        match assess(Object(&channel.0), &api.settings).status {
            Status::Active => return Ok(Repair::NotNeeded),
            Status::SwitchedOff => return Ok(Repair::LeftOff),
            Status::Unavailable | Status::Other(_) => {}
        }
        let (seen, body) = (channel.0.get("version").cloned(), activated(channel));
        let answer = outside.call(api.post(&["externalmessengers", "update"], Some(&body))).await?;
        if answer.status.is_success() {
            return Ok(Repair::Reactivated);
        }
        // Refused for its version, or for good?
        let now = read(&api, outside).await?;
        if now.0.get("version").cloned() == seen {
            return Err(RegistrationError::Refused(problem(&answer)));
        }
    }
    Err(RegistrationError::Contended)
}

/// Mends what Unblu switched off, and says what is registered otherwise than it should be.
pub async fn tend(asking: &Asking<'_>, outside: &HttpClient) -> Registered {
    let Asking { connection, secrets, .. } = asking;
    let done = match repair(connection, secrets, outside).await {
        Ok(done) => done,
        Err(why) => return Registered::Unwell(why.to_string()),
    };
    if done == Repair::LeftOff {
        let why =
            "somebody switched the channel off in Unblu: switch it on there to be called again";
        return Registered::Unwell(why.into());
    }
    match check(connection, secrets, outside).await {
        Err(why) => Registered::Unwell(why.to_string()),
        Ok(found) if !found.problems.is_empty() => Registered::Unwell(found.problems.join("; ")),
        Ok(_) if done == Repair::Reactivated => {
            Registered::Mended("Unblu had switched the channel off: it is on again".into())
        }
        Ok(_) => Registered::Well,
    }
}

async fn read(api: &Api, outside: &HttpClient) -> Result<Channel, RegistrationError> {
    let answer = outside.call(reading(api)).await?;
    channel(&answer)
}

/// With the metadata, which an update would lose otherwise.
fn reading(api: &Api) -> Request {
    let expand = ("expand", "metadata");
    match api.version() {
        ApiVersion::V4 => api.get(&["externalmessengers", api.channel(), "read"], &[expand]),
        ApiVersion::V3 => {
            api.get(&["externalmessengers", "read"], &[("id", api.channel()), expand])
        }
    }
}

fn channel(answer: &Answer) -> Result<Channel, RegistrationError> {
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
    let (theirs, ours) = (channel.truth("messageStateHandledExternally"), settings.message_states);
    if theirs != ours {
        problems.push(format!(
            "its messageStateHandledExternally is {theirs}, our message_states {ours}"
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
    fn the_documented_channel_is_well() {
        let registration = assessed(&Settings::default(), |_| ());
        assert_eq!(registration, Registration { status: Status::Active, problems: vec![] });
    }

    #[test]
    fn every_status_has_its_meaning() {
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
    fn what_differs_is_said() {
        let v3 =
            Settings { api_version: ApiVersion::V3, message_states: false, ..Settings::default() };
        let registration = assessed(&v3, |channel| channel["type"] = json!("SMS"));
        assert_eq!(registration.problems.len(), 3, "{:?}", registration.problems);
    }

    #[test]
    fn only_the_status_changes_and_the_secret_is_not_shown() {
        let read = changed(|channel| channel["webhookStatus"] = json!("INACTIVE_UNAVAILABLE"));
        assert!(!format!("{read:?}").contains("s3cr3t-shared-key"));
        assert_eq!(activated(read), serde_json::from_str::<Value>(CHANNEL).unwrap());
    }
}
