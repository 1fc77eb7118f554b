//! CM.com's conversational router, by its TwoWay format: as a host, a channel; as a client, a bot or desk.

mod answer;
mod auth;
mod chat;
mod control;
mod fallback;
mod inbound;
mod lenient;
mod notice;
mod outbound;
mod read;
mod settings;
mod tell;
mod template;
mod wire;
mod write;

pub use settings::{PRODUCT_TOKEN, SHARED_SECRET, Settings, place_of};
pub use template::{BadTemplate, CHOICE, CHOICES, MEDIA, check as check_template};
pub use write::message_id;

/// The platform.
#[derive(Debug, Clone, Default)]
pub struct Cm;
