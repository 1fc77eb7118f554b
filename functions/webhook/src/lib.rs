//! Trunkline's own open protocol: JSON events over signed webhooks, for any bot, desk, channel or
//! archive. Signatures follow Standard Webhooks 1.0. The settings follow the adapters of CM.com's
//! router (a message URL, a handover URL with a body template, an events URL).

mod auth;
mod decode;
mod encode;
mod inbound;
mod outbound;
mod platform;
mod settings;
mod template;
mod wire;

pub use encode::encode_event;
pub use inbound::parse;
pub use outbound::Endpoint;
pub use platform::Webhook;
pub use settings::{API_KEY, Auth, BEARER, SIGNING, Settings};
pub use template::{
    TemplateError, TemplateValues, check as check_template, render as render_template,
};
pub use wire::{
    Author, Card, CardAction, ChannelInfo, Contact, Envelope, Format, Location, Media, Payload,
    ReplyTo, TranscriptEntry, TransferTarget,
};

#[cfg(feature = "schema")]
pub use wire::schema;

type Call<'a> = trunkline_runtime::inbound::Call<'a, Settings>;
type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, Settings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, Settings>;
