//! The `trunkline` command: configures and operates a deployed stack, and runs one on the local machine.

pub mod api;
pub mod apply;
pub mod check;
pub mod cost;
pub mod doctor;
pub mod init;
pub mod local;
pub mod restore;
pub mod simulate;
pub mod stack;
pub mod terminal;

pub use trunkline_config as config;
