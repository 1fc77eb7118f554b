//! Plain types: they know nobody, do nothing to the outside, and are what everything else speaks in.

mod connection;
mod content;
mod conversation;
mod delivery;
mod event;
mod ids;
mod outcome;
mod platform;
mod route;
pub mod time;

pub use connection::{Connection, Role};
pub use content::{Choice, Content, Media};
pub use conversation::{Conversation, Leg, Owner, Parties, Party, Phase};
pub use delivery::{Delivery, Job, Target};
pub use event::{Author, AuthorRole, Event, EventBody, EventId, ReceiptStatus};
pub use ids::{ConnectionId, ConversationKey, InvalidId, RouteId, digest};
pub use outcome::{Outcome, Verdict};
pub use platform::{Capabilities, Platform, UnknownPlatform};
pub use route::Route;
