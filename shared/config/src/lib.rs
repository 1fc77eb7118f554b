//! Configuration: the settings of each platform, reading and validating `trunkline.yaml`, and applying it to
//! a stack. Used by the CLI and the console.

pub mod apply;
mod file;
pub mod prune;
pub mod reference;

pub use file::*;
