//! Sends deliveries to Unblu.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::time::timeout;
use trunkline_core::json;
use trunkline_core::model::{
    Delivery, EventBody, ExternalMessageId, ReceiptStatus, Session, Verdict,
};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    Attempt, Classification, EncodeError, FileContext, FileError, Outbound, RegistrationState,
    Verification,
};

use crate::api::{Api, classification, problem};
use crate::message_data::{self, DataUrls};
use crate::open::{self, VisitorIds};
use crate::requests::{self, MessageState};
use crate::settings::{FailState, Settings};
use crate::{CheckContext, SendContext, Unblu, content, registration, send};

impl Outbound for Unblu {
    /// Opening, sending, and the call of the last message.
    const MAX_DURATION: SignedDuration = SignedDuration::from_secs(10 + 4 + 5);

    async fn open(
        &self,
        context: &SendContext<'_>,
        http_client: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let api = Api::of(context.settings, context.secrets).map_err(|why| Box::new(why.into()))?;
        let opening = open::conversation(&api, context, http_client);
        let opened = timeout(open::TIMEOUT, opening).await;
        let slow = "the next attempt continues opening the conversation";
        opened.unwrap_or_else(|_| Err(Box::new(send::too_slow(slow)))).map(Some)
    }

    async fn send(&self, context: &SendContext<'_>, http_client: &HttpClient) -> Attempt {
        let api = match Api::of(context.settings, context.secrets) {
            Ok(api) => api,
            Err(unsendable) => return unsendable.into(),
        };
        match &context.delivery.event.body {
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Handover { .. } => {
                send::messages(&api, context, http_client).await.unwrap_or_else(Attempt::from)
            }
            _ => {
                let sent = send_single(&api, context, http_client).await;
                let session = send::question_asked(context);
                Attempt { session, ..sent.unwrap_or_else(Attempt::from) }
            }
        }
    }

    /// Message states name a message by its `sourceId`, which is the delivery's id. So they can be
    /// matched in both API versions, even if Unblu's response with its own id was lost.
    fn external_message_id(
        &self,
        delivery: &Delivery,
        _: Option<ExternalMessageId>,
    ) -> Option<ExternalMessageId> {
        Some(delivery.id.as_str().into())
    }

    /// Returns the only call, or the last of several, with links instead of files.
    fn encode(&self, context: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        let api = Api::of(context.settings, context.secrets)?;
        if !matches!(
            context.delivery.event.body,
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Handover { .. }
        ) {
            return single_request(&api, context);
        }
        let pending = send::pending_question(context.session);
        let files = DataUrls::new();
        let messages = message_data::messages(context.delivery, api.settings, &files, pending)?;
        let ids =
            context.session.and_then(|session| VisitorIds::from_session(session, api.version()));
        let ids = ids.unwrap_or_default();
        let to = context.external_conversation_id();
        let last = messages.last().ok_or(EncodeError::Unsupported("the message is empty"))?;
        Ok(requests::message(&api, to, ids.visitor(), last))
    }

    fn classify(&self, answer: &HttpResponse) -> Classification {
        classification(answer)
    }

    /// Repairs the registration if necessary, and asks Unblu to ping the endpoint.
    async fn verify(&self, context: &CheckContext<'_>, http_client: &HttpClient) -> Verification {
        match registration::reconcile(context, http_client).await {
            RegistrationState::OutOfSync(why) => Verification::Failed(why),
            RegistrationState::InSync | RegistrationState::Repaired(_) => {
                ping(context, http_client).await
            }
        }
    }

    /// Unblu answers 403 to the download of a file that is reviewed (UA4 `FileMessageData`). What it answers while a
    /// file is uploaded or scanned is not documented.
    const FILE_NOT_READY: &'static [StatusCode] = &[
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::CONFLICT,
        StatusCode::ACCEPTED,
        StatusCode::NO_CONTENT,
    ];

    async fn file_request(
        &self,
        context: &FileContext<'_, Settings>,
        _: &HttpClient,
        url: &str,
    ) -> Result<HttpRequest, FileError> {
        Ok(Api::of(context.settings, context.secrets)?.file(url)?)
    }

    async fn reconcile_registration(
        &self,
        context: &CheckContext<'_>,
        http_client: &HttpClient,
    ) -> RegistrationState {
        registration::reconcile(context, http_client).await
    }

    async fn fix_registration(
        &self,
        context: &CheckContext<'_>,
        http_client: &HttpClient,
    ) -> RegistrationState {
        registration::fix(context, http_client).await
    }
}

/// Asks Unblu to ping the endpoint. v4 returns the endpoint's reply; v3 only confirms the call.
async fn ping(context: &CheckContext<'_>, http_client: &HttpClient) -> Verification {
    let api = match Api::of(context.settings, context.secrets) {
        Ok(api) => api,
        Err(why) => return Verification::Failed(why.to_string()),
    };
    let answer = match http_client.send(requests::ping(&api)).await {
        Ok(answer) => answer,
        Err(error) => return Verification::Failed(error.to_string()),
    };
    if !answer.status.is_success() {
        return Verification::Failed(problem(&answer));
    }
    let body: Value = json::from_slice(&answer.body).unwrap_or_default();
    let ponged = body.get("$_type").and_then(Value::as_str) == Some("PingResponse");
    if ponged || answer.status == StatusCode::NO_CONTENT {
        return Verification::Ok;
    }
    Verification::Failed("Unblu pinged the endpoint but did not return its reply".to_owned())
}

/// Makes the single call of an event that is not a message.
async fn send_single(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<Attempt, EncodeError> {
    let request = single_request(api, context)?;
    if context.delivery.to.copy
        && let Err(nothing_to_do) = find_opened_ahead(api, context, http_client).await
    {
        return Ok(*nothing_to_do);
    }
    let answer = match http_client.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Ok(error.into()),
    };
    let mut classification = classification(&answer);
    if answer.status == StatusCode::NOT_FOUND {
        // A conversation or message that no longer exists needs no end and no state.
        classification.verdict = Verdict::Skipped;
    }
    Ok(Attempt::with_response(&answer, classification))
}

/// Finds the conversation that was opened before a handover. An agent may have ended it.
async fn find_opened_ahead(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<(), Box<Attempt>> {
    let session_id = context.delivery.session_id().as_str();
    let found = open::find(api, session_id, http_client).await?;
    let ended = || EncodeError::Unsupported("the conversation has ended at Unblu");
    found.map(|_| ()).ok_or_else(|| Box::new(ended().into()))
}

fn single_request(api: &Api<'_>, context: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
    match &context.delivery.event.body {
        EventBody::Close { reason } => {
            Ok(requests::end(api, context.external_conversation_id(), reason.as_deref()))
        }
        EventBody::Receipt { .. } => receipt(api, context),
        EventBody::Message { .. }
        | EventBody::Choice { .. }
        | EventBody::Handover { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Handback { .. }
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Reaction { .. }
        | EventBody::Opaque { .. } => Err(EncodeError::Unsupported(
            "Unblu's external messengers do not support this kind of event",
        )),
    }
}

/// Returns the call that reports the state of an agent's message, by Unblu's own message id.
fn receipt(api: &Api<'_>, context: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
    let delivery = context.delivery;
    let EventBody::Receipt { message, target, status, reason } = &delivery.event.body else {
        return Err(EncodeError::Unsupported("the event is not a receipt"));
    };
    if !api.settings.message_states {
        return Err(EncodeError::Unsupported(
            "message_states is false: Unblu manages the states itself",
        ));
    }
    let target = target.as_ref().filter(|target| target.connection == delivery.to.connection);
    let Some(target) = target else {
        return Err(EncodeError::Unsupported("the receipt does not refer to a message of Unblu"));
    };
    let state = match status {
        ReceiptStatus::Delivered => MessageState::Delivered,
        ReceiptStatus::Read => MessageState::Read,
        ReceiptStatus::Failed => MessageState::Failed {
            // The agent gets no retry button for a delivery that Trunkline gave up: an operator can replay
            // it.
            fail_state: if Delivery::is_delivery_id(message.as_str()) {
                FailState::Terminal
            } else {
                api.settings.fail_state
            },
            why: reason.as_deref().unwrap_or("The message did not reach the customer"),
        },
        ReceiptStatus::Sent => MessageState::Sent,
        ReceiptStatus::Other(_) => {
            return Err(EncodeError::Unsupported("Unblu does not support this message state"));
        }
    };
    let ids = context.session.and_then(|session| VisitorIds::from_session(session, api.version()));
    let visitor = ids.as_ref().map(VisitorIds::visitor);
    let message = target.message.as_str();
    let message = content::parse_question(message).unwrap_or(message);
    let conversation = context.external_conversation_id();
    Ok(requests::message_state(api, conversation, visitor, message, state))
}
