//! Webhooks and outbound requests to the channel's endpoint, and the check of the replies.

use serde_json::{Value, json};

use super::judging::{self, ApiVersion, document};
use super::state::ServerState;
use super::{ACCOUNT, SECRET, auth};

/// How Unblu calls the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStyle {
    /// A webhook: asynchronous, the reply is ignored.
    Webhook,
    /// An outbound request: synchronous, the reply is used and must be signed. v3 has none to channels.
    Outbound,
}

/// A call to the endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointCall {
    pub headers: Vec<(&'static str, String)>,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
    style: CallStyle,
    name: &'static str,
    version: ApiVersion,
}

/// The endpoint's reply.
#[derive(Debug, Clone)]
pub struct EndpointReply {
    pub status: u16,
    /// The headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
}

/// The checked reply to a call.
#[derive(Debug, Clone)]
pub struct CallResult {
    pub status: u16,
    /// The body; null if it is not JSON.
    pub body: Value,
    /// Why Unblu would not accept the reply.
    pub problem: Option<String>,
}

impl EndpointCall {
    fn new(
        (style, version): (CallStyle, ApiVersion),
        name: &'static str,
        id: &str,
        body: &Value,
    ) -> Self {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Unblu-Hookshot".to_owned()),
            ("x-unblu-delivery", format!("{id}-1")),
            ("x-unblu-retry-no", "0".to_owned()),
        ];
        match style {
            CallStyle::Webhook => {
                headers.push(("x-unblu-event", name.to_owned()));
                headers.push(("x-unblu-event-id", id.to_owned()));
            }
            CallStyle::Outbound => {
                headers.push(("x-unblu-service-name", format!("outbound.{name}")));
                headers.push(("x-unblu-invocation-id", id.to_owned()));
            }
        }
        let body = body.to_string().into_bytes();
        Self { headers, body, style, name, version }.signed_with(SECRET)
    }

    /// Signs the call with another secret.
    #[must_use]
    pub fn signed_with(mut self, secret: &str) -> Self {
        self = self.unsigned();
        self.headers.push(("x-unblu-signature", auth::sha1(secret, &self.body)));
        self.headers.push(("x-unblu-signature-256", auth::sha256(secret, &self.body)));
        self
    }

    /// Removes the signatures.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        self.headers.retain(|(name, _)| !name.starts_with("x-unblu-signature"));
        self
    }

    /// Keeps only one signature: `x-unblu-signature` or `x-unblu-signature-256`.
    #[must_use]
    pub fn signed_only_by(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| !name.starts_with("x-unblu-signature") || *name == header);
        self
    }

    /// Returns the body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Checks a reply as Unblu does: a webhook accepts any 2xx; an outbound request needs 200, the
    /// documented form, and a signature over the exact bytes.
    pub fn check(&self, reply: &EndpointReply) -> CallResult {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let problem = match self.style {
            CallStyle::Webhook => {
                let is_valid = (200..300).contains(&reply.status);
                (!is_valid).then(|| format!("answered {}", reply.status))
            }
            CallStyle::Outbound => self.reply_problem(reply, &body),
        };
        CallResult { status: reply.status, body, problem }
    }

    fn reply_problem(&self, reply: &EndpointReply, body: &Value) -> Option<String> {
        let header = |name: &str| {
            reply.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
        };
        if reply.status != 200 {
            return Some(format!("answered {}: {body}", reply.status));
        }
        if header("content-type") != Some("application/json") {
            return Some("the reply is not application/json".into());
        }
        if header("x-unblu-signature-256") != Some(&auth::sha256(SECRET, &reply.body)) {
            return Some("the reply is not signed over its exact bytes".into());
        }
        check_reply(self.version, self.name, &self.json(), body).err()
    }
}

/// Checks that a body is a valid reply to a service's request: by the document, and by the mandatory members that only its
/// descriptions name.
///
/// # Errors
/// Returns why it is not.
pub fn check_reply(
    version: ApiVersion,
    service: &str,
    request: &Value,
    body: &Value,
) -> Result<(), String> {
    let (document, name) = (document(version), format!("outbound.{service}"));
    let known = document.callback(&name);
    let known = known.ok_or_else(|| format!("{} has no {name}", version.word()))?;
    let violations = document.judge_answer(known, 200, Some(body));
    if let Some(first) = violations.first() {
        return Err(format!("not a valid reply to {service}: {first} in {body}"));
    }
    let needed = match (service, body["type"].as_str()) {
        (_, Some("CREATE")) => "sourceId",
        ("external_messenger.create_contact", Some("USE_EXISTING")) => "externalMessengerContactId",
        (_, Some("USE_EXISTING")) => "conversationId",
        (_, Some(_)) => "errorText",
        ("ping", None) if body["pingId"] == request["pingId"] => return Ok(()),
        ("ping", None) => "pingId",
        (_, None) => return Ok(()),
    };
    let is_there = service != "ping" && body[needed].as_str().is_some_and(|text| !text.is_empty());
    if is_there { Ok(()) } else { Err(format!("{needed} is missing or wrong in {body}")) }
}

/// Builds a call. A webhook also has `timestamp` and `eventType`.
pub(super) fn build_call(
    state: &mut ServerState,
    style: CallStyle,
    name: &'static str,
    class: &str,
    members: Value,
) -> EndpointCall {
    let version = state.call_version();
    let mut body = members;
    body["accountId"] = ACCOUNT.into();
    let callback = match style {
        CallStyle::Webhook => {
            body["$_type"] = format!("{class}Event").into();
            body["timestamp"] = 1_767_225_601_000_u64.into();
            body["eventType"] = name.into();
            name.to_owned()
        }
        CallStyle::Outbound => {
            body["$_type"] = format!("{class}Request").into();
            body["serviceName"] = format!("outbound.{name}").into();
            format!("outbound.{name}")
        }
    };
    judging::judge_call(state, version, &callback, &body);
    let id = state.new_id("eVeNt");
    EndpointCall::new((style, version), name, &id, &body)
}

pub(super) fn ping(state: &mut ServerState, style: CallStyle) -> EndpointCall {
    match style {
        CallStyle::Webhook => build_call(state, style, "ping", "WebhookPing", json!({})),
        CallStyle::Outbound => {
            let id = state.new_id("PiNg");
            build_call(state, style, "ping", "Ping", json!({"pingId": id}))
        }
    }
}
