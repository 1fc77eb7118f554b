//! CM.com's calls on each of its endpoints: messages, handovers with broken bodies, events.
#![no_main]

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use trunkline_fuzz::{call, connection};

fuzz_target!(|data: &[u8]| {
    let role = ["channel", "desk"][data.first().map_or(0, |first| usize::from(first / 8 % 2))];
    let connection = connection("cm", role, json!({"send_url": "https://cm.example/a"}));
    let secrets = json!({"product_token": ["t"]});
    call(&trunkline_cm::Cm, &connection, &secrets, |_| HeaderMap::new(), data);
});
