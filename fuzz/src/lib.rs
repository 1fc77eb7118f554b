//! What all targets share: a call of any bytes to a platform's way in, whose proof is right, so that
//! the parsers behind it are reached.

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_shared::intake::{Call, Inbound, Received, Result as Came};
use trunkline_shared::model::Connection;
use trunkline_shared::secrets::SecretBag;

/// Hands a call to a platform, and what comes of it back: nothing may panic, and each event must be
/// writable and readable as it is kept.
pub fn call<P: Inbound>(
    platform: &P,
    connection: &Value,
    secrets: &Value,
    headers: impl Fn(&[u8]) -> HeaderMap,
    data: &[u8],
) {
    let Some((&first, body)) = data.split_first() else { return };
    let path = P::PATHS[usize::from(first) % P::PATHS.len()];
    let connection: Connection = serde_json::from_value(connection.clone()).expect("a connection");
    let secrets: SecretBag = serde_json::from_value(secrets.clone()).expect("secrets");
    let now: Timestamp = "2026-03-04T09:15:21Z".parse().expect("a time");
    let headers = headers(body);
    let call = Call {
        connection: &connection,
        secrets: &secrets,
        method: &Method::POST,
        path,
        query: "secret=s",
        headers: &headers,
        body,
        now,
    };
    match platform.receive(&call) {
        Received::Events(events) => {
            for event in events {
                let kept = serde_json::to_string(&event).expect("an event can be written");
                let read = serde_json::from_str(&kept).expect("and read");
                assert_eq!(event, read);
            }
            let _ = platform.reply(&call, &Came::Taken(&[]));
        }
        Received::Unreadable(why) => drop(platform.reply(&call, &Came::Unreadable(&why))),
        Received::Denied(why) => drop(platform.reply(&call, &Came::Denied(&why))),
        Received::Answered(_) => {}
    }
}

/// A connection of a platform in a role, with such settings.
#[must_use]
pub fn connection(platform: &str, role: &str, settings: Value) -> Value {
    json!({"id": "fuzzed", "platform": platform, "role": role, "settings": settings})
}
