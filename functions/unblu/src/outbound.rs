//! Sends deliveries to Unblu.

use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};
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
use crate::requests::{self, MessageState, OutgoingMessage};
use crate::settings::{FailState, Settings};
use crate::{CheckContext, SendContext, Unblu, files, registration};

/// The key in a session's platform data for the progress of a delivery of several messages:
/// `<delivery>/<number of messages that Unblu has>`.
const PROGRESS: &str = "sent";
/// How long opening may take: up to six calls. The next attempt finds what was created by then.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an attempt starts further messages of a delivery. The next attempt sends the rest.
const SEND_BUDGET: Duration = Duration::from_secs(4);

impl Outbound for Unblu {
    /// Opening, sending, and the call of the last message.
    const MAX_DURATION: SignedDuration = SignedDuration::from_secs(10 + 4 + 5);

    async fn open(
        &self,
        context: &SendContext<'_>,
        http_client: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let api = Api::of(context.settings, context.secrets).map_err(|why| Box::new(why.into()))?;
        match timeout(OPEN_TIMEOUT, open::conversation(&api, context, http_client)).await {
            Ok(opened) => opened.map(Some),
            Err(_) => {
                Err(Box::new(too_slow("the next attempt continues opening the conversation")))
            }
        }
    }

    async fn send(&self, context: &SendContext<'_>, http_client: &HttpClient) -> Attempt {
        let api = match Api::of(context.settings, context.secrets) {
            Ok(api) => api,
            Err(unsendable) => return unsendable.into(),
        };
        let sent = match &context.delivery.event.body {
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Handover { .. } => {
                send_messages(&api, context, http_client).await
            }
            _ => send_single(&api, context, http_client).await,
        };
        sent.unwrap_or_else(Attempt::from)
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
        let messages = message_data::messages(context.delivery, api.settings, &DataUrls::new())?;
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

    /// Unblu refuses a file until it is scanned or reviewed.
    const FILE_NOT_READY: &'static [StatusCode] = &[StatusCode::FORBIDDEN];

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
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let ponged = body.get("$_type").and_then(Value::as_str) == Some("PingResponse");
    if ponged || answer.status == StatusCode::NO_CONTENT {
        return Verification::Ok;
    }
    Verification::Failed("Unblu pinged the endpoint but did not return its reply".to_owned())
}

/// Sends a delivery's messages one by one. The session records how many Unblu has, so that a retry
/// continues from there.
async fn send_messages(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<Attempt, EncodeError> {
    let delivery = context.delivery;
    let (messages, memory) = encode_messages(api, context, http_client).await?;
    let missing = || EncodeError::Misconfigured("the conversation has no session at Unblu".into());
    let mut session = context.session.ok_or_else(missing)?.clone();
    // If an agent started the conversation, the session does not have the visitor's ids yet.
    let known = VisitorIds::from_session(&session, api.version());
    let ids_are_new = known.is_none();
    let ids = match known {
        Some(ids) => ids,
        None => match timeout(OPEN_TIMEOUT, open::visitor(api, delivery, http_client)).await {
            Ok(Ok(ids)) => ids,
            Ok(Err(failed)) => return Ok(*failed),
            Err(_) => return Ok(too_slow("the next attempt looks for the visitor again")),
        },
    };
    let already_sent = messages_sent(&session, delivery);
    let end = Instant::now() + SEND_BUDGET;
    let mut attempt = None;
    for (index, message) in messages.iter().enumerate().skip(already_sent) {
        let request = requests::message(
            api,
            session.external_conversation_id.as_str(),
            ids.visitor(),
            message,
        );
        let result = if index > already_sent && Instant::now() >= end {
            too_slow("the next attempt sends the rest")
        } else {
            match http_client.send(request).await {
                Ok(answer) => Attempt::with_response(&answer, classification(&answer)),
                Err(error) => error.into(),
            }
        };
        let failed = result.classification.verdict != Verdict::Delivered;
        attempt = Some(result);
        if failed {
            if index > 0 {
                session
                    .platform_data
                    .insert(PROGRESS.to_owned(), format!("{}/{index}", delivery.id));
            }
            break;
        }
    }
    // All messages may have been sent by an earlier attempt whose outcome was lost.
    let mut attempt = attempt.unwrap_or_else(|| {
        let classification =
            Classification { verdict: Verdict::Delivered, reason: None, external_message_id: None };
        Attempt::without_response(classification)
    });
    if ids_are_new {
        ids.store_in(&mut session);
    }
    attempt.session = Some(session).filter(|session| Some(session) != context.session);
    drop(memory);
    Ok(attempt)
}

/// Encodes a delivery's messages with their files. The permit is for the memory of the files.
async fn encode_messages<'a>(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &'a HttpClient,
) -> Result<(Vec<OutgoingMessage>, Option<SemaphorePermit<'a>>), EncodeError> {
    let delivery = context.delivery;
    let (files, memory) = match &delivery.event.body {
        EventBody::Message { content, .. } => {
            files::read(content, api.settings, context.secrets, http_client).await
        }
        _ => (DataUrls::new(), None),
    };
    Ok((message_data::messages(delivery, api.settings, &files)?, memory))
}

fn too_slow(then: &str) -> Attempt {
    let reason = Some(format!("Unblu is too slow: {then}"));
    Attempt::without_response(Classification {
        verdict: Verdict::Retryable,
        reason,
        external_message_id: None,
    })
}

/// Returns how many of a delivery's messages Unblu has already.
fn messages_sent(session: &Session, delivery: &Delivery) -> usize {
    let sent = session.platform_data.get(PROGRESS).and_then(|sent| sent.split_once('/'));
    let own = sent.filter(|(id, _)| *id == delivery.id.as_str());
    own.and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

/// Makes the single call of an event that is not a message.
async fn send_single(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<Attempt, EncodeError> {
    let answer = match http_client.send(single_request(api, context)?).await {
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
    Ok(requests::message_state(
        api,
        context.external_conversation_id(),
        visitor,
        target.message.as_str(),
        state,
    ))
}
