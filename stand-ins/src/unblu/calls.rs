//! What it posts to the channel's endpoint, in either style, and how it judges the answers.

use serde_json::{Value, json};

use super::state::Memory;
use super::{SECRET, proof};

/// In which of its two styles Unblu tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Asynchronously; the answer does not matter.
    Webhook,
    /// Synchronously; the answer is used, and must be signed.
    Outbound,
}

/// A call that is to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its exact body.
    pub body: Vec<u8>,
    style: Style,
    name: &'static str,
}

/// What the endpoint answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The exact body.
    pub body: Vec<u8>,
}

/// A call that was posted, and how it went.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The status.
    pub status: u16,
    /// The body, if it is JSON.
    pub body: Value,
    /// What Unblu would not take in the answer.
    pub problem: Option<String>,
}

impl Call {
    fn new(style: Style, name: &'static str, id: &str, body: &Value) -> Self {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Unblu-Hookshot".to_owned()),
            ("x-unblu-delivery", format!("{id}-1")),
            ("x-unblu-retry-no", "0".to_owned()),
        ];
        match style {
            Style::Webhook => {
                headers.push(("x-unblu-event", name.to_owned()));
                headers.push(("x-unblu-event-id", id.to_owned()));
            }
            Style::Outbound => {
                headers.push(("x-unblu-service-name", format!("outbound.{name}")));
                headers.push(("x-unblu-invocation-id", id.to_owned()));
            }
        }
        let body = body.to_string().into_bytes();
        Self { headers, body, style, name }.signed_with(SECRET)
    }

    /// The same call, signed with another secret.
    #[must_use]
    pub fn signed_with(mut self, secret: &str) -> Self {
        self = self.unsigned();
        self.headers.push(("x-unblu-signature", proof::sha1(secret, &self.body)));
        self.headers.push(("x-unblu-signature-256", proof::sha256(secret, &self.body)));
        self
    }

    /// The same call without signatures.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        self.headers.retain(|(name, _)| !name.starts_with("x-unblu-signature"));
        self
    }

    /// The same call with one signature only: `x-unblu-signature` or `x-unblu-signature-256`.
    #[must_use]
    pub fn signed_only_by(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| !name.starts_with("x-unblu-signature") || *name == header);
        self
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What Unblu makes of an answer: any 2xx will do for a webhook; an outbound request wants 200, the
    /// right form, and a signature over the exact bytes.
    pub fn judge(&self, answered: &Answered) -> Posted {
        let body: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        let problem = match self.style {
            Style::Webhook => {
                let good = (200..300).contains(&answered.status);
                (!good).then(|| format!("answered {}", answered.status))
            }
            Style::Outbound => self.refused(answered, &body),
        };
        Posted { status: answered.status, body, problem }
    }

    fn refused(&self, answered: &Answered, body: &Value) -> Option<String> {
        let header = |name: &str| {
            answered
                .headers
                .iter()
                .find(|(given, _)| given == name)
                .map(|(_, value)| value.as_str())
        };
        if answered.status != 200 {
            return Some(format!("answered {}: {body}", answered.status));
        }
        if header("content-type") != Some("application/json") {
            return Some("is not application/json".into());
        }
        if header("x-unblu-signature-256") != Some(&proof::sha256(SECRET, &answered.body)) {
            return Some("is not signed over its exact bytes".into());
        }
        accepts(self.name, &self.json(), body).err()
    }
}

/// Whether a body answers a service's request.
///
/// # Errors
/// If it does not.
pub fn accepts(service: &str, request: &Value, body: &Value) -> Result<(), String> {
    let text = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    let union = |kinds: &[(&str, &str, &str)], prefix: &str| {
        let known = kinds.iter().find(|(kind, ..)| body["type"] == *kind);
        known.is_some_and(|(_, class, member)| {
            body["$_type"] == format!("{prefix}{class}Response") && text(member)
        })
    };
    let good = match service {
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
    if good { Ok(()) } else { Err(format!("does not answer {service}: {body}")) }
}

/// A call about something; a webhook also says when and what it is.
pub(super) fn told(
    memory: &mut Memory,
    style: Style,
    name: &'static str,
    class: &str,
    more: Value,
) -> Call {
    let mut body = more;
    body["accountId"] = "aCcOuNtIdExample0000001".into();
    match style {
        Style::Webhook => {
            body["$_type"] = format!("{class}Event").into();
            body["timestamp"] = 1_767_225_601_000_u64.into();
            body["eventType"] = name.into();
        }
        Style::Outbound => {
            body["$_type"] = format!("{class}Request").into();
            body["serviceName"] = format!("outbound.{name}").into();
        }
    }
    let id = memory.new_id("eVeNt");
    Call::new(style, name, &id, &body)
}

pub(super) fn ping(memory: &mut Memory, style: Style) -> Call {
    let class = if style == Style::Webhook { "WebhookPing" } else { "Ping" };
    let id = memory.new_id("PiNg");
    told(memory, style, "ping", class, json!({"pingId": id}))
}
