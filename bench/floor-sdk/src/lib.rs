//! The clients of the baseline functions as they were in 0.2.0. Frozen: see `README.md`.

mod aws;
mod http;
mod platform;

pub use aws::{Clients, MissingVariable, outbound_queue, variable};
pub use http::Http;
pub use platform::{PlatformClient, TlsError};
