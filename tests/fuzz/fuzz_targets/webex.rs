//! See `trunkline_fuzz::inbound::webex`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::inbound::webex(data));
