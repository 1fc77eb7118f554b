//! One binary for all tests, because each links everything once more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;
mod inbound;
mod messages;
mod mock_server;
mod properties;
mod tolerance;

type Call<'a> = trunkline_runtime::inbound::Call<'a, trunkline_unblu::Settings>;
