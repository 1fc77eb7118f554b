//! What all Trunkline functions share: a functional core ([`model`], [`switchboard`]) and the two
//! thin shells around it ([`intake`], in from a platform; [`dispatch`], out to a platform).

pub mod app;
pub mod aws;
pub mod dispatch;
pub mod guard;
pub mod intake;
pub mod listening;
pub mod model;
pub mod operations;
pub mod queue;
pub mod rendering;
pub mod secrets;
pub mod store;
pub mod switchboard;
pub mod telemetry;
