//! What Unblu has to know about a connection: its channel, and the webhook registration that reports ended
//! conversations. Pure.

use std::fmt;

use serde_json::{Map, Value, json};
use trunkline_core::model::ConnectionId;
use url::Url;

use crate::settings::{ApiVersion, Settings};
use crate::wire::Object;

/// The event that reports an ended conversation. The channel's own endpoint is not told (UA4).
pub(super) const ENDED: &str = "conversation.ended";
/// The shortest time that Unblu has to wait for a reply: Trunkline may take almost as long.
const MIN_TIMEOUT_MILLIS: u64 = 5_000;
/// The time that Unblu waits for a reply of a channel that Trunkline creates, as in the vendor's own library (UM).
const TIMEOUT_MILLIS: u64 = 10_000;

/// An object that Unblu stores about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Channel,
    Webhook,
}

impl Kind {
    /// The path of its calls.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Channel => "externalmessengers",
            Self::Webhook => "webhookregistrations",
        }
    }

    /// The member with its status.
    pub(super) fn status_member(self) -> &'static str {
        match self {
            Self::Channel => "webhookStatus",
            Self::Webhook => "status",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Channel => "channel",
            Self::Webhook => "webhook registration",
        })
    }
}

/// Whether Unblu calls the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    /// Unblu switched it off because the endpoint failed for too long.
    Unavailable,
    /// A person switched it off. It stays off until an operator asks for a fix.
    SwitchedOff,
    /// A status that this version does not know.
    Other,
}

/// Returns the status of an object.
pub(super) fn status(kind: Kind, object: Object<'_>) -> Status {
    match object.text(kind.status_member()) {
        Some("ACTIVE") => Status::Active,
        Some("INACTIVE") => Status::SwitchedOff,
        Some("INACTIVE_UNAVAILABLE") => Status::Unavailable,
        _ => Status::Other,
    }
}

/// A member that differs from what the connection needs. The texts contain neither secrets nor keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) member: &'static str,
    now: String,
    wanted: String,
    pub(super) value: Value,
}

impl Difference {
    fn new(member: &'static str, now: Option<String>, value: impl Into<Value>) -> Self {
        let (now, value) = (now.unwrap_or_else(|| "missing".into()), value.into());
        Self { member, now, wanted: shown(&value), value }
    }

    /// Returns the difference as a check reports it.
    pub(super) fn problem(&self, kind: Kind) -> String {
        format!("the {kind}'s {} is {} in place of {}", self.member, self.now, self.wanted)
    }

    /// Returns the difference as its correction is reported.
    pub(super) fn correction(&self, kind: Kind) -> String {
        format!("set the {kind}'s {} from {} to {}", self.member, self.now, self.wanted)
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// What a connection needs.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub(super) settings: &'a Settings,
    pub(super) connection: &'a ConnectionId,
    /// The address that Unblu calls. `None`: unknown.
    pub(super) endpoint: Option<&'a str>,
    /// The live webhook secrets, the newest first.
    pub(super) secrets: Vec<&'a str>,
}

impl Wanted<'_> {
    /// Returns the name of the channel and of the webhook registration.
    pub(super) fn name(&self) -> String {
        let default = || format!("Trunkline {}", self.connection);
        self.settings.channel_name.clone().unwrap_or_else(default)
    }

    /// Returns the `sourceId` of the channel, by which Trunkline recognizes it: the endpoint without its key.
    pub(super) fn source_id(&self) -> Option<&str> {
        self.endpoint.map(without_key)
    }

    fn version(&self) -> &'static str {
        match self.settings.api_version {
            ApiVersion::V3 => "V3",
            ApiVersion::V4 => "V4",
        }
    }

    /// Returns the differences of an object, except for its status.
    pub(super) fn differences(&self, kind: Kind, object: Object<'_>) -> Vec<Difference> {
        match kind {
            Kind::Channel => self.channel_differences(object),
            Kind::Webhook => self.webhook_differences(object),
        }
    }

    /// Returns the status as a difference, unless it is active.
    pub(super) fn status_difference(kind: Kind, object: Object<'_>) -> Option<Difference> {
        let now = object.text(kind.status_member());
        let is_active = status(kind, object) == Status::Active;
        let now = now.map(ToOwned::to_owned);
        (!is_active).then(|| Difference::new(kind.status_member(), now, "ACTIVE"))
    }

    fn channel_differences(&self, channel: Object<'_>) -> Vec<Difference> {
        let settings = self.settings;
        let members = ("webhookEndpoint", "webhookApiVersion", "webhookSecret");
        let mut found = self.common(members, channel);
        let mut flag = |member: &'static str, wanted: bool| {
            if channel.is_true(member) != wanted {
                let now = channel.is_true(member).to_string();
                found.push(Difference::new(member, Some(now), wanted));
            }
        };
        flag("messageStateHandledExternally", settings.message_states);
        if settings.api_version == ApiVersion::V4 {
            flag("outboundSupported", true);
            let timeout = channel.number("outboundTimeoutMillis");
            if timeout.is_none_or(|timeout| timeout < MIN_TIMEOUT_MILLIS) {
                let now = timeout.map(|timeout| timeout.to_string());
                found.push(Difference::new("outboundTimeoutMillis", now, TIMEOUT_MILLIS));
            }
        }
        found
    }

    fn webhook_differences(&self, webhook: Object<'_>) -> Vec<Difference> {
        let mut found = self.common(("endpoint", "apiVersion", "secret"), webhook);
        let events: Vec<&str> = webhook.texts("events").collect();
        if !events.contains(&ENDED) {
            let all: Vec<&str> = events.iter().copied().chain([ENDED]).collect();
            let mut difference = Difference::new("events", Some("without it".into()), json!(all));
            difference.wanted = ENDED.into();
            found.push(difference);
        }
        found
    }

    /// Returns the differences of the members that both objects have: endpoint, version and secret.
    fn common(
        &self,
        (endpoint, version, secret): (&'static str, &'static str, &'static str),
        object: Object<'_>,
    ) -> Vec<Difference> {
        let mut found = Vec::new();
        let registered = object.text(endpoint);
        if let Some(wanted) = self.endpoint.filter(|wanted| registered != Some(wanted)) {
            let now = registered.map(|now| described_endpoint(now, wanted));
            let mut difference = Difference::new(endpoint, now, wanted);
            difference.wanted = "the connection's inbound URL".into();
            found.push(difference);
        }
        // Unblu 6 has no version (UA3).
        if let Some(now) = object.text(version).filter(|now| *now != self.version()) {
            found.push(Difference::new(version, Some(now.into()), self.version()));
        }
        let newest = self.secrets.first().copied().unwrap_or_default();
        if object.text(secret).is_none_or(|now| !self.secrets.contains(&now)) {
            let now = object.text(secret).map(|_| "another one".to_owned());
            let mut difference = Difference::new(secret, now, newest);
            difference.wanted = "the secret webhook_secret".into();
            found.push(difference);
        }
        found
    }

    /// Returns a new object.
    pub(super) fn created(&self, kind: Kind) -> Option<Value> {
        let endpoint = self.endpoint?;
        let secret = self.secrets.first().copied().unwrap_or_default();
        let description = format!("Created by Trunkline for the connection {}", self.connection);
        let body = match kind {
            Kind::Webhook => json!({
                "$_type": "WebhookRegistration",
                "name": self.name(),
                "description": description,
                "status": "ACTIVE",
                "endpoint": endpoint,
                "apiVersion": self.version(),
                "secret": secret,
                "events": [ENDED],
            }),
            Kind::Channel => {
                let mut channel = json!({
                    "$_type": "CustomExternalMessengerChannel",
                    "type": "CUSTOM",
                    "name": self.name(),
                    "description": description,
                    "sourceId": self.source_id(),
                    "webhookEndpoint": endpoint,
                    "webhookApiVersion": self.version(),
                    "webhookSecret": secret,
                    "webhookStatus": "ACTIVE",
                    "messageStateHandledExternally": self.settings.message_states,
                });
                if self.settings.api_version == ApiVersion::V4 {
                    channel["outboundSupported"] = true.into();
                    channel["outboundTimeoutMillis"] = TIMEOUT_MILLIS.into();
                    channel["contactIdentifierFieldName"] = "Customer id".into();
                    channel["contactIdentifierFieldType"] = "OTHER".into();
                    channel["supportsMultipleConversationsPerContact"] = false.into();
                }
                channel
            }
        };
        Some(body)
    }
}

/// Returns an object with its differences corrected. All its other members stay as they are.
pub(super) fn corrected(object: &Map<String, Value>, differences: &[Difference]) -> Value {
    let mut body = object.clone();
    for difference in differences {
        body.insert(difference.member.to_owned(), difference.value.clone());
    }
    Value::Object(body)
}

/// Returns whether two endpoints differ in their keys only.
pub(super) fn is_same_connection(one: &str, other: &str) -> bool {
    without_key(one) == without_key(other)
}

fn without_key(endpoint: &str) -> &str {
    endpoint.trim_end_matches('/').rsplit_once('/').map_or(endpoint, |(rest, _)| rest)
}

/// Describes an endpoint without its path, which contains a key.
fn described_endpoint(registered: &str, wanted: &str) -> String {
    if is_same_connection(registered, wanted) {
        return "the inbound URL with another key".into();
    }
    match host(registered) {
        Some(host) => format!("an address at {host}"),
        None => "not a URL".into(),
    }
}

/// Returns the host of an endpoint.
pub(super) fn host(endpoint: &str) -> Option<String> {
    Url::parse(endpoint).ok()?.host_str().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests;
