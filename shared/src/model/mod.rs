//! Plain types: they know nobody, do nothing to the outside, and are what everything else speaks in.

mod access;
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
mod scheduled_task;
mod text;
pub mod time;
mod trace;

pub use access::{Access, Audit, Token, TokenKind};
pub use breaker::{Breaker, next_probe};
pub use connection::{Connection, Role};
pub use content::{Choice, Content, Format, Media};
pub use conversation::{
    Conversation, Floor, Handover, Owner, Parties, Party, Phase, Place, State, Trigger,
};
pub use delivery::{Delivery, Drain, Job, Target};
pub use event::{
    Author, AuthorRole, Clue, Event, EventBody, EventId, Line, Mode, Recall, ReceiptStatus,
    Reference,
};
pub use ids::{ConnectionId, ConversationKey, HOUSE, InvalidId, MAX_FAR_ID, RouteId, digest};
pub use leg::{Leg, LegId, Session};
pub use outcome::{Outcome, Verdict};
pub use parked::{DeadLetter, Failed, Parked};
pub use platform::{Capabilities, Feature, Platform, UnknownPlatform};
pub use policy::{Policy, Reactivation};
pub use route::{Due, Keywords, Route, Serving, Since, Switching, Texts, Then, Timer};
pub use scheduled_task::Wake;
pub use text::Text;
pub use trace::{NoTrace, Trace};
