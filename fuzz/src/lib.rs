//! What is fuzzed, each a function of any bytes that must not panic. The fuzzer's programs are one line
//! each; `tests/fuzzed` runs the same functions on a stable compiler.

pub mod edges;
pub mod inbound;
pub mod inside;
