//! See `trunkline_fuzz::internal::routing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::internal::routing(data));
