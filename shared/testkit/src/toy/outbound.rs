//! The platform's endpoints.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use trunkline_core::model::{Delivery, ExternalMessageId};
use trunkline_runtime::files::TemporaryFile;
use trunkline_runtime::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    Attempt, EncodeError, FetchedFile, FileContext, FileError, Outbound, Verification,
    classify_by_status,
};

use super::{Reply, ToyCall, ToyPlatform, ToySettings};
use crate::aws::InProcessAws;

type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, ToySettings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, ToySettings>;

/// How long a delivery waits for an answer, like the HTTP client for platforms.
const TIMEOUT: Duration = Duration::from_secs(5);

impl ToyPlatform {
    /// Records a call and returns the reply to it.
    fn receive(&self, context: &SendContext<'_>) -> Reply {
        let mut state = self.0.lock().unwrap();
        let mut call = ToyCall {
            connection: context.connection.id.clone(),
            conversation: context.external_conversation_id().to_owned(),
            delivery: context.delivery.clone(),
            after_aws_call: state.aws.as_ref().map_or(0, InProcessAws::number_of_calls),
            at: context.now,
            accepted: false,
        };
        let reply = state.script.take(call.connection.as_str(), &call.summary());
        call.accepted = matches!(
            reply,
            Reply::Accept | Reply::AcceptAs(_) | Reply::Slow(_) | Reply::LoseAnswer
        );
        state.calls.push(call);
        reply
    }
}

impl Outbound for ToyPlatform {
    async fn send(&self, context: &SendContext<'_>, _: &HttpClient) -> Attempt {
        let mut headers = HeaderMap::new();
        let (status, id) = match self.receive(context) {
            Reply::Accept => (200, None),
            Reply::AcceptAs(id) => (200, Some(id)),
            Reply::Slow(time) => {
                tokio::time::sleep(time.min(TIMEOUT)).await;
                if time >= TIMEOUT {
                    return HttpError::TimedOut.into();
                }
                (200, None)
            }
            Reply::LoseAnswer => return HttpError::Broken.into(),
            Reply::Silent => {
                tokio::time::sleep(TIMEOUT).await;
                return HttpError::TimedOut.into();
            }
            Reply::Status(status) => (status, None),
            Reply::RetryAfter(value) => {
                headers.insert(http::header::RETRY_AFTER, value.parse().unwrap());
                (503, None)
            }
            Reply::Unreachable => return HttpError::NotConnected("refused".into()).into(),
        };
        let status = StatusCode::from_u16(status).unwrap();
        let response = HttpResponse { status, headers, body: Vec::new() };
        let mut classification = classify_by_status(&response);
        classification.external_message_id = id.map(ExternalMessageId::from);
        Attempt::with_response(&response, classification)
    }

    fn external_message_id(
        &self,
        delivery: &Delivery,
        returned: Option<ExternalMessageId>,
    ) -> Option<ExternalMessageId> {
        Some(returned.unwrap_or_else(|| delivery.id.as_str().into()))
    }

    fn encode(&self, _: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        Err(EncodeError::Unsupported("this platform does not use HTTP"))
    }

    async fn fetch_file(
        &self,
        _: &FileContext<'_, ToySettings>,
        _: &HttpClient,
        url: &str,
        content: &mut TemporaryFile,
    ) -> Result<FetchedFile, FileError> {
        let reply = self.0.lock().unwrap().private_files.take(url);
        super::files::reply(reply, content)
    }

    async fn verify(&self, check: &CheckContext<'_>, _: &HttpClient) -> Verification {
        let id = check.connection.id.as_str();
        match self.0.lock().unwrap().script.standing(id) {
            Reply::Accept | Reply::AcceptAs(_) => Verification::Ok,
            other => Verification::Failed(format!("{other:?}")),
        }
    }
}
