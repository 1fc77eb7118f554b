//! Plain types: they know nobody, do nothing to the outside, and are what everything else speaks in.

mod breaker;
mod connection;
mod content;
mod conversation;
mod delivery;
mod event;
mod ids;
mod leg;
mod outcome;
mod parked;
mod platform;
mod policy;
mod route;
pub mod time;
mod wake;

pub use breaker::{Breaker, next_probe};
pub use connection::{Connection, Role};
pub use content::{Choice, Content, Media};
pub use conversation::{Conversation, Owner, Parties, Party, Phase};
pub use delivery::{Delivery, Drain, Job, Target};
pub use event::{Author, AuthorRole, Event, EventBody, EventId, ReceiptStatus};
pub use ids::{ConnectionId, ConversationKey, InvalidId, RouteId, digest};
pub use leg::{Leg, LegId};
pub use outcome::{Outcome, Verdict};
pub use parked::{DeadLetter, Failed, Parked};
pub use platform::{Capabilities, Platform, UnknownPlatform};
pub use policy::{Policy, Reactivation};
pub use route::Route;
pub use wake::Wake;
