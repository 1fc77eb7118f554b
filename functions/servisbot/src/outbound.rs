//! Outbound: sends deliveries to the engagement adapter (bot) or to an event consumer (observer).

use trunkline_core::model::{Role, Verdict};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    Attempt, Classification, EncodeError, Outbound, Verification, classify_by_status,
};

use crate::eventing_out::DUPLICATE;
use crate::settings::{JoinBy, ReplySource};
use crate::{CheckContext, SendContext, Servisbot, engagement, eventing, eventing_out};

impl Outbound for Servisbot {
    async fn send(&self, sending: &SendContext<'_>, http: &HttpClient) -> Attempt {
        let request = match self.encode(sending) {
            Ok(request) => request,
            Err(error) => return error.into(),
        };
        match http.send(request).await {
            Ok(response) => {
                let classification = classify(sending.delivery.to.role, &response);
                Attempt::with_response(&response, classification)
            }
            Err(error) => error.into(),
        }
    }

    fn correlation_key(&self, sending: &SendContext<'_>) -> Option<String> {
        let settings = sending.settings;
        let by_text = settings.replies == ReplySource::Eventing && settings.join == JoinBy::Text;
        let is_bot = sending.delivery.to.role == Role::Bot;
        let posted = (by_text && is_bot).then(|| engagement::message_text(sending)).flatten();
        posted.map(|text| eventing::correlation_key(&text))
    }

    fn encode(&self, sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        match sending.delivery.to.role {
            Role::Bot => engagement::request(sending),
            Role::Observer => eventing_out::request(sending),
            Role::Channel | Role::Desk => {
                Err(EncodeError::Unsupported("ServisBOT supports only the roles bot and observer"))
            }
        }
    }

    async fn verify(&self, _: &CheckContext<'_>, _: &HttpClient) -> Verification {
        Verification::Unsupported(
            "ServisBOT documents no verification call: send a message to the bot",
        )
    }
}

/// Classifies a response. A chat history server rejects an event that it already has, which counts
/// as delivered (SL).
fn classify(role: Role, response: &HttpResponse) -> Classification {
    if role == Role::Observer && response.status == DUPLICATE {
        return Classification {
            verdict: Verdict::Delivered,
            reason: None,
            external_message_id: None,
        };
    }
    classify_by_status(response)
}
