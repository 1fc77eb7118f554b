//! What went wrong, as `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use trunkline_shared::inbound::IntakeError;
use trunkline_shared::model::InvalidId;
use trunkline_shared::operator::OrderError;
use trunkline_shared::queue::QueueError;
use trunkline_shared::secrets::SecretsError;
use trunkline_shared::store::StoreError;
use utoipa::ToSchema;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    r#type: &'static str,
    /// In a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What, and what to do.
    detail: String,
    /// What is wrong with each field, where that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// After how many seconds it may be worth another try.
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u16>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its dotted path.
    pub field: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let (status, errors) = (status.as_u16(), Vec::new());
        Self { r#type: "about:blank", title, status, detail, errors, retry_after: None }
    }

    /// Too many wrong tokens came from there.
    #[must_use]
    pub fn too_many(seconds: u16) -> Self {
        let detail =
            "too many wrong tokens came from your address: try again when the minute is over";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens", detail);
        Self { retry_after: Some(seconds), ..problem }
    }

    /// Nobody is signed in.
    #[must_use]
    pub fn unauthorised(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail)
    }

    /// Whoever is signed in may not do that.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not allowed", detail)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    /// The request makes no sense.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "not understood", detail)
    }

    /// The path is there, and has no such method.
    #[must_use]
    pub fn not_allowed() -> Self {
        let detail = "this path has no such method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "no such method", detail)
    }

    /// That cannot be done as things stand.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "not as things stand", detail)
    }

    /// Somebody changed it meanwhile.
    #[must_use]
    pub fn outdated() -> Self {
        let detail = "somebody changed it meanwhile: read it again, and change that";
        Self::new(StatusCode::PRECONDITION_FAILED, "changed meanwhile", detail)
    }

    /// What is to be changed must be named.
    #[must_use]
    pub fn unconditional() -> Self {
        let detail =
            "say which version is to be changed by If-Match, or If-None-Match: * to make it";
        Self::new(StatusCode::PRECONDITION_REQUIRED, "which version?", detail)
    }

    /// It is not right.
    #[must_use]
    pub fn invalid(errors: Vec<FieldProblem>) -> Self {
        let said: Vec<&str> = errors.iter().map(|error| error.problem.as_str()).collect();
        let detail = said.join("; ");
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not right", detail) }
    }

    /// Our own side failed: worth another try.
    fn ours(error: &(impl std::error::Error + ?Sized)) -> Self {
        tracing::error!(%error, "a request was not carried out: ours");
        let detail = "our own side did not answer: try again; the function's log says more";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not now", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.retry_after;
        let mut response = (status, axum::Json(self)).into_response();
        response.headers_mut().extend(wait.map(|seconds| (header::RETRY_AFTER, seconds.into())));
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::outdated(),
            other => Self::ours(&other),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        Self::ours(&error)
    }
}

impl From<SecretsError> for Problem {
    fn from(error: SecretsError) -> Self {
        Self::ours(&error)
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Store(error) => error.into(),
            OrderError::Queue(error) => error.into(),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Rejected(why) => Self::conflict(why.to_string()),
            ours => Self::ours(&ours),
        }
    }
}

impl From<InvalidId> for Problem {
    fn from(error: InvalidId) -> Self {
        Self::bad_request(error.to_string())
    }
}
