//! Inbound: parses ServisBOT's calls into events and builds the responses that it expects.

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_core::json;
use trunkline_core::model::{Connection, Event};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};

use crate::jwks::TokenError;
use crate::settings::{Auth, Settings};
use crate::{Call, Servisbot, auth, egress, eventing};

/// The path of the engagement adapter's egress, after the connection's URL.
pub const EGRESS_PATH: &str = "egress";

impl Inbound for Servisbot {
    const PATHS: &'static [&'static str] = &["", "eventing", EGRESS_PATH];

    async fn prepare(
        &self,
        connection: &Connection,
        settings: &Settings,
        _: &HeaderMap,
        http: &HttpClient,
        now: Timestamp,
    ) {
        let url = settings.jwks_url.as_deref().filter(|_| settings.auth == Auth::Jwks);
        let Some(url) = url else { return };
        if let Err(reason) = self.keys.refresh(url, http, now).await {
            tracing::warn!(connection = %connection.id, reason, "cannot fetch public keys");
        }
    }

    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        if call.method == Method::GET || call.method == Method::HEAD {
            let ready = json!({"status": "ready", "send": "POST events as JSON"});
            return ParsedCall::Reply(Reply::json(StatusCode::OK, &ready));
        }
        if call.method != Method::POST {
            let why = json!({"message": "POST events as JSON"});
            return ParsedCall::Reply(Reply::json(StatusCode::METHOD_NOT_ALLOWED, &why));
        }
        let is_egress = call.path == EGRESS_PATH;
        let authenticated = if is_egress {
            auth::check_egress(call).map_err(TokenError::Denied)
        } else {
            auth::check_eventing(call, &self.keys)
        };
        match authenticated {
            Err(TokenError::Denied(denied)) => return ParsedCall::Denied(denied),
            Err(TokenError::KeyPending) => return ParsedCall::Reply(key_pending_response()),
            Ok(()) => {}
        }
        let events = json::from_slice(call.body)
            .map_err(|why| format!("the body is not JSON: {why}"))
            .and_then(|body: Value| parse(call, &body, is_egress));
        match events {
            Ok(events) => ParsedCall::Events(events),
            Err(reason) => ParsedCall::Unreadable(reason),
        }
    }

    /// Always 200, also for duplicates and unreadable events (S4), except for failed
    /// authentication.
    fn reply(&self, _: &Call<'_>, result: &CallOutcome<'_>) -> Reply {
        match result {
            CallOutcome::Denied(_) => {
                Reply::json(StatusCode::UNAUTHORIZED, &json!({"message": "Unauthorized"}))
            }
            CallOutcome::Ingested(_)
            | CallOutcome::Unreadable(_)
            | CallOutcome::TooLarge
            | CallOutcome::UnsupportedEncoding(_) => Reply::json(StatusCode::OK, &json!({})),
        }
    }
}

fn parse(call: &Call<'_>, body: &Value, is_egress: bool) -> Result<Vec<Event>, String> {
    if is_egress {
        egress::parse(body, call.settings, call.now)
    } else {
        let connection = &call.connection.id;
        eventing::parse(body, connection, call.settings, call.now).map(|event| vec![event])
    }
}

/// The response while the token's key is unknown: the next call fetches the keys again.
fn key_pending_response() -> Reply {
    let why = json!({"message": "the token's key is not known yet: send the event again"});
    let mut reply = Reply::json(StatusCode::SERVICE_UNAVAILABLE, &why);
    reply.headers.push(("retry-after", "1".to_owned()));
    reply
}
