//! One binary for all tests, because each links everything once more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod deletion;
mod lists;
mod openapi;
mod stack;
