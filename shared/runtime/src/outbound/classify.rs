//! Classifies a platform's response, or the lack of one.

use http::StatusCode;

use super::Classification;
use crate::http_client::{HttpError, HttpResponse};
use trunkline_core::model::Verdict;

/// Classifies a response by its HTTP status alone.
#[must_use]
pub fn classify_by_status(response: &HttpResponse) -> Classification {
    let status = response.status;
    let verdict = match status {
        _ if status.is_success() => Verdict::Delivered,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Verdict::Retryable
        }
        _ if status.is_server_error() => Verdict::Retryable,
        _ => Verdict::Permanent,
    };
    let reason = (verdict != Verdict::Delivered).then(|| format!("the platform answered {status}"));
    Classification { verdict, reason, external_message_id: None }
}

/// Classifies a call without a response. After a timeout it is unknown whether the platform has the message.
#[must_use]
pub fn classify_error(error: &HttpError) -> Classification {
    let verdict = match error {
        HttpError::NotConnected(_) => Verdict::Retryable,
        HttpError::TimedOut | HttpError::Broken => Verdict::Unknown,
        HttpError::Blocked(_) | HttpError::Malformed(_) => Verdict::Permanent,
    };
    Classification { verdict, reason: Some(error.to_string()), external_message_id: None }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn classifies_http_statuses() {
        use Verdict::{Delivered, Permanent, Retryable};
        for (status, verdict) in [
            (200, Delivered),
            (201, Delivered),
            (202, Delivered),
            (204, Delivered),
            (301, Permanent),
            (400, Permanent),
            (401, Permanent),
            (404, Permanent),
            (410, Permanent),
            (408, Retryable),
            (425, Retryable),
            (429, Retryable),
            (500, Retryable),
            (503, Retryable),
        ] {
            let response = HttpResponse {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: vec![],
            };
            assert_eq!(classify_by_status(&response).verdict, verdict, "{status}");
        }
    }
}
