//! Webhooks and outbound requests to the channel's endpoint, and the check of the replies.

use serde_json::{Value, json};

use super::state::ServerState;
use super::{SECRET, auth};

/// How Unblu calls the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStyle {
    /// A webhook: asynchronous, the reply is ignored.
    Webhook,
    /// An outbound request: synchronous, the reply is used and must be signed.
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
    fn new(style: CallStyle, name: &'static str, id: &str, body: &Value) -> Self {
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
        Self { headers, body, style, name }.signed_with(SECRET)
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
        check_reply(self.name, &self.json(), body).err()
    }
}

/// Checks that a body is a valid reply to a service's request.
///
/// # Errors
/// Returns why it is not.
pub fn check_reply(service: &str, request: &Value, body: &Value) -> Result<(), String> {
    let text = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    let union = |kinds: &[(&str, &str, &str)], prefix: &str| {
        let known = kinds.iter().find(|(kind, ..)| body["type"] == *kind);
        known.is_some_and(|(_, class, member)| {
            body["$_type"] == format!("{prefix}{class}Response") && text(member)
        })
    };
    let is_valid = match service {
        "ping" => body["$_type"] == "PingResponse" && body["pingId"] == request["pingId"],
        "external_messenger.new_message" => body["$_type"] == "ExternalMessengerNewMessageResponse",
        "external_messenger.message_state" => {
            body["$_type"] == "ExternalMessengerMessageStateResponse"
        }
        "external_messenger.create_contact" => union(
            &[
                ("CREATE", "Create", "sourceId"),
                ("USE_EXISTING", "UseExisting", "externalMessengerContactId"),
                ("INVALID_CONTACT_IDENTIFIER", "InvalidContactIdentifier", "errorText"),
                ("CONTACT_TO_PERSON_MISMATCH", "ContactToPersonMismatch", "errorText"),
                ("ERROR", "Error", "errorText"),
            ],
            "ExternalMessengerCreateContact",
        ),
        "external_messenger.create_conversation" => union(
            &[
                ("CREATE", "Create", "sourceId"),
                ("USE_EXISTING", "UseExisting", "conversationId"),
                ("ERROR", "Error", "errorText"),
            ],
            "ExternalMessengerCreateConversation",
        ),
        _ => false,
    };
    if is_valid { Ok(()) } else { Err(format!("not a valid reply to {service}: {body}")) }
}

/// Builds a call. A webhook also has `timestamp` and `eventType`.
pub(super) fn build_call(
    state: &mut ServerState,
    style: CallStyle,
    name: &'static str,
    class: &str,
    members: Value,
) -> EndpointCall {
    let mut body = members;
    body["accountId"] = "aCcOuNtIdExample0000001".into();
    match style {
        CallStyle::Webhook => {
            body["$_type"] = format!("{class}Event").into();
            body["timestamp"] = 1_767_225_601_000_u64.into();
            body["eventType"] = name.into();
        }
        CallStyle::Outbound => {
            body["$_type"] = format!("{class}Request").into();
            body["serviceName"] = format!("outbound.{name}").into();
        }
    }
    let id = state.new_id("eVeNt");
    EndpointCall::new(style, name, &id, &body)
}

pub(super) fn ping(state: &mut ServerState, style: CallStyle) -> EndpointCall {
    let class = if style == CallStyle::Webhook { "WebhookPing" } else { "Ping" };
    let id = state.new_id("PiNg");
    build_call(state, style, "ping", class, json!({"pingId": id}))
}
