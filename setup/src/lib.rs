//! What can be configured, checked as a whole, and put into a stack: for the command and the console.

pub mod apply;
pub mod config;
pub mod demo;
pub mod platforms;
pub mod reference;
