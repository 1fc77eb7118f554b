//! TWIN's callbacks: dialogs and chat events.
#![no_main]

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use trunkline_fuzz::{call, connection};

fuzz_target!(|data: &[u8]| {
    let connection = connection("twin", "bot", json!({"chat_id": "c", "answers": "callback"}));
    let platform = trunkline_twin::Twin::default();
    call(&platform, &connection, &json!({}), |_| HeaderMap::new(), data);
});
