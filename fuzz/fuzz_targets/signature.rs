//! See `trunkline_fuzz::edges::signature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::edges::signature(data));
