//! Webex Connect's generic ("third-party") bot, as a channel: its events in, replies and handovers out.
//!
//! Protocol rules are marked with their sources as in the project's fact sheets: `WX-BOT` is
//! <https://help.webexconnect.io/docs/third-party-bot>.

mod inbound;
mod lenient;
mod media;
mod outbound;
mod settings;
mod wire;

pub use inbound::{parse, token_sent};
pub use outbound::{customparams, success};
pub use settings::{AnswerForm, SEND_URL, Settings, VERIFICATION_TOKEN};
pub use wire::Incoming;

/// The platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Webex;
