//! The platform's calls to Trunkline: a JSON array of events.

use http::StatusCode;
use serde_json::json;
use trunkline_core::model::Event;
use trunkline_runtime::inbound::{CallOutcome, Inbound, InboundError, Ingested, ParsedCall, Reply};

use super::{ToyPlatform, ToySettings};

type Call<'a> = trunkline_runtime::inbound::Call<'a, ToySettings>;

impl Inbound for ToyPlatform {
    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        match serde_json::from_slice::<Vec<Event>>(call.body) {
            Ok(events) => ParsedCall::Events(events),
            Err(error) => ParsedCall::Unreadable(error.to_string()),
        }
    }

    fn reply(&self, _: &Call<'_>, outcome: &CallOutcome<'_>) -> Reply {
        let (status, body) = match outcome {
            CallOutcome::Ingested(results) => match results.iter().find_map(|r| r.as_ref().err()) {
                None => (
                    StatusCode::OK,
                    json!({"events": results.iter().flatten().map(ingested).collect::<Vec<_>>()}),
                ),
                Some(InboundError::Rejected(why)) => {
                    let status = match why.code() {
                        "unknown_conversation" => StatusCode::NOT_FOUND,
                        "not_owner" | "conversation_closed" => StatusCode::CONFLICT,
                        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
                        _ => StatusCode::UNPROCESSABLE_ENTITY,
                    };
                    (status, json!({"code": why.code(), "detail": why.to_string()}))
                }
                Some(internal) => {
                    (StatusCode::INTERNAL_SERVER_ERROR, json!({"detail": internal.to_string()}))
                }
            },
            CallOutcome::Unreadable(why) => {
                (StatusCode::BAD_REQUEST, json!({"code": "unreadable", "detail": why}))
            }
            CallOutcome::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, json!({"code": "too_large"})),
            CallOutcome::UnsupportedEncoding(encoding) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, json!({"detail": encoding}))
            }
            CallOutcome::Denied(why) => {
                (StatusCode::UNAUTHORIZED, json!({"code": "denied", "detail": why.to_string()}))
            }
        };
        Reply::json(status, &body)
    }
}

fn ingested(one: &Ingested) -> serde_json::Value {
    json!({"conversation": one.conversation, "duplicate": one.duplicate})
}
