//! ServisBOT, as a bot: remote conversation eventing and the webhook engagement adapter; and eventing out.

mod inbound;
mod outbound;

/// The platform.
#[derive(Debug, Clone, Default)]
pub struct Servisbot;
