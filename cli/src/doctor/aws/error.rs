//! Errors of calls to AWS.

use serde_json::Value;

use super::Element;
use crate::doctor::facts::Unknown;

/// The codes with which AWS's services say that the caller may not do this.
const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "NotAuthorized",
];
/// The longest message of AWS that is shown, in characters.
const MAX_MESSAGE: usize = 200;

/// Why a call to AWS has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The caller may not do this.
    #[error("access denied")]
    Denied,
    /// AWS refuses the call for another reason.
    #[error("{code}: {message}")]
    Refused {
        /// The error code of the service, such as `Throttling`.
        code: String,
        message: String,
    },
    /// The connection failed, or the request could not be built.
    #[error("AWS cannot be reached: {0}")]
    Unreachable(String),
    /// AWS did not answer in time; the limit in seconds.
    #[error("AWS did not answer within {0} seconds")]
    TimedOut(u64),
    /// The answer is not of the documented form. Names the call.
    #[error("cannot read the answer to {0}")]
    Unreadable(String),
}

impl CallError {
    /// Reads the error in an answer: XML, or JSON whose code is in the body or in `header`.
    pub(super) fn of(status: u16, header: Option<&str>, body: &str) -> Self {
        let (code, message) = if let Ok(json) = serde_json::from_str::<Value>(body) {
            let text = |name: &str| json[name].as_str().map(ToOwned::to_owned);
            let code = header.map(ToOwned::to_owned).or_else(|| text("__type"));
            (code, text("message").or_else(|| text("Message")))
        } else {
            let error = Element::parse(body);
            let text = |name| error.as_ref().map(|error| error.text_of(name).to_owned());
            (text("Code"), text("Message"))
        };
        // The code may have a namespace before it and a URL after it.
        let code = code.unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        if DENIED.contains(&code) {
            return Self::Denied;
        }
        let code = if code.is_empty() { format!("status {status}") } else { code.to_owned() };
        let message = message.unwrap_or_default().chars().take(MAX_MESSAGE).collect();
        Self::Refused { code, message }
    }

    /// Whether no invocation was free.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "TooManyRequestsException")
    }

    /// Whether AWS says that there is no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let Self::Refused { code, message } = self else { return false };
        code.contains("NotFound")
            || code == "NoSuchEntity"
            || (code == "ValidationError" && message.contains("does not exist"))
    }

    /// Returns the error as the reason of a check that was not made. `action` is the permission of the call.
    #[must_use]
    pub fn into_unknown(self, action: &'static str) -> Unknown {
        match self {
            Self::Denied => Unknown::Denied(action),
            other => Unknown::Failed(format!("{action}: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_errors_of_all_protocols() {
        let denied = CallError::Denied;
        let xml = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(CallError::of(403, None, xml), denied);
        let json = r#"{"__type":"com.amazon#AccessDeniedException","message":"no"}"#;
        assert_eq!(CallError::of(400, None, json), denied);
        let rest =
            CallError::of(403, Some("AccessDeniedException:http://x/"), r#"{"Message":"no"}"#);
        assert_eq!(rest, denied);
        let expired = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error></ErrorResponse>";
        assert_eq!(CallError::of(403, None, expired).to_string(), "ExpiredToken: old");
        assert_eq!(CallError::of(502, None, "bad gateway").to_string(), "status 502: ");
    }

    #[test]
    fn knows_what_does_not_exist() {
        let refused = |code: &str, message: &str| CallError::Refused {
            code: code.into(),
            message: message.into(),
        };
        assert!(refused("ValidationError", "Stack with id x does not exist").is_not_found());
        assert!(refused("ResourceNotFoundException", "").is_not_found());
        assert!(refused("NoSuchEntity", "").is_not_found());
        assert!(!refused("ValidationError", "too long").is_not_found());
        assert!(!CallError::Denied.is_not_found());
    }

    #[test]
    fn a_denied_call_names_its_permission() {
        let of = |error: CallError| error.into_unknown("sns:GetTopicAttributes");
        assert_eq!(of(CallError::Denied), Unknown::Denied("sns:GetTopicAttributes"));
        assert_eq!(
            of(CallError::TimedOut(10)),
            Unknown::Failed("sns:GetTopicAttributes: AWS did not answer within 10 seconds".into())
        );
    }
}
