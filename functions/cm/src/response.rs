//! Classifies the router's responses.

use http::StatusCode;
use serde_json::Value;
use trunkline_core::json::{self, member};
use trunkline_core::model::Verdict;
use trunkline_runtime::http_client::HttpResponse;
use trunkline_runtime::outbound::{Classification, classify_by_status};

/// Maximum length of a reported error text, in characters.
const MAX_ERROR_CHARS: usize = 300;
/// The members of an error body that may hold its text, most likely first.
const ERROR_MEMBERS: [&str; 7] =
    ["message", "detail", "error_description", "error", "title", "errors", "reason"];

/// Classifies a response by status (fact sheet A3). The reason quotes the vendor's error text, with
/// the product token removed.
pub(crate) fn classify(response: &HttpResponse, token: Option<&str>) -> Classification {
    let by_status = classify_by_status(response);
    if by_status.verdict == Verdict::Delivered {
        return by_status;
    }
    let hint = match response.status {
        StatusCode::UNAUTHORIZED => {
            "; check product_token: it must come from the Channels app's API access, and be neither an API key \
             nor a HALO token"
        }
        StatusCode::FORBIDDEN => {
            "; the product token lacks a right, such as ConversationalRouter.RouterSession_Update: ask \
             CM.com's support"
        }
        _ => "",
    };
    let mut error = error_text(&response.body);
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        error = error.replace(token, "…");
    }
    let error: String = error.chars().take(MAX_ERROR_CHARS).collect();
    let colon = if error.is_empty() { "" } else { ": " };
    let reason = format!("CM.com answered {}{colon}{error}{hint}", response.status);
    Classification { reason: Some(reason), ..by_status }
}

/// The vendor's error text: a known member of a JSON body, or else the whole body.
fn error_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Value = json::from_slice(body).unwrap_or_default();
    let found = json
        .as_object()
        .and_then(|object| ERROR_MEMBERS.iter().find_map(|name| member(object, name)));
    match found {
        Some(Value::String(error)) => error.trim().to_owned(),
        Some(other) => other.to_string(),
        None => text.trim().to_owned(),
    }
}
