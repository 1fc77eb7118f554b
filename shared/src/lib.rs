//! What all Trunkline functions share: a functional core ([`model`], [`routing`], [`rendering`]) and
//! the two I/O pipelines around it: [`inbound`] (events from a platform) and [`outbound`] (deliveries
//! to a platform).

pub mod alerts;
pub mod app;
pub mod aws;
pub mod http_client;
pub mod inbound;
pub mod listener;
pub mod model;
pub mod operator;
pub mod outbound;
pub mod queue;
pub mod rendering;
pub mod routing;
pub mod secrets;
pub mod security;
pub mod store;
pub mod telemetry;
