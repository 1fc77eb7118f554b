//! From the router's calls to events, and the answer that it expects.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_shared::inbound::{Call, Inbound, Received, Reply, Result as Came};
use trunkline_shared::model::Platform;

use crate::auth::{self, EVENT};
use crate::read::Reader;
use crate::settings::Settings;
use crate::wire::{self, HANDOVER};
use crate::{Cm, lenient};

impl Inbound for Cm {
    const PLATFORM: Platform = Platform::Cm;

    /// The adapter's three endpoints (SEED-CM).
    const PATHS: &'static [&'static str] = &["", HANDOVER, EVENT];

    fn receive(&self, call: &Call<'_>) -> Received {
        let settings = Settings::of(&call.connection.settings);
        if let Err(denied) = auth::check(call, &settings) {
            return Received::Denied(denied);
        }
        let is_test = matches!(*call.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if is_test || call.body.iter().all(u8::is_ascii_whitespace) {
            return Received::Answered(success(&settings));
        }
        let body = match lenient::read(call.body) {
            Ok(Value::Object(body)) if body.is_empty() => {
                return Received::Answered(success(&settings));
            }
            Ok(Value::Object(body)) => body,
            Ok(_) => return Received::Unreadable("the body is not a JSON object".into()),
            Err(reason) => return Received::Unreadable(reason),
        };
        match wire::read(&body, call.path) {
            Ok((chat, parts)) => {
                let events = Reader { call, settings: &settings, chat: &chat }.events(parts);
                Received::Events(events)
            }
            Err(reason) => Received::Unreadable(reason),
        }
    }

    /// Success whatever the content is: nobody knows what the router does after anything else (fact
    /// sheet A4). What was not taken is kept where a person sees it.
    fn reply(&self, call: &Call<'_>, result: &Came<'_>) -> Reply {
        match result {
            Came::Denied(_) => {
                let body = json!({"message": "Unauthorized"});
                Reply::json(StatusCode::UNAUTHORIZED, &body)
            }
            Came::Taken(_) | Came::Unreadable(_) | Came::TooLarge => {
                success(&Settings::of(&call.connection.settings))
            }
        }
    }
}

fn success(settings: &Settings) -> Reply {
    match settings.answer_status.0 {
        StatusCode::NO_CONTENT => {
            Reply { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: String::new() }
        }
        status => Reply::json(status, &json!({})),
    }
}
