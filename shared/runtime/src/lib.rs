//! Everything around the functional core that all functions share: two pipelines, [`inbound`] (events from a
//! platform) and [`outbound`] (deliveries to a platform), and the services they use.
//!
//! # Errors
//!
//! A function that calls AWS returns the error of that service: [`store::StoreError`] for the table,
//! [`queue::QueueError`] for a queue, [`secrets::SecretsError`] for secrets. A caller that uses several of
//! them returns [`error::BackendError`]. Such an error means that the service is down, slow or throttling,
//! that another worker wrote the same item first, or that stored data is unreadable. The caller does not
//! acknowledge its message, so that SQS or the platform delivers it again. An `# Errors` section in this
//! crate names only reasons beyond these.

pub mod alerts;
pub mod app;
pub mod aws;
pub mod error;
pub mod files;
pub mod http_client;
pub mod inbound;
mod json_escape;
pub mod lambda;
pub mod listener;
pub mod operator;
pub mod outbound;
pub mod queue;
pub mod schedule;
pub mod secrets;
pub mod security;
pub mod store;
pub mod telemetry;
