//! See `trunkline_fuzz::internal::markup`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::internal::markup(data));
