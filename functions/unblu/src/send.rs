//! Sends the messages of a delivery to Unblu, one by one.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};
use trunkline_core::model::{Delivery, EventBody, ReceiptStatus, Session, Verdict};
use trunkline_runtime::http_client::{HttpClient, HttpRequest};
use trunkline_runtime::outbound::{Attempt, Classification, EncodeError};

use crate::api::{Api, classification};
use crate::message_data::{self, DataUrls};
use crate::open::{self, VisitorIds};
use crate::requests::{self, OutgoingMessage};
use crate::{SendContext, content, files};

/// The key in a session's platform data for the progress of a delivery of several messages:
/// `<delivery>/<number of messages that Unblu has>`.
const PROGRESS: &str = "sent";
/// The key in a session's platform data for the question that the customer's next text answers.
const QUESTION: &str = "question";
/// How long an attempt starts further messages of a delivery. The next attempt sends the rest.
const SEND_BUDGET: Duration = Duration::from_secs(4);

/// Sends a delivery's messages. The session records how many Unblu has, so that a retry continues from there.
pub(crate) async fn messages(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<Attempt, EncodeError> {
    let delivery = context.delivery;
    let (messages, memory) = encode(api, context, http_client).await?;
    let missing = || EncodeError::Misconfigured("the conversation has no session at Unblu".into());
    let mut session = context.session.ok_or_else(missing)?.clone();
    let ids = match visitor(api, delivery, &mut session, http_client).await {
        Ok(ids) => ids,
        Err(failed) => return Ok(*failed),
    };
    let already_sent = messages_sent(&session, delivery);
    let end = Instant::now() + SEND_BUDGET;
    let mut attempt = None;
    for (index, message) in messages.iter().enumerate().skip(already_sent) {
        let result = if index > already_sent && Instant::now() >= end {
            too_slow("the next attempt sends the rest")
        } else {
            one(api, &session, &ids, message, http_client).await
        };
        let failed = result.classification.verdict != Verdict::Delivered;
        attempt = Some(result);
        if failed {
            if index > 0 {
                let progress = format!("{}/{index}", delivery.id);
                session.platform_data.insert(PROGRESS.to_owned(), progress);
            }
            break;
        }
        forget_question(&mut session, message);
    }
    // All messages may have been sent by an earlier attempt whose outcome was lost.
    let mut attempt = attempt.unwrap_or_else(|| without_response(Verdict::Delivered, None));
    if delivery.to.copy && open::is_refusal(&attempt) {
        // An agent may have ended the conversation before the handover, which opens another one.
        attempt.classification.verdict = Verdict::Skipped;
    }
    attempt.session = Some(session).filter(|session| Some(session) != context.session);
    drop(memory);
    Ok(attempt)
}

/// Encodes a delivery's messages with their files. The permit is for the memory of the files.
async fn encode<'a>(
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
    let pending = pending_question(context.session);
    Ok((message_data::messages(delivery, api.settings, &files, pending)?, memory))
}

/// Returns the visitor's ids. If an agent started the conversation, the session does not have them yet.
async fn visitor(
    api: &Api<'_>,
    delivery: &Delivery,
    session: &mut Session,
    http_client: &HttpClient,
) -> Result<VisitorIds, Box<Attempt>> {
    if let Some(known) = VisitorIds::from_session(session, api.version()) {
        return Ok(known);
    }
    let found = timeout(open::TIMEOUT, open::visitor(api, delivery, http_client)).await;
    let slow = |_| Box::new(too_slow("the next attempt looks for the visitor again"));
    let ids = found.map_err(slow)??;
    ids.clone().store_in(session);
    Ok(ids)
}

/// Sends a message. If Unblu refuses the answer to a question, sends it as a text.
async fn one(
    api: &Api<'_>,
    session: &Session,
    ids: &VisitorIds,
    message: &OutgoingMessage,
    http_client: &HttpClient,
) -> Attempt {
    let conversation = session.external_conversation_id.as_str();
    let request =
        |message: &OutgoingMessage| requests::message(api, conversation, ids.visitor(), message);
    let result = call(request(message), http_client).await;
    match &message.instead {
        Some(text) if open::is_refusal(&result) => {
            let text = OutgoingMessage { data: text.clone(), ..message.clone() };
            call(request(&text), http_client).await
        }
        _ => result,
    }
}

async fn call(request: HttpRequest, http_client: &HttpClient) -> Attempt {
    match http_client.send(request).await {
        Ok(answer) => Attempt::with_response(&answer, classification(&answer)),
        Err(error) => error.into(),
    }
}

/// Returns the session with the question that a receipt says has reached the customer's channel: their next text
/// answers it. `None` if the receipt is about another message.
pub(crate) fn question_asked(context: &SendContext<'_>) -> Option<Session> {
    let EventBody::Receipt { target: Some(target), status: ReceiptStatus::Sent, .. } =
        &context.delivery.event.body
    else {
        return None;
    };
    let is_own = target.connection == context.delivery.to.connection;
    let question = content::parse_question(target.message.as_str()).filter(|_| is_own)?;
    let mut session = context.session?.clone();
    session.platform_data.insert(QUESTION.to_owned(), question.to_owned());
    Some(session)
}

/// Returns the question that the customer's next text answers.
pub(crate) fn pending_question(session: Option<&Session>) -> Option<&str> {
    session?.platform_data.get(QUESTION).map(String::as_str)
}

fn forget_question(session: &mut Session, message: &OutgoingMessage) {
    let answered = message_data::question_of(&message.data);
    if answered.is_some() && answered == pending_question(Some(session)) {
        session.platform_data.remove(QUESTION);
    }
}

/// Returns how many of a delivery's messages Unblu has already.
fn messages_sent(session: &Session, delivery: &Delivery) -> usize {
    let sent = session.platform_data.get(PROGRESS).and_then(|sent| sent.split_once('/'));
    let own = sent.filter(|(id, _)| *id == delivery.id.as_str());
    own.and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

/// Returns an attempt that ran out of time.
pub(crate) fn too_slow(then: &str) -> Attempt {
    without_response(Verdict::Retryable, Some(format!("Unblu is too slow: {then}")))
}

fn without_response(verdict: Verdict, reason: Option<String>) -> Attempt {
    Attempt::without_response(Classification { verdict, reason, external_message_id: None })
}
