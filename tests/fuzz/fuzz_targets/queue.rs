//! See `trunkline_fuzz::internal::queue`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::internal::queue(data));
