//! Unblu, as a desk: a custom external messenger channel of its web API, v3 or v4.
//!
//! Protocol rules are marked with their sources as in the project's fact sheets: `UA4` and `UA3` are
//! the vendor's specifications of the web API, `UM` its own middleware library, `S2` its page about
//! external messengers.

mod api;
mod bodies;
mod content;
mod events;
mod files;
mod handover;
mod inbound;
mod open;
mod outbound;
pub mod registration;
mod say;
mod services;
mod settings;
mod signature;
mod source;
mod wire;

pub use events::reaches;
pub use settings::{
    ApiVersion, MEDIA_HEADER, PASSWORD, Settings, USERNAME, WEBHOOK_SECRET, number,
};
pub use source::{MAX_SOURCE_ID, key_of, source_id};

/// The platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unblu;
