//! TWIN chats, as a bot (or a desk, where its operators answer): sessions with a time to live,
//! messages, files, callbacks, sockets. Our side is the client's: it says what customers say.

mod answers;
mod api;
mod chats;
mod dialogs;
mod files;
mod history;
mod inbound;
mod lenient;
pub mod listener;
mod login;
mod mark;
mod message;
mod outbound;
mod said;
mod settings;
pub mod socket;
mod wire;

use std::sync::Arc;

pub use answers::CLIENT;
pub use api::{Api, ApiError};
pub use history::{HistoryError, history};
pub use lenient::Many;
pub use login::{LoginError, Tokens, has_credentials};
pub use mark::{conversation as conversation_given, give};
pub use message::{Context, message_event, named_event};
pub use settings::{
    Answers, CALLBACK_URL, EMAIL, Expiry, Follow, LONGEST_TTL, Mode, PASSWORD, SHORTEST_TTL,
    Settings, Start, read_ttl,
};
pub use wire::{Attachment, Message};

/// The platform, with the tokens that this process has.
#[derive(Debug, Clone, Default)]
pub struct Twin {
    tokens: Arc<Tokens>,
}
