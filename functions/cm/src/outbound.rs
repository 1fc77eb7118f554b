//! From deliveries to the router's calls.

use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{EventBody, Platform, Role, Session, Verdict};
use trunkline_shared::outbound::{
    Asking, Attempt, Meaning, Outbound, Proof, Sending, Unsendable, json_headers, needed,
};
use trunkline_shared::secrets::SecretBag;

use crate::settings::{PRODUCT_TOKEN, Settings};
use crate::{Cm, answer, chat, control, write};

/// The header of the product token (CM-AUTH).
const TOKEN_HEADER: &str = "x-cm-producttoken";

impl Outbound for Cm {
    const PLATFORM: Platform = Platform::Cm;

    /// As client, sending opens the chat: only the answer tells its id.
    async fn open(
        &self,
        sending: &Sending<'_>,
        _: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let delivery = sending.delivery;
        let is_host = delivery.to.role == Role::Channel;
        let session = || Session::new(delivery.leg_conversation(), self.external_id(delivery));
        Ok(is_host.then(session))
    }

    async fn send(&self, sending: &Sending<'_>, outside: &HttpClient) -> Attempt {
        let request = match self.encode(sending) {
            Ok(request) => request,
            Err(unsendable) => return unsendable.into(),
        };
        let answer = match outside.call(request).await {
            Ok(answer) => answer,
            Err(error) => return error.into(),
        };
        let meaning = answer::meaning(&answer, sending.secrets.newest(PRODUCT_TOKEN));
        let is_delivered = meaning.verdict == Verdict::Delivered;
        let mut attempt = Attempt::answered(&answer, meaning);
        if is_delivered && let EventBody::Message { .. } = sending.delivery.event.body {
            attempt.meaning.external_id = sent_id(sending);
        }
        if is_delivered && sending.delivery.to.role != Role::Channel {
            attempt.session = session(sending, &answer);
        }
        attempt
    }

    fn encode(&self, sending: &Sending<'_>) -> Result<Request, Unsendable> {
        let settings = Settings::of(&sending.connection.settings);
        let is_host = sending.delivery.to.role == Role::Channel;
        let (method, url, body) = match &sending.delivery.event.body {
            EventBody::Handover { reason, context, .. } if is_host => {
                control::handover(sending, &settings, reason.as_deref(), context)?
            }
            EventBody::Close { .. } if !sending.delivery.to.copy => {
                control::end(sending, &settings)?
            }
            _ => {
                let messages = write::messages(sending, &settings)?;
                let chat = chat::of(sending, &settings)?;
                let body = json!({"chat": chat, "conversationMessages": messages});
                (Method::POST, settings.send_url, body)
            }
        };
        let headers = headers(sending.secrets)?;
        Ok(Request { method, url, headers, body: body.to_string().into_bytes() })
    }

    fn meaning(&self, answer: &Answer) -> Meaning {
        answer::meaning(answer, None)
    }

    async fn prove(&self, _: &Asking<'_>, _: &HttpClient) -> Proof {
        Proof::Unasked(
            "CM.com's router has no call that proves a connection: write to the adapter's channel",
        )
    }
}

fn headers(secrets: &SecretBag) -> Result<HeaderMap, Unsendable> {
    let mut token = HeaderValue::from_str(needed(secrets, PRODUCT_TOKEN)?)
        .map_err(|_| misconfigured("the secret product_token cannot be sent as a header"))?;
    token.set_sensitive(true);
    let mut headers = json_headers();
    headers.insert(TOKEN_HEADER, token);
    Ok(headers)
}

fn misconfigured(why: &str) -> Unsendable {
    Unsendable::Misconfigured(why.into())
}

/// The id that we gave our message: the router's answer has none.
fn sent_id(sending: &Sending<'_>) -> Option<String> {
    let settings = Settings::of(&sending.connection.settings);
    settings.send_message_id.then(|| write::message_id(&sending.delivery.id, 0))
}

/// The chat by the router's own id, where that is new: what it answers to our id rules (BRIDGE).
fn session(sending: &Sending<'_>, answer: &Answer) -> Option<Session> {
    let known = sending.external_id();
    let told = chat::told(&answer.body).or_else(|| known.is_empty().then(|| chat::id(sending)))?;
    let conversation = sending.delivery.leg_conversation();
    (told != known).then(|| Session::new(conversation, told))
}
