//! ServisBOT, as a bot: remote conversation eventing and the webhook engagement adapter; and eventing
//! out, for whoever consumes ServisBOT's events today, as an observer.
//!
//! Protocol rules are marked with their sources as in the project's fact sheets: `S4` is
//! <https://docs.servisbot.com/product-features/remote-conversation-eventing/>, `SW` is
//! <https://docs.servisbot.com/product-features/engagement-adapters/webhook>, `SD` and `SX` describe
//! Timeline Markup Language, `SL` is ServisBOT's own chat history server, `SC` a third party's bridge.

mod auth;
mod crypto;
mod egress;
mod engage;
mod eventing;
mod inbound;
mod jwks;
mod jwt;
mod key_set;
pub mod markup;
mod outbound;
mod record;
mod settings;
mod wire;

pub use egress::parse as parse_egress;
pub use eventing::parse as parse_event;
pub use inbound::EGRESS;
pub use record::{DUPLICATE, record};
pub use settings::{
    API_KEY, Auth, ENGAGEMENT_SECRET, EgressAuth, EgressContent, JWT_SECRET, Settings, Source,
};
pub use wire::{Endpoint, Engage, InputSource, TimelineMessage};

/// The platform, with the public keys that it has fetched.
#[derive(Debug, Default)]
pub struct Servisbot {
    keys: jwks::Keys,
}
