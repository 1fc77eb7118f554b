//! CM.com's Conversational Router, by its TwoWay format. As a host it is a channel; as a client, a
//! bot or a desk.

mod auth;
mod chat;
mod control;
mod encode;
mod events;
mod fallback;
mod handover_notice;
mod handover_text;
mod inbound;
mod json_repair;
mod outbound;
mod parse;
mod platform;
mod response;
mod settings;
mod template;
mod wire;

pub use encode::message_id;
pub use platform::Cm;
pub use settings::{PRODUCT_TOKEN, SHARED_SECRET, Settings, account_and_adapter};
pub use template::{
    CHOICE_VARIABLES, CHOICES_VARIABLES, MEDIA_VARIABLES, TemplateError, check as check_template,
};

type Call<'a> = trunkline_runtime::inbound::Call<'a, Settings>;
type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, Settings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, Settings>;
