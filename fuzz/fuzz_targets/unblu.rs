//! Unblu's webhooks and outbound requests, rightly signed.
#![no_main]

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use sha2::Sha256;
use trunkline_fuzz::{call, connection};

const NAMES: [&str; 6] = [
    "external_messenger.new_message",
    "external_messenger.message_state",
    "external_messenger.create_contact",
    "external_messenger.create_conversation",
    "conversation.ended",
    "ping",
];

fuzz_target!(|data: &[u8]| {
    let first = data.first().copied().unwrap_or_default();
    let name = NAMES[usize::from(first / 4) % NAMES.len()];
    let header = if first % 2 == 0 { "x-unblu-event" } else { "x-unblu-service-name" };
    let headers = |body: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s").expect("any key");
        mac.update(body);
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        HeaderMap::from_iter([
            (HeaderName::from_static(header), HeaderValue::from_static(name)),
            (
                HeaderName::from_static("x-unblu-signature-256"),
                HeaderValue::from_str(&hex).expect("hex"),
            ),
        ])
    };
    let settings = json!({"base_url": "https://unblu.example/app/rest/v4", "channel_id": "c"});
    let connection = connection("unblu", "desk", settings);
    let secrets = json!({"username": ["u"], "password": ["p"], "webhook_secret": ["s"]});
    call(&trunkline_unblu::Unblu, &connection, &secrets, headers, data);
});
