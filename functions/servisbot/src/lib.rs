//! ServisBOT. As a bot: remote conversation eventing and the webhook engagement adapter. As an
//! observer: eventing out, for existing consumers of ServisBOT's events.
//!
//! Comments mark protocol rules with their source. `README.md` lists the keys (`S4`, `SW`, `SB`, …) with titles and
//! addresses. A rule without a source is our assumption, and the page says which setting changes it.

mod auth;
mod crypto;
mod egress;
mod engagement;
mod eventing;
mod eventing_out;
mod inbound;
mod interaction;
mod jwks;
mod jwt;
mod key_set;
pub mod markup;
mod outbound;
mod platform;
mod settings;
mod wire;

pub use egress::parse as parse_egress;
pub use eventing::parse as parse_event;
pub use eventing_out::{DUPLICATE, timeline_message};
pub use inbound::EGRESS_PATH;
pub use platform::Servisbot;
pub use settings::{
    API_KEY, Auth, ENGAGEMENT_SECRET, EgressAuth, EgressContent, JWT_SECRET, ReplySource, Settings,
};
pub use wire::{Endpoint, EngagementRequest, InputSource, TimelineMessage};

type Call<'a> = trunkline_runtime::inbound::Call<'a, Settings>;
type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, Settings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, Settings>;
