//! See `trunkline_fuzz::external::api`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::external::api(data));
