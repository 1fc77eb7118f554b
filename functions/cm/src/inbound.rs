//! Inbound: parses the router's calls into events and builds the response that it expects.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};

use crate::auth::{self, EVENT_PATH};
use crate::parse::CallParser;
use crate::settings::Settings;
use crate::wire::{self, HANDOVER_PATH};
use crate::{Call, Cm, json_repair};

impl Inbound for Cm {
    /// The adapter's three endpoints (SEED-CM).
    const PATHS: &'static [&'static str] = &["", HANDOVER_PATH, EVENT_PATH];

    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        if let Err(denied) = auth::authenticate(call) {
            return ParsedCall::Denied(denied);
        }
        let is_test = matches!(*call.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if is_test || call.body.iter().all(u8::is_ascii_whitespace) {
            return ParsedCall::Reply(success(call.settings));
        }
        let body = match json_repair::parse(call.body) {
            Ok(Value::Object(body)) if body.is_empty() => {
                return ParsedCall::Reply(success(call.settings));
            }
            Ok(Value::Object(body)) => body,
            Ok(_) => return ParsedCall::Unreadable("the body is not a JSON object".into()),
            Err(reason) => return ParsedCall::Unreadable(reason),
        };
        match wire::parse(&body, call.path, &call.settings.events) {
            Ok((chat, items)) => {
                let events = CallParser { call, chat: &chat }.events(items);
                ParsedCall::Events(events)
            }
            Err(reason) => ParsedCall::Unreadable(reason),
        }
    }

    /// Success regardless of the content: the router's behaviour after any other status is
    /// undocumented (fact sheet A4). Rejected calls are stored for an operator.
    fn reply(&self, call: &Call<'_>, result: &CallOutcome<'_>) -> Reply {
        match result {
            CallOutcome::Denied(_) => {
                let body = json!({"message": "Unauthorized"});
                Reply::json(StatusCode::UNAUTHORIZED, &body)
            }
            CallOutcome::Ingested(_)
            | CallOutcome::Unreadable(_)
            | CallOutcome::TooLarge
            | CallOutcome::UnsupportedEncoding(_) => success(call.settings),
        }
    }
}

fn success(settings: &Settings) -> Reply {
    match settings.response_status.code() {
        StatusCode::NO_CONTENT => {
            Reply { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: String::new() }
        }
        status => Reply::json(status, &json!({})),
    }
}
