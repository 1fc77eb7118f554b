//! Trunkline's own open protocol: JSON events over signed webhooks, so that any bot, desk, channel or
//! archive can join. Signatures follow Standard Webhooks 1.0; what is configured follows the adapters
//! of CM.com's router (a message URL, a handover URL with a body template, an events URL).

mod auth;
mod inbound;
mod outbound;
mod read;
mod settings;
mod template;
mod wire;
mod write;

pub use inbound::parse;
pub use outbound::Kind;
pub use settings::{API_KEY, Auth, BEARER, SIGNING, Settings};
pub use template::{BadTemplate, Values, check as check_template, render as render_template};
pub use wire::{Author, ChannelInfo, Envelope, Format, Line, Media, Next, Payload};
pub use write::encode_event;

#[cfg(feature = "schema")]
pub use wire::schema;

/// The platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Webhook;
