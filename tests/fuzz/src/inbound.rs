//! Inbound calls with arbitrary bodies and valid credentials, so that they reach the parsers.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use trunkline_core::model::Connection;
use trunkline_core::platform::PlatformSettings;
use trunkline_runtime::inbound::{Call, CallOutcome, Inbound, ParsedCall};
use trunkline_runtime::secrets::SecretBag;

/// Passes a call to a platform, and the result back to it. Nothing may panic, and each event must survive
/// serialization.
fn call<P: Inbound>(
    platform: &P,
    connection: &Value,
    secrets: &Value,
    headers: impl Fn(&[u8]) -> HeaderMap,
    data: &[u8],
) {
    let Some((&first, body)) = data.split_first() else { return };
    let path = P::PATHS[usize::from(first) % P::PATHS.len()];
    let connection: Connection = serde_json::from_value(connection.clone()).expect("a connection");
    let settings = P::Settings::parse(&connection.settings).expect("valid settings");
    let secrets: SecretBag = serde_json::from_value(secrets.clone()).expect("secrets");
    let now: Timestamp = "2026-03-04T09:15:21Z".parse().expect("a time");
    let headers = headers(body);
    let call = Call {
        connection: &connection,
        settings: &settings,
        secrets: &secrets,
        method: &Method::POST,
        path,
        query: "secret=s",
        headers: &headers,
        body,
        received_body: body,
        now,
    };
    match platform.parse(&call) {
        ParsedCall::Events(events) => {
            for event in events {
                let stored = serde_json::to_string(&event).expect("an event can be written");
                // Events that are nested too deeply to be parsed are rejected later (`inbound::limits`).
                if let Ok(read) = serde_json::from_str(&stored) {
                    assert_eq!(event, read);
                }
            }
            let _ = platform.reply(&call, &CallOutcome::Ingested(&[]));
        }
        ParsedCall::Unreadable(why) => drop(platform.reply(&call, &CallOutcome::Unreadable(&why))),
        ParsedCall::Denied(why) => drop(platform.reply(&call, &CallOutcome::Denied(&why))),
        ParsedCall::Reply(_) => {}
    }
}

fn connection(platform: &str, role: &str, settings: &Value) -> Value {
    json!({"id": "fuzzed", "platform": platform, "role": role, "settings": settings})
}

fn authorization(value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static(value))])
}

/// CM.com's calls to each endpoint: messages, handovers with malformed bodies, events.
pub fn cm(data: &[u8]) {
    let role = ["channel", "desk"][data.first().map_or(0, |first| usize::from(first / 8 % 2))];
    let connection = connection("cm", role, &json!({"send_url": "https://cm.example/a"}));
    let secrets = json!({"product_token": ["t"]});
    call(&trunkline_cm::Cm, &connection, &secrets, |_| HeaderMap::new(), data);
}

/// `ServisBOT`'s events with their markup, and its egress calls.
pub fn servisbot(data: &[u8]) {
    let settings = json!({"engagement_url": "https://sb.example/e", "auth": "api_key",
                          "egress_auth": "none", "replies": "eventing"});
    let connection = connection("servisbot", "bot", &settings);
    let secrets = json!({"engagement_secret": ["s"], "api_key": ["s"]});
    let platform = trunkline_servisbot::Servisbot::default();
    call(&platform, &connection, &secrets, |_| authorization("ApiKey s"), data);
}

/// TWIN's callbacks: dialogs and chat events.
pub fn twin(data: &[u8]) {
    let settings = json!({"chat_id": "c", "answers": "callback"});
    let connection = connection("twin", "bot", &settings);
    let platform = trunkline_twin::Twin::default();
    call(&platform, &connection, &json!({}), |_| HeaderMap::new(), data);
}

/// Unblu's webhooks and outbound requests with valid signatures.
pub fn unblu(data: &[u8]) {
    const NAMES: [&str; 6] = [
        "external_messenger.new_message",
        "external_messenger.message_state",
        "external_messenger.create_contact",
        "external_messenger.create_conversation",
        "conversation.ended",
        "ping",
    ];
    let first = data.first().copied().unwrap_or_default();
    let name = NAMES[usize::from(first / 4) % NAMES.len()];
    let header = if first.is_multiple_of(2) { "x-unblu-event" } else { "x-unblu-service-name" };
    let headers = |body: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s").expect("any key");
        mac.update(body);
        let digest = mac.finalize().into_bytes();
        let hex = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        HeaderMap::from_iter([
            (HeaderName::from_static(header), HeaderValue::from_static(name)),
            (
                HeaderName::from_static("x-unblu-signature-256"),
                HeaderValue::from_str(&hex).expect("hex"),
            ),
        ])
    };
    let settings = json!({"base_url": "https://unblu.example/app/rest/v4", "channel_id": "c"});
    let connection = connection("unblu", "desk", &settings);
    let secrets = json!({"username": ["u"], "password": ["p"], "webhook_secret": ["s"]});
    call(&trunkline_unblu::Unblu, &connection, &secrets, headers, data);
}

/// Webex Connect's events.
pub fn webex(data: &[u8]) {
    let connection = connection("webex", "channel", &json!({"closed_events": true}));
    let secrets = json!({"verification_token": ["t"]});
    call(&trunkline_webex::Webex, &connection, &secrets, |_| HeaderMap::new(), data);
}

/// Events of the webhook protocol from each role, and handover templates.
pub fn webhook(data: &[u8]) {
    let role = ["channel", "bot", "desk"][data.first().map_or(0, |first| usize::from(first % 3))];
    let connection =
        connection("webhook", role, &json!({"auth": "bearer", "message_url": "https://a.example"}));
    let secrets = json!({"bearer": ["s"]});
    call(&trunkline_webhook::Webhook, &connection, &secrets, |_| authorization("Bearer s"), data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = trunkline_webhook::check_template(text);
    }
}
