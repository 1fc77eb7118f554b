//! The `trunkline` command: configures a deployed stack, and runs one on this machine.

pub mod apply;
pub mod config;
pub mod local;
pub mod platforms;
pub mod simulate;
pub mod stack;
pub mod verify;
