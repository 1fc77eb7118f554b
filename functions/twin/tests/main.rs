//! One binary for all tests, because each links everything once more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod client;
mod common;
mod dialogs;
mod inbound;
mod listener;
mod outbound;
mod private_files;
mod recovery;
mod sessions;
mod socket;
