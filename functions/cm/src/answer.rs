//! What the router's answers mean.

use http::StatusCode;
use serde_json::Value;
use trunkline_shared::http_client::Answer;
use trunkline_shared::model::Verdict;
use trunkline_shared::outbound::{Meaning, by_status};

use crate::wire::member;

/// How much of an error's text is told.
const MAX_TOLD: usize = 300;
/// Where an error's text may be.
const TEXTS: [&str; 7] =
    ["message", "detail", "error_description", "error", "title", "errors", "reason"];

/// By status (fact sheet A3), with the vendor's own words, in which the token must not show.
pub(crate) fn meaning(answer: &Answer, token: Option<&str>) -> Meaning {
    let by_status = by_status(answer);
    if by_status.verdict == Verdict::Delivered {
        return by_status;
    }
    let hint = match answer.status {
        StatusCode::UNAUTHORIZED => {
            "; check product_token: one of the channels' API access, neither an API key nor HALO's"
        }
        StatusCode::FORBIDDEN => {
            "; CM.com's support can give the product token the right that it lacks, such as \
             ConversationalRouter.RouterSession_Update"
        }
        _ => "",
    };
    let mut said = said(&answer.body);
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        said = said.replace(token, "…");
    }
    let said: String = said.chars().take(MAX_TOLD).collect();
    let colon = if said.is_empty() { "" } else { ": " };
    let reason = format!("CM.com answered {}{colon}{said}{hint}", answer.status);
    Meaning { reason: Some(reason), ..by_status }
}

fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let found =
        json.as_object().and_then(|object| TEXTS.iter().find_map(|name| member(object, name)));
    match found {
        Some(Value::String(said)) => said.trim().to_owned(),
        Some(other) => other.to_string(),
        None => text.trim().to_owned(),
    }
}
