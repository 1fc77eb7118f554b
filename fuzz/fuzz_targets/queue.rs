//! See `trunkline_fuzz::inside::queue`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::inside::queue(data));
