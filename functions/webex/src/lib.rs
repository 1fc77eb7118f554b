//! Webex Connect's generic ("third-party") bot, as a channel: receives its events, sends replies
//! and handovers.
//!
//! Comments mark protocol rules with their source, as the project's fact sheets do: `WX-BOT` is
//! <https://help.webexconnect.io/docs/third-party-bot>.

mod inbound;
mod json_repair;
mod media;
mod outbound;
mod settings;
mod wire;

pub use inbound::{parse, received_token};
pub use outbound::{classify_response, customparams};
pub use settings::{ResponseFormat, SEND_URL, Settings, VERIFICATION_TOKEN};
pub use wire::WebexEvent;

/// The Webex Connect platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Webex;
