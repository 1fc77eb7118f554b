//! TWIN (twin24.ai) as a bot, or as a desk whose operators answer: sessions with a time to live,
//! messages, files, callbacks and sockets. Trunkline is TWIN's client and sends what customers write.

mod api;
mod buttons;
mod callback_data;
mod chats;
mod client;
mod client_message;
mod dialogs;
mod files;
mod history;
mod inbound;
mod lenient_list;
pub mod listener;
mod login;
mod message;
mod outbound;
mod pairs;
mod platform;
mod responses;
mod settings;
pub mod socket;
mod wire;

pub use api::{Api, ApiError};
pub use callback_data::{conversation_id as callback_conversation_id, encode as callback_data};
pub use history::{History, HistoryError, RejectedItem, history};
pub use lenient_list::LenientList;
pub use login::{LoginError, Tokens, has_credentials};
pub use message::{Context, message_event, named_event};
pub use pairs::{ClientKeys, Pairs};
pub use platform::Twin;
pub use responses::CLIENT_ID;
pub use settings::{
    Answers, CALLBACK_URL, ChoiceReply, EMAIL, Expiry, Follow, MAX_TTL, MIN_TTL, Mode, PASSWORD,
    Settings, Start,
};
pub use wire::{Attachment, Message};

type Call<'a> = trunkline_runtime::inbound::Call<'a, Settings>;
type SendContext<'a> = trunkline_runtime::outbound::SendContext<'a, Settings>;
type CheckContext<'a> = trunkline_runtime::outbound::CheckContext<'a, Settings>;
