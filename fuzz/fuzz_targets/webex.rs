//! Webex Connect's events: strict, lenient, and anything else.
#![no_main]

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use trunkline_fuzz::{call, connection};

fuzz_target!(|data: &[u8]| {
    let connection = connection("webex", "channel", json!({"closed_events": true}));
    let secrets = json!({"verification_token": ["t"]});
    call(&trunkline_webex::Webex, &connection, &secrets, |_| HeaderMap::new(), data);
});
