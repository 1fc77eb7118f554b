//! See `trunkline_fuzz::inbound::twin`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::inbound::twin(data));
