//! The `trunkline` command: configures a deployed stack, and runs one on this machine.

pub mod api;
pub mod apply;
pub mod cost;
pub mod local;
pub mod simulate;
pub mod stack;

pub use trunkline_setup::{config, platforms};
