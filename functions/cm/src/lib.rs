//! CM.com's conversational router, by its TwoWay format: as a host, a channel; as a client, a bot or desk.

mod inbound;
mod outbound;

/// The platform.
#[derive(Debug, Clone, Default)]
pub struct Cm;
