//! The result of a check, as the command shows it.

use serde_json::Value;

use crate::api::ApiError;

/// Returns a connection's state in one word, and its reason: what was done, and what is wrong.
#[must_use]
pub fn describe(answer: Result<Value, ApiError>) -> (&'static str, String) {
    let result = match answer {
        Err(why) => return ("broken", why.to_string()),
        Ok(result) => result,
    };
    let (problem, unsupported) =
        (result["problem"].as_str(), result["unsupported_reason"].as_str());
    let word = match (problem, unsupported) {
        (Some(_), _) => "broken",
        (None, Some(_)) => "unsupported",
        (None, None) => "works",
    };
    let texts = [result["repaired"].as_str(), problem.or(unsupported)];
    (word, texts.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn describes_what_was_done_and_what_is_wrong() {
        let of = |repaired: Option<&str>, problem: Option<&str>, unsupported: Option<&str>| {
            let result = json!({"repaired": repaired, "problem": problem,
                                "unsupported_reason": unsupported});
            describe(Ok(result))
        };
        assert_eq!(of(None, None, None), ("works", String::new()));
        assert_eq!(of(Some("created it"), None, None), ("works", "created it".into()));
        assert_eq!(
            of(Some("created it"), Some("no id"), None),
            ("broken", "created it; no id".into())
        );
        assert_eq!(of(None, None, Some("ask them")), ("unsupported", "ask them".into()));
        let refused = describe(Err(ApiError::Refused("no".into())));
        assert_eq!(refused.0, "broken");
    }
}
