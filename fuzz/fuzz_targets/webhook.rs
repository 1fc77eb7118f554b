//! The webhook protocol's events, from each role in turn; and handover templates.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use trunkline_fuzz::{call, connection};

fuzz_target!(|data: &[u8]| {
    let headers = |_: &[u8]| {
        HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer s"))])
    };
    let role = ["channel", "bot", "desk"][data.first().map_or(0, |first| usize::from(first % 3))];
    let connection = connection("webhook", role, json!({"auth": "bearer"}));
    let secrets = json!({"bearer": ["s"]});
    call(&trunkline_webhook::Webhook, &connection, &secrets, headers, data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = trunkline_webhook::check_template(text);
    }
});
