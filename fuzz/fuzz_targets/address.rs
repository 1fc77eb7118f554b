//! See `trunkline_fuzz::edges::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::edges::address(data));
