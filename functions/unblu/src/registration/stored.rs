//! Objects as Unblu returns them, and the requests that read them.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value, json};
use trunkline_core::json;
use trunkline_runtime::http_client::{HttpRequest, HttpResponse};

use super::RegistrationError;
use super::wanted::{Kind, Wanted, host, is_same_connection};
use crate::api::{Api, problem};
use crate::settings::ApiVersion;
use crate::wire::Object;

/// The largest number of webhook registrations of one endpoint that are looked at.
const MAX_FOUND: u32 = 50;
/// Includes the metadata, which an update would otherwise delete.
const EXPAND: (&str, &str) = ("expand", "metadata");

/// An object as Unblu returned it. It contains the secret in plain text (UA4), so it is never logged.
pub(super) struct Stored(pub(super) Map<String, Value>);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Stored {
    /// Reads a response that has to contain the object.
    pub(super) fn read(kind: Kind, answer: &HttpResponse) -> Result<Self, RegistrationError> {
        if !answer.status.is_success() {
            return Err(RegistrationError::Refused(problem(answer)));
        }
        let unreadable = RegistrationError::Unreadable(kind);
        let Ok(body) = json::from_slice(&answer.body) else { return Err(unreadable) };
        Self(body).checked(kind)
    }

    fn checked(self, kind: Kind) -> Result<Self, RegistrationError> {
        let is_other = |name| self.object().text("type").is_some_and(|found| found != name);
        if kind == Kind::Channel && is_other("CUSTOM") {
            return Err(RegistrationError::NotCustom);
        }
        match self.object().text(kind.status_member()) {
            Some(_) => Ok(self),
            None => Err(RegistrationError::Unreadable(kind)),
        }
    }

    pub(super) fn object(&self) -> Object<'_> {
        Object(&self.0)
    }

    pub(super) fn version(&self) -> Option<&Value> {
        self.0.get("version")
    }

    /// Returns the object after an update: as the response shows it, or else as it was sent.
    pub(super) fn or_updated(self, answer: &HttpResponse, sent: Value) -> Self {
        let answered = json::from_slice(&answer.body).ok().filter(|body: &Map<String, Value>| {
            body.get("id").is_some() && body.get("id") == self.0.get("id")
        });
        match (answered, sent) {
            (Some(body), _) | (None, Value::Object(body)) => Self(body),
            _ => self,
        }
    }

    /// Returns whether an object with the connection's name is the connection's own: a channel by its `sourceId`,
    /// a webhook registration by its endpoint, whose key may be an earlier one.
    pub(super) fn belongs_to(&self, kind: Kind, wanted: &Wanted<'_>) -> bool {
        match kind {
            Kind::Channel => {
                let own = self.object().text("sourceId");
                own.is_some() && own == wanted.source_id()
            }
            Kind::Webhook => {
                let registered = self.object().text("endpoint");
                let both = registered.zip(wanted.endpoint);
                both.is_some_and(|(one, other)| is_same_connection(one, other))
            }
        }
    }

    /// Returns the error that the object has the connection's name and belongs to somebody else.
    pub(super) fn name_taken(&self, kind: Kind, name: String) -> RegistrationError {
        let (details, hint) = match kind {
            Kind::Channel => {
                let id = self.object().text("id").unwrap_or_default();
                (format!(" with the id {id}"), ", or channel_id to this id to use it".to_owned())
            }
            Kind::Webhook => {
                let host = self.object().text("endpoint").and_then(host).unwrap_or_default();
                (format!(" that calls {host}"), String::new())
            }
        };
        RegistrationError::NameTaken { kind, name, details, hint }
    }
}

/// The response to a search by name.
#[derive(Debug)]
pub(super) enum Found {
    Object(Stored),
    Nothing,
}

impl Found {
    /// Reads a response. If there is no such object, Unblu answers with an error (UA4) whose status is not documented;
    /// the vendor's own library expects 404 (UM).
    pub(super) fn read(kind: Kind, answer: &HttpResponse) -> Result<Self, RegistrationError> {
        let account_errors = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        if answer.status.is_client_error() && !account_errors.contains(&answer.status) {
            return Ok(Self::Nothing);
        }
        Stored::read(kind, answer).map(Self::Object)
    }
}

/// Returns the request that reads the configured channel.
pub(super) fn read_channel(api: &Api<'_>) -> HttpRequest {
    match api.version() {
        ApiVersion::V4 => api.get(&["externalmessengers", api.channel(), "read"], &[EXPAND]),
        ApiVersion::V3 => {
            api.get(&["externalmessengers", "read"], &[("id", api.channel()), EXPAND])
        }
    }
}

/// Returns the request that finds an object by its name.
pub(super) fn by_name(api: &Api<'_>, kind: Kind, name: &str) -> HttpRequest {
    let query = [("name", name), EXPAND];
    // Webhook registrations have nothing to expand.
    let query = if kind == Kind::Channel { &query[..] } else { &query[..1] };
    api.get(&[kind.path(), "getByName"], query)
}

/// Returns the request that finds the webhook registrations of an endpoint.
pub(super) fn search_webhooks(api: &Api<'_>, endpoint: &str) -> HttpRequest {
    let query = json!({
        "$_type": "WebhookRegistrationQuery",
        "searchFilters": [{
            "$_type": "EndpointWebhookRegistrationSearchFilter",
            "field": "ENDPOINT",
            "operator": {"$_type": "EqualsStringOperator", "type": "EQUALS", "value": endpoint},
        }],
        "orderBy": [],
        "offset": 0,
        "limit": MAX_FOUND,
    });
    api.post(&[Kind::Webhook.path(), "search"], Some(&query))
}

/// Returns the webhook registration of a search: one that reports ended conversations comes first.
pub(super) fn found_webhook(answer: &HttpResponse) -> Result<Option<Stored>, RegistrationError> {
    if !answer.status.is_success() {
        return Err(RegistrationError::Refused(problem(answer)));
    }
    let unreadable = |_| RegistrationError::Unreadable(Kind::Webhook);
    let result: Map<String, Value> = json::from_slice(&answer.body).map_err(unreadable)?;
    let mut found: Vec<Object<'_>> = Object(&result).objects("items").collect();
    found
        .sort_by_key(|webhook| !webhook.texts("events").any(|event| event == super::wanted::ENDED));
    let first = found.first().map(|webhook| Stored(webhook.0.clone()));
    first.map(|webhook| webhook.checked(Kind::Webhook)).transpose()
}
