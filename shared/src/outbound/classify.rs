//! What an answer, or none, means for a delivery.

use http::StatusCode;

use super::Meaning;
use crate::http_client::{Answer, HttpError};
use crate::model::Verdict;

/// What an answer means by its HTTP status alone.
#[must_use]
pub fn by_status(answer: &Answer) -> Meaning {
    let status = answer.status;
    let verdict = match status {
        _ if status.is_success() => Verdict::Delivered,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Verdict::Retryable
        }
        _ if status.is_server_error() => Verdict::Retryable,
        _ => Verdict::Permanent,
    };
    let reason = (verdict != Verdict::Delivered).then(|| format!("the platform answered {status}"));
    Meaning { verdict, reason, external_id: None }
}

/// What it means that no answer came.
#[must_use]
pub fn unanswered(error: &HttpError) -> Meaning {
    let verdict = match error {
        HttpError::NotConnected(_) => Verdict::Retryable,
        HttpError::TimedOut | HttpError::Broken => Verdict::Unknown,
        HttpError::Blocked(_) | HttpError::Malformed(_) => Verdict::Permanent,
    };
    Meaning { verdict, reason: Some(error.to_string()), external_id: None }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn statuses_mean_what_the_design_says() {
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
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: vec![],
            };
            assert_eq!(by_status(&answer).verdict, verdict, "{status}");
        }
    }
}
