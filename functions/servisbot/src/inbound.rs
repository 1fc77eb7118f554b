//! From ServisBOT's calls to events, and the answers that it expects.

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_shared::http_client::HttpClient;
use trunkline_shared::inbound::{Call, Inbound, Received, Reply, Result as Came};
use trunkline_shared::model::{Connection, Event, Platform};

use crate::jwks::Doubt;
use crate::settings::{Auth, Settings};
use crate::{Servisbot, auth, egress, eventing};

/// What follows the key in the address of the engagement adapter's egress.
pub const EGRESS: &str = "egress";

impl Inbound for Servisbot {
    const PLATFORM: Platform = Platform::Servisbot;
    const PATHS: &'static [&'static str] = &["", "eventing", EGRESS];

    async fn prepare(
        &self,
        connection: &Connection,
        _: &HeaderMap,
        outside: &HttpClient,
        now: Timestamp,
    ) {
        let settings = Settings::of(&connection.settings);
        let url = settings.jwks_url.filter(|_| settings.auth == Auth::Jwks);
        let Some(url) = url else { return };
        if let Err(reason) = self.keys.refresh(&url, outside, now).await {
            tracing::warn!(connection = %connection.id, reason, "no public keys were fetched");
        }
    }

    fn receive(&self, call: &Call<'_>) -> Received {
        if call.method == Method::GET || call.method == Method::HEAD {
            let ready = json!({"status": "ready", "send": "POST events as JSON"});
            return Received::Answered(Reply::json(StatusCode::OK, &ready));
        }
        if call.method != Method::POST {
            let why = json!({"message": "POST events as JSON"});
            return Received::Answered(Reply::json(StatusCode::METHOD_NOT_ALLOWED, &why));
        }
        let settings = Settings::of(&call.connection.settings);
        let is_egress = call.path == EGRESS;
        let proven = if is_egress {
            auth::egress(call, &settings).map_err(Doubt::Denied)
        } else {
            auth::eventing(call, &self.keys, &settings)
        };
        match proven {
            Err(Doubt::Denied(denied)) => return Received::Denied(denied),
            Err(Doubt::Later) => return Received::Answered(later()),
            Ok(()) => {}
        }
        let events = serde_json::from_slice(call.body)
            .map_err(|why| format!("the body is not JSON: {why}"))
            .and_then(|body: Value| read(&body, is_egress, &settings, call.now));
        match events {
            Ok(events) => Received::Events(events),
            Err(reason) => Received::Unreadable(reason),
        }
    }

    /// Always 200, for duplicates and for what is not understood as well (S4); but for proof that is
    /// wrong.
    fn reply(&self, _: &Call<'_>, result: &Came<'_>) -> Reply {
        match result {
            Came::Denied(_) => {
                Reply::json(StatusCode::UNAUTHORIZED, &json!({"message": "Unauthorized"}))
            }
            Came::Taken(_) | Came::Unreadable(_) | Came::TooLarge => {
                Reply::json(StatusCode::OK, &json!({}))
            }
        }
    }
}

fn read(
    body: &Value,
    is_egress: bool,
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<Event>, String> {
    if is_egress {
        egress::parse(body, settings, now)
    } else {
        eventing::parse(body, settings, now).map(|event| vec![event])
    }
}

/// The key of the token is not known yet: the next call has the keys fetched anew.
fn later() -> Reply {
    let why = json!({"message": "the token's key is not known yet: send it again"});
    let mut reply = Reply::json(StatusCode::SERVICE_UNAVAILABLE, &why);
    reply.headers.push(("retry-after", "1".to_owned()));
    reply
}
