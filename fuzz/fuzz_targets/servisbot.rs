//! ServisBOT's events, with their markup, and its egress.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use trunkline_fuzz::{call, connection};

fuzz_target!(|data: &[u8]| {
    let settings = json!({"engagement_url": "https://sb.example/e", "auth": "api_key",
                          "egress_auth": "none", "replies": "eventing"});
    let headers = |_: &[u8]| {
        HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static("ApiKey s"))])
    };
    let connection = connection("servisbot", "bot", settings);
    let secrets = json!({"engagement_secret": ["s"], "api_key": ["s"]});
    let platform = trunkline_servisbot::Servisbot::default();
    call(&platform, &connection, &secrets, headers, data);
});
