//! Unblu as a desk: a custom external messenger channel of its web API, v3 or v4.
//!
//! Protocol rules are marked with their sources as in the project's fact sheets: `UA4` and `UA3` are
//! the vendor's specifications of the web API, `UM` its own middleware library, `S2` its page about
//! external messengers.

mod api;
mod content;
mod events;
mod files;
mod handover;
mod inbound;
mod message_data;
mod open;
mod outbound;
mod platform;
mod recipients;
mod registration;
mod requests;
mod send;
mod service_replies;
mod settings;
mod signature;
mod source_id;
mod wire;

pub use events::intended_recipient;
pub use platform::Unblu;
pub use recipients::{Recipient, Recipients};
pub use settings::{
    ApiVersion, CustomerIdType, MEDIA_HEADER, PASSWORD, RecipientType, Settings, USERNAME,
    WEBHOOK_SECRET,
};
pub use source_id::{MAX_SOURCE_ID, parse_source_id, source_id};

type Call<'a> = trunkline_runtime::inbound::Call<'a, Settings>;
type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, Settings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, Settings>;
