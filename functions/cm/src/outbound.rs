//! Outbound: sends deliveries to the router, and opens and updates chats.

use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use trunkline_core::model::{Connection, EventBody, ExternalMessageId, Role, Session, Verdict};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    Attempt, Classification, EncodeError, Outbound, Verification, json_headers, required_secret,
};
use trunkline_runtime::secrets::SecretBag;

use crate::settings::{PRODUCT_TOKEN, SHARED_SECRET};
use crate::{CheckContext, Cm, SendContext, chat, control, encode, response};

/// The header that carries the product token (CM-AUTH).
const TOKEN_HEADER: &str = "x-cm-producttoken";

impl Outbound for Cm {
    /// As client, the first message opens the chat: only its response contains the chat's id.
    async fn open(
        &self,
        sending: &SendContext<'_>,
        _: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let delivery = sending.delivery;
        let is_host = delivery.to.role == Role::Channel;
        let session = || Session::new(delivery.session_id(), self.choose_conversation_id(delivery));
        Ok(is_host.then(session))
    }

    async fn send(&self, sending: &SendContext<'_>, http: &HttpClient) -> Attempt {
        let request = match self.encode(sending) {
            Ok(request) => request,
            Err(error) => return error.into(),
        };
        let response = match http.send(request).await {
            Ok(response) => response,
            Err(error) => return error.into(),
        };
        let classification = response::classify(&response, sending.secrets.newest(PRODUCT_TOKEN));
        let is_delivered = classification.verdict == Verdict::Delivered;
        let mut attempt = Attempt::with_response(&response, classification);
        if is_delivered && let EventBody::Message { .. } = sending.delivery.event.body {
            attempt.classification.external_message_id = sent_message_id(sending);
        }
        if is_delivered && sending.delivery.to.role != Role::Channel {
            attempt.session = updated_session(sending, &response);
        }
        attempt
    }

    fn encode(&self, sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        let is_host = sending.delivery.to.role == Role::Channel;
        let (method, url, body) = match &sending.delivery.event.body {
            EventBody::Handover { reason, context, .. } if is_host => {
                control::handover(sending, reason.as_deref(), context)?
            }
            EventBody::Close { .. } if !sending.delivery.to.copy => control::end_session(sending)?,
            _ => {
                let messages = encode::messages(sending)?;
                let chat = chat::build(sending)?;
                let body = json!({"chat": chat, "conversationMessages": messages});
                (Method::POST, sending.settings.send_url.to_string(), body)
            }
        };
        let headers = headers(sending.secrets)?;
        Ok(HttpRequest { method, url, headers, body: body.to_string().into_bytes() })
    }

    fn classify(&self, response: &HttpResponse) -> Classification {
        response::classify(response, None)
    }

    async fn verify(&self, check: &CheckContext<'_>, _: &HttpClient) -> Verification {
        Verification::Unsupported(if is_open(check.connection) {
            "CM.com's router has no call to verify a connection: send a message to the adapter's channel. \
             Only the key in the URL protects its endpoints: set the secret shared_secret, or allow_ips to the \
             router's address 34.141.248.107"
        } else {
            "CM.com's router has no call to verify a connection: send a message to the adapter's channel"
        })
    }
}

/// Returns whether anyone who knows the URL can call: the router's calls have neither a secret nor an address of
/// their own (SEED-CM: "Messages will always come from IP address 34.141.248.107").
fn is_open(connection: &Connection) -> bool {
    connection.allow_ips.is_empty() && !connection.secrets.contains(SHARED_SECRET)
}

fn headers(secrets: &SecretBag) -> Result<HeaderMap, EncodeError> {
    let mut token = HeaderValue::from_str(required_secret(secrets, PRODUCT_TOKEN)?)
        .map_err(|_| misconfigured("the secret product_token cannot be sent as a header"))?;
    token.set_sensitive(true);
    let mut headers = json_headers();
    headers.insert(TOKEN_HEADER, token);
    Ok(headers)
}

fn misconfigured(why: &str) -> EncodeError {
    EncodeError::Misconfigured(why.into())
}

/// The id that Trunkline gave the message: the router's response has none.
fn sent_message_id(sending: &SendContext<'_>) -> Option<ExternalMessageId> {
    let has_id = sending.settings.send_message_id;
    has_id.then(|| encode::message_id(&sending.delivery.id, 0).into())
}

/// The session with the router's chat id, if that changed: the id in the response is authoritative
/// (BRIDGE).
fn updated_session(sending: &SendContext<'_>, response: &HttpResponse) -> Option<Session> {
    let known = sending.external_conversation_id();
    let router_id = chat::id_in_response(&response.body)
        .or_else(|| known.is_empty().then(|| chat::chat_id(sending)))?;
    let conversation = sending.delivery.session_id();
    (router_id != known).then(|| Session::new(conversation, router_id))
}
