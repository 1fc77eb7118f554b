//! Outbound pipeline: receives deliveries from SQS, calls the platform, and records the outcome.
//!
//! The path of a delivery: `receive` -> `deliver` -> `attempt` -> `record_outcome`, or `park` if it cannot be
//! sent now.

mod attempt;
mod bind_session;
mod bot_watchdog;
mod breaker;
mod classify;
mod deliver;
mod drain;
mod headers;
mod private_files;
mod record_outcome;
mod relay;
mod relayed_files;
mod release_held;
mod retry_after;
mod sqs;
mod transcript;
mod verify;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

pub use classify::{classify_by_status, classify_error};
pub use headers::{insert_secret_header, json_headers, required_secret};
pub use private_files::{FetchedFile, FileContext, FileError, download_file};
pub use retry_after::RetryAfter;
pub use sqs::{Receipt, receive_batch, serve};

use crate::app::App;
use crate::error::BackendError;
use crate::files::TemporaryFile;
use crate::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::inbound::InboundError;
use crate::secrets::SecretBag;
use trunkline_core::model::{
    Connection, Delivery, Event, ExternalConversationId, ExternalMessageId, Role, Session, Verdict,
};
use trunkline_core::platform::{InvalidSetting, Platform};

/// Why a job failed. Except for [`OutboundError::Unreadable`], SQS hands the message out again.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The table, a queue or the secrets failed.
    #[error(transparent)]
    Backend(BackendError),
    /// An event that follows from the delivery could not be ingested.
    #[error(transparent)]
    Inbound(#[from] InboundError),
    /// The message is not a job. It goes to the dead-letter queue.
    #[error("cannot parse the job: {0}")]
    Unreadable(#[from] serde_json::Error),
}

crate::from_backend_errors!(OutboundError);

impl OutboundError {
    /// Whether a retry can succeed without a change by an operator.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Backend(error) => error.is_retryable(),
            Self::Inbound(error) => error.is_retryable(),
            Self::Unreadable(_) => false,
        }
    }
}

/// The time limit of an invocation.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// No further delivery is started after this time.
    pub latest_start: Timestamp,
    /// When Lambda stops the invocation.
    pub deadline: Timestamp,
}

impl Budget {
    fn is_spent(self, app: &App) -> bool {
        app.clock.now() >= self.latest_start
    }
}

/// Everything that a platform needs to encode and send a delivery.
#[derive(Debug)]
pub struct SendContext<'a, S> {
    /// The connection to which the delivery is sent.
    pub connection: &'a Connection,
    /// The connection's settings.
    pub settings: &'a S,
    pub secrets: &'a SecretBag,
    /// The platform's session of the conversation, which may have expired; `None` before the first one.
    pub session: Option<&'a Session>,
    pub delivery: &'a Delivery,
    pub now: Timestamp,
}

impl<S> Clone for SendContext<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for SendContext<'_, S> {}

impl<S> SendContext<'_, S> {
    /// Returns the platform's id of the conversation; empty while it is being opened.
    #[must_use]
    pub fn external_conversation_id(&self) -> &str {
        self.session.map_or("", |session| session.external_conversation_id.as_str())
    }
}

/// Why a delivery cannot be encoded. Nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The platform has no equivalent. The delivery is skipped, which is not a failure.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The connection's configuration is incomplete or invalid: an operator must correct it.
    #[error("{0}")]
    Misconfigured(String),
}

/// A platform's response, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    pub verdict: Verdict,
    /// The reason, for operators; `None` if delivered.
    pub reason: Option<String>,
    /// The platform's id of the delivered message, if it returned one.
    pub external_message_id: Option<ExternalMessageId>,
}

/// The result of one attempt to send a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The verdict on the attempt, and its reason.
    pub classification: Classification,
    /// The platform's HTTP status; `None` without a response.
    pub status: Option<u16>,
    /// The platform's `Retry-After`.
    pub retry_after: Option<RetryAfter>,
    /// The platform's session of the conversation, if the attempt opened or changed it.
    pub session: Option<Session>,
    /// Events that the platform returned in its response. They are ingested like inbound events.
    pub reply_events: Vec<Event>,
    /// How long the attempt took.
    pub duration: SignedDuration,
}

impl Attempt {
    /// Builds the result of an attempt that the platform answered.
    #[must_use]
    pub fn with_response(response: &HttpResponse, classification: Classification) -> Self {
        Self {
            status: Some(response.status.as_u16()),
            retry_after: RetryAfter::from_headers(&response.headers),
            ..Self::without_response(classification)
        }
    }

    /// Builds the result of an attempt that was not made or not answered.
    #[must_use]
    pub fn without_response(classification: Classification) -> Self {
        Self {
            classification,
            status: None,
            retry_after: None,
            session: None,
            reply_events: Vec::new(),
            duration: SignedDuration::ZERO,
        }
    }
}

impl From<EncodeError> for Attempt {
    fn from(error: EncodeError) -> Self {
        let verdict = match error {
            EncodeError::Unsupported(_) => Verdict::Skipped,
            EncodeError::Misconfigured(_) => Verdict::Permanent,
        };
        let reason = Some(error.to_string());
        Self::without_response(Classification { verdict, reason, external_message_id: None })
    }
}

impl From<InvalidSetting> for Attempt {
    fn from(error: InvalidSetting) -> Self {
        EncodeError::Misconfigured(error.to_string()).into()
    }
}

impl From<HttpError> for Attempt {
    fn from(error: HttpError) -> Self {
        Self::without_response(classify_error(&error))
    }
}

/// The outbound side of a platform: sends deliveries and classifies the responses. Most platforms need one
/// call per delivery, and then an implementation does no I/O: [`Outbound::encode`] and
/// [`Outbound::classify`].
pub trait Outbound: Platform {
    /// Maximum duration of one delivery, for platforms that need more than one call.
    const MAX_DURATION: SignedDuration = SignedDuration::from_secs(5);

    /// Statuses with which the platform refuses a private file that can be downloaded later.
    const FILE_NOT_READY: &'static [StatusCode] = &[];

    /// Chooses the platform's id of a conversation that is about to be opened there, for platforms that
    /// let the caller choose it.
    fn choose_conversation_id(&self, delivery: &Delivery) -> ExternalConversationId {
        match delivery.to.role {
            Role::Channel => delivery.key.customer.as_str().into(),
            Role::Bot | Role::Desk | Role::Observer => delivery.session_id().as_str().into(),
        }
    }

    /// Opens the conversation on the platform before anything is sent there; `None` if sending opens it.
    /// It may be called again for a conversation that it opened, because a worker may crash in between.
    ///
    /// # Errors
    /// The failed attempt, if the conversation could not be opened.
    fn open(
        &self,
        context: &SendContext<'_, Self::Settings>,
        _http_client: &HttpClient,
    ) -> impl Future<Output = Result<Option<Session>, Box<Attempt>>> + Send {
        let delivery = context.delivery;
        let session = Session::new(delivery.session_id(), self.choose_conversation_id(delivery));
        std::future::ready(Ok(Some(session)))
    }

    /// Sends a delivery.
    fn send(
        &self,
        context: &SendContext<'_, Self::Settings>,
        http_client: &HttpClient,
    ) -> impl Future<Output = Attempt> + Send {
        async move {
            let request = match self.encode(context) {
                Ok(request) => request,
                Err(error) => return error.into(),
            };
            match http_client.send(request).await {
                Ok(response) => Attempt::with_response(&response, self.classify(&response)),
                Err(error) => error.into(),
            }
        }
    }

    /// Returns the id by which the platform knows a delivered message, so that receipts can be matched.
    /// `returned` is the id from its response.
    fn external_message_id(
        &self,
        _delivery: &Delivery,
        returned: Option<ExternalMessageId>,
    ) -> Option<ExternalMessageId> {
        returned
    }

    /// Returns a key by which the platform may refer to this delivery under a conversation id that is not
    /// known yet. It is stored before the delivery is sent.
    fn correlation_key(&self, _context: &SendContext<'_, Self::Settings>) -> Option<String> {
        None
    }

    /// Encodes a delivery as an HTTP request.
    ///
    /// # Errors
    /// If the platform has no equivalent, or the connection's configuration is incomplete.
    fn encode(&self, context: &SendContext<'_, Self::Settings>)
    -> Result<HttpRequest, EncodeError>;

    /// Classifies the platform's response. The default uses the HTTP status alone.
    fn classify(&self, response: &HttpResponse) -> Classification {
        classify_by_status(response)
    }

    /// Builds the request that downloads a private file of the platform. Credentials are added only if the
    /// file is on the platform's own host.
    ///
    /// # Errors
    /// If the platform has no private files, or there are no credentials.
    fn file_request(
        &self,
        _context: &FileContext<'_, Self::Settings>,
        _http_client: &HttpClient,
        _url: &str,
    ) -> impl Future<Output = Result<HttpRequest, FileError>> + Send {
        let error = EncodeError::Unsupported("the platform has no private files");
        std::future::ready(Err(error.into()))
    }

    /// Downloads a private file of the platform into `content`.
    ///
    /// # Errors
    /// If the file cannot be fetched, or is too large.
    fn fetch_file(
        &self,
        context: &FileContext<'_, Self::Settings>,
        http_client: &HttpClient,
        url: &str,
        content: &mut TemporaryFile,
    ) -> impl Future<Output = Result<FetchedFile, FileError>> + Send {
        async move {
            let request = self.file_request(context, http_client, url).await?;
            download_file(http_client, request, context.time, Self::FILE_NOT_READY, content).await
        }
    }

    /// Verifies that the connection's endpoint belongs to this stack and accepts its credentials.
    fn verify(
        &self,
        check: &CheckContext<'_, Self::Settings>,
        http_client: &HttpClient,
    ) -> impl Future<Output = Verification> + Send;

    /// Compares Trunkline's registration on the platform with the configuration and repairs it, on platforms
    /// that keep one ([`keeps_registration`]).
    ///
    /// [`keeps_registration`]: trunkline_core::model::Behaviour::keeps_registration
    fn reconcile_registration(
        &self,
        _check: &CheckContext<'_, Self::Settings>,
        _http_client: &HttpClient,
    ) -> impl Future<Output = RegistrationState> + Send {
        std::future::ready(RegistrationState::InSync)
    }

    /// Creates or updates Trunkline's registration on the platform as configured, on an operator's request.
    fn fix_registration(
        &self,
        check: &CheckContext<'_, Self::Settings>,
        http_client: &HttpClient,
    ) -> impl Future<Output = RegistrationState> + Send {
        self.reconcile_registration(check, http_client)
    }
}

/// What a platform needs to verify a connection or its registration.
#[derive(Debug)]
pub struct CheckContext<'a, S> {
    pub connection: &'a Connection,
    /// The connection's settings.
    pub settings: &'a S,
    pub secrets: &'a SecretBag,
    /// A new value that the endpoint must return.
    pub challenge: &'a str,
    /// The inbound URL of the connection, with its key; `None` if the stack does not know its own URL.
    pub address: Option<&'a str>,
    pub now: Timestamp,
}

impl<S> Clone for CheckContext<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for CheckContext<'_, S> {}

/// The result of verifying a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The endpoint is verified and accepts the credentials.
    Ok,
    /// Verification failed, for this reason.
    Failed(String),
    /// The platform has no call for verification; what an operator can do instead.
    Unsupported(&'static str),
}

/// The state of Trunkline's registration on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationState {
    /// The registration is as configured.
    InSync,
    /// It differed and was repaired: what was done.
    Repaired(String),
    /// It differs and an operator must correct it: the reason.
    OutOfSync(String),
}
