//! A connection, its secrets and a call, shared by the tests.

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::Connection;
use trunkline_core::platform::{Platform, PlatformSettings};
use trunkline_runtime::inbound::Call;
use trunkline_runtime::secrets::SecretBag;
use trunkline_webex::{Settings, Webex};

pub const TOKEN: &str = "vt-3f9c1f6e2b";

pub fn now() -> Timestamp {
    "2026-03-04T09:15:21.412Z".parse().unwrap()
}

pub fn connection(settings: Value) -> Connection {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    let shop = json!({"id": "shop", "platform": "webex", "role": "channel", "settings": settings});
    let shop: Connection = serde_json::from_value(shop).unwrap();
    Connection { capabilities: Webex::SPEC.capabilities, behaviour: Webex::SPEC.behaviour, ..shop }
}

pub fn secrets() -> SecretBag {
    let mut secrets = SecretBag::default();
    secrets.set("verification_token", vec![TOKEN.into()]);
    secrets.set("send_url", vec!["https://hooks.example.net/events/abc".into()]);
    secrets.set("header:key", vec!["service-key".into()]);
    secrets
}

/// Builds a call with `body` and passes it to `with`.
pub fn call<T>(
    method: &Method,
    body: &[u8],
    settings: Value,
    with: impl FnOnce(&Call<'_, Settings>) -> T,
) -> T {
    call_with(method, body, settings, &secrets(), &HeaderMap::new(), with)
}

/// Builds a call with `body`, `secrets` and `headers`, and passes it to `with`.
pub fn call_with<T>(
    method: &Method,
    body: &[u8],
    settings: Value,
    secrets: &SecretBag,
    headers: &HeaderMap,
    with: impl FnOnce(&Call<'_, Settings>) -> T,
) -> T {
    let mut connection = connection(settings);
    connection.secrets = secrets.names().map(ToOwned::to_owned).collect();
    let settings = &Settings::parse(&connection.settings).unwrap();
    let connection = &connection;
    with(&Call {
        connection,
        settings,
        secrets,
        method,
        path: "",
        query: "",
        headers,
        body,
        received_body: body,
        now: now(),
    })
}

pub fn no_settings() -> Value {
    json!({})
}

pub fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}
