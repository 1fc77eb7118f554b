//! Sends deliveries to TWIN.

use http::{Method, StatusCode};
use serde_json::json;
use trunkline_core::model::{EventBody, MessageReference, ReceiptStatus, Session, Verdict};
use trunkline_runtime::files::TemporaryFile;
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{
    Attempt, EncodeError, FetchedFile, FileContext, FileError, Outbound, Verification,
    download_file,
};

use crate::api::{Api, Body, attempt};
use crate::client_message::client_message;
use crate::login::has_credentials;
use crate::settings::{Answers, Mode, Settings, join_url, path_segment};
use crate::{CheckContext, SendContext, Twin, chats, dialogs, files, responses};

impl Outbound for Twin {
    /// The first message opens the session. With callbacks, a session under Trunkline's own id exists
    /// before that, because a callback may arrive before the response with TWIN's id. It keeps what an expired
    /// session knew about the client.
    async fn open(
        &self,
        context: &SendContext<'_>,
        _: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let id = context.delivery.session_id();
        let by_callback = context.settings.answers() == Answers::Callback;
        let known = context.session.map(|session| session.platform_data.clone());
        Ok(by_callback.then(|| Session {
            platform_data: known.unwrap_or_default(),
            ..Session::new(id, id.as_str())
        }))
    }

    async fn send(&self, context: &SendContext<'_>, http_client: &HttpClient) -> Attempt {
        let api = Api::of(context, &self.tokens, http_client);
        match &context.delivery.event.body {
            EventBody::Close { reason } => {
                return close(context, &api, reason.as_deref()).await;
            }
            EventBody::Receipt { target: Some(target), status: ReceiptStatus::Read, .. }
                if target.connection == context.connection.id =>
            {
                return mark_read(&api, target).await;
            }
            _ => {}
        }
        let message = match client_message(context, &api).await {
            Ok(message) => message,
            Err(unsendable) => return unsendable.into(),
        };
        match context.settings.mode {
            Mode::Chats => chats::send(context, &api, &message).await,
            Mode::Dialogs => dialogs::send(context, &api, &message).await,
        }
    }

    fn encode(&self, _: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
        Err(EncodeError::Unsupported("a delivery to TWIN can take several calls"))
    }

    async fn file_request(
        &self,
        context: &FileContext<'_, Settings>,
        http_client: &HttpClient,
        url: &str,
    ) -> Result<HttpRequest, FileError> {
        files::request(context, &self.tokens, http_client, url).await
    }

    async fn fetch_file(
        &self,
        context: &FileContext<'_, Settings>,
        http_client: &HttpClient,
        url: &str,
        file: &mut TemporaryFile,
    ) -> Result<FetchedFile, FileError> {
        let request = self.file_request(context, http_client, url).await?;
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        let fetched = download_file(http_client, request, context.time, &refused, file).await;
        if fetched.as_ref().is_err_and(FileError::is_retryable) {
            // TWIN may no longer accept the token. The next attempt logs in again.
            self.tokens.forget(&context.connection.id);
        }
        fetched
    }

    /// Logs in, if the connection has credentials.
    async fn verify(&self, context: &CheckContext<'_>, http_client: &HttpClient) -> Verification {
        let CheckContext { connection, settings, secrets, now, .. } = *context;
        if !has_credentials(secrets) {
            return Verification::Unsupported(
                "this connection has no login to verify: send the bot a message instead",
            );
        }
        self.tokens.forget(&connection.id);
        match self.tokens.bearer(connection, settings, secrets, http_client, now).await {
            Ok(_) => Verification::Ok,
            Err(why) => Verification::Failed(why.to_string()),
        }
    }
}

/// Reports that the customer read an operator's message, by `PATCH messages/{id}/read` (`TS`).
async fn mark_read(api: &Api<'_>, target: &MessageReference) -> Attempt {
    if !api.has_credentials() {
        return EncodeError::Unsupported("marking a message as read needs a login").into();
    }
    let path = format!("messages/{}/read", path_segment(target.message.as_str()));
    let url = join_url(&api.settings.messages_url, &path);
    match api.authenticated(Method::PATCH, url, Body::none()).await {
        Ok(answer) if answer.status == StatusCode::NOT_FOUND => {
            EncodeError::Unsupported("TWIN no longer knows the message").into()
        }
        Ok(answer) => attempt(&answer),
        Err(error) => error.into(),
    }
}

/// Ends the session by `DELETE sessions/{id}`, or the dialog by `POST dialogs/{id}/finish` (`TS`).
async fn close(context: &SendContext<'_>, api: &Api<'_>, reason: Option<&str>) -> Attempt {
    if context.delivery.to.copy {
        return EncodeError::Unsupported("TWIN does not support copies").into();
    }
    let Some(session) = responses::known_session(context) else {
        return EncodeError::Unsupported("there is no session to end").into();
    };
    if !api.has_credentials() {
        return EncodeError::Unsupported(
            "ending a session needs a login: the session will expire by itself",
        )
        .into();
    }
    let id = path_segment(session.external_conversation_id.as_str());
    let (method, url, body) = match api.settings.mode {
        Mode::Chats => {
            let result = Body::json(&json!({"result": reason.unwrap_or("closed")}));
            (
                Method::DELETE,
                join_url(&api.settings.messages_url, &format!("sessions/{id}")),
                result,
            )
        }
        Mode::Dialogs => {
            let url = join_url(&api.settings.dialogs_url, &format!("dialogs/{id}/finish"));
            (Method::POST, url, Body::none())
        }
    };
    match api.authenticated(method, url, body).await {
        Ok(answer) => close_outcome(&answer),
        Err(error) => error.into(),
    }
}

fn close_outcome(answer: &HttpResponse) -> Attempt {
    let mut attempt = attempt(answer);
    if matches!(answer.status.as_u16(), 404 | 410) {
        attempt.classification.verdict = Verdict::Delivered;
        attempt.classification.reason = None;
    }
    attempt
}
