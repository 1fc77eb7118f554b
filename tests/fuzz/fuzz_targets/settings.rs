//! See `trunkline_fuzz::external::settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::external::settings(data));
