//! Webex Connect's generic ("third-party") bot, as a channel: receives its events, sends replies
//! and handovers.
//!
//! Comments mark protocol rules with their source, as the project's fact sheets do: `WX-BOT` is
//! <https://help.webexconnect.io/docs/third-party-bot>, `WX-WA` is
//! <https://developers.webexconnect.io/reference/whatsapp-outbound-webhooks>.

mod auth;
mod contact;
mod content;
mod inbound;
mod join;
mod json_repair;
mod location;
mod media;
mod outbound;
mod platform;
mod settings;
mod wire;

pub use auth::received_tokens;
pub use inbound::parse;
pub use outbound::{classify_response, customparams};
pub use platform::Webex;
pub use settings::{ACCESS_TOKEN, ResponseFormat, SEND_URL, Settings, VERIFICATION_TOKEN};
pub use wire::WebexEvent;

type Call<'a> = trunkline_runtime::inbound::Call<'a, Settings>;
type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, Settings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, Settings>;
