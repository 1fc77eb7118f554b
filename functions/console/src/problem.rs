//! API errors as `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use trunkline_config::prune::{DeleteError, DeleteRefused};
use trunkline_core::model::InvalidId;
use trunkline_runtime::error::BackendError;
use trunkline_runtime::inbound::InboundError;
use trunkline_runtime::queue::QueueError;
use trunkline_runtime::secrets::SecretsError;
use trunkline_runtime::store::StoreError;
use utoipa::ToSchema;

/// An error response (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the kind of problem is the HTTP status, refined by `code`.
    r#type: &'static str,
    /// The phrase of the HTTP status, such as `Conflict`.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The machine-readable kind of problem.
    #[schema(example = "version_mismatch")]
    code: &'static str,
    /// What is wrong and what to do.
    detail: String,
    /// The invalid fields, if the problem is about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The `Retry-After` header in seconds.
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u16>,
}

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The dotted path of the field, such as `delivery.retry.0`.
    pub field: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = match status {
            // RFC 9110 renamed this one; the http crate still has the older phrase.
            StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
            status => status.canonical_reason().unwrap_or_default(),
        };
        let (status, detail, errors) = (status.as_u16(), detail.into(), Vec::new());
        Self { r#type: "about:blank", title, status, code, detail, errors, retry_after: None }
    }

    /// 429: the source address has sent too many wrong tokens.
    #[must_use]
    pub fn too_many_requests(retry_after: u16) -> Self {
        let detail = "your address has sent too many wrong tokens: wait until the minute ends";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_tokens", detail);
        Self { retry_after: Some(retry_after), ..problem }
    }

    /// 401: the request has no valid token.
    #[must_use]
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: the caller's role does not allow the call.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: the path or the resource does not exist.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 400: the path, a parameter or the body is malformed.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 405: the path does not support the method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "this path does not support the method: see /api/v1/openapi.json";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// 409: the state of the resource does not allow the change.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 409: the resource is not deleted, because others depend on it.
    fn delete_refused(refused: &DeleteRefused) -> Self {
        let code = if refused.can_be_forced() { "force_required" } else { "in_use" };
        Self::new(StatusCode::CONFLICT, code, refused.to_string())
    }

    /// 412: the resource has changed since the caller read it.
    #[must_use]
    pub fn version_mismatch() -> Self {
        let detail =
            "the resource was changed in the meantime: read it again and repeat the change";
        Self::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", detail)
    }

    /// 428: the change does not name the version it is based on.
    #[must_use]
    pub fn version_required() -> Self {
        let detail = "send the current version as If-Match, or If-None-Match: * to create it";
        Self::new(StatusCode::PRECONDITION_REQUIRED, "version_required", detail)
    }

    /// 422: fields of the body are invalid.
    #[must_use]
    pub fn validation_failed(errors: Vec<FieldProblem>) -> Self {
        let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
        let detail = details.join("; ");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { errors, ..Self::new(status, "validation_failed", detail) }
    }

    /// 503: the table, a queue or the parameter store failed. The caller may retry.
    fn unavailable(error: &(impl std::error::Error + ?Sized)) -> Self {
        tracing::error!(%error, "API request failed: internal error");
        let detail = "an AWS service did not respond: try again, or read the function's log";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, axum::Json(self)).into_response();
        let retry_after = retry_after.map(|seconds| (header::RETRY_AFTER, seconds.into()));
        response.headers_mut().extend(retry_after);
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::version_mismatch(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::NotDeployed(_) => Self::conflict(error.to_string()),
            other => Self::unavailable(&other),
        }
    }
}

impl From<SecretsError> for Problem {
    fn from(error: SecretsError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<DeleteRefused> for Problem {
    fn from(refused: DeleteRefused) -> Self {
        Self::delete_refused(&refused)
    }
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Store(error) => error.into(),
            DeleteError::Secrets(error) => error.into(),
        }
    }
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Store(error) => error.into(),
            BackendError::Queue(error) => error.into(),
            BackendError::Secrets(error) => error.into(),
            BackendError::Files(error) => Self::unavailable(&error),
        }
    }
}

impl From<InboundError> for Problem {
    fn from(error: InboundError) -> Self {
        match error {
            InboundError::Rejected(reason) => Self::conflict(reason.to_string()),
            internal => Self::unavailable(&internal),
        }
    }
}

impl From<InvalidId> for Problem {
    fn from(error: InvalidId) -> Self {
        Self::bad_request(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_is_the_phrase_of_the_http_status() {
        let titles = [
            (Problem::validation_failed(Vec::new()), "Unprocessable Content"),
            (Problem::version_required(), "Precondition Required"),
            (Problem::version_mismatch(), "Precondition Failed"),
            (Problem::too_many_requests(1), "Too Many Requests"),
            (Problem::bad_request("x"), "Bad Request"),
            (Problem::conflict("x"), "Conflict"),
        ];
        for (problem, title) in titles {
            assert_eq!(problem.title, title);
        }
    }
}
