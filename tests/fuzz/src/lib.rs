//! Fuzz targets. Each is a function of arbitrary bytes that must not panic. The programs in `fuzz_targets` call
//! them; `tests/fuzzed` runs the same functions on a stable compiler.

pub mod external;
pub mod inbound;
pub mod internal;
