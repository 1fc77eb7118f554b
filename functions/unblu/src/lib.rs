//! Unblu, as a desk: a custom external messenger channel of its web API, v3 or v4.

mod inbound;
mod outbound;

/// The platform.
#[derive(Debug, Clone, Default)]
pub struct Unblu;
