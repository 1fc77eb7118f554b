//! Domain types. They do no I/O and depend on no other module.

mod access;
mod breaker;
mod connection;
mod content;
mod conversation;
mod delivery;
mod earlier_message;
mod event;
mod event_record;
mod file;
mod ids;
mod leg;
mod offer;
mod outcome;
mod parked;
mod platform;
mod policy;
mod presentation;
mod route;
mod scheduled_task;
mod text;
pub mod time;
mod trace;

pub use access::{AccessLevel, AuditEntry, Token, TokenKind};
pub use breaker::{Breaker, Probe, probes};
pub use connection::{Connection, Role};
pub use content::{Card, CardAction, Choice, Contact, Content, Format, Location, Media};
pub use conversation::{
    AgentLocation, Conversation, Handover, HandoverTrigger, Owner, Participation, Parties, Party,
    Phase, State,
};
pub use delivery::{Delivery, DrainReason, Job, Resend, Target};
pub use earlier_message::{EarlierMessage, MessageReference};
pub use event::{
    Author, AuthorRole, CorrelationHint, Event, EventBody, EventId, HandoverMode, ReceiptStatus,
    Transcript, TranscriptEntry,
};
pub use event_record::{Disposition, EventRecord};
pub use file::{FileState, MAX_RELAYED_FILES, RelayedFile};
pub use ids::{
    ConnectionId, ConversationId, ConversationKey, DeliveryId, ExternalConversationId,
    ExternalMessageId, FileId, HandoverId, InvalidId, MAX_EXTERNAL_ID_BYTES, RouteId, SYSTEM,
    SessionId, digest,
};
pub use leg::{Leg, LegId, Session};
pub use offer::{ChoiceSource, Offer};
pub use outcome::{Outcome, Verdict};
pub use parked::{DeadLetter, Failed, Parked};
pub use platform::{
    Behaviour, Capabilities, Feature, InvalidPlatformId, MAX_PLATFORM_ID, PlatformId,
};
pub use policy::{DeliveryPolicy, Reactivation};
pub use presentation::{Presentation, PresentationOptions};
pub use route::{
    DueTimer, HandoverPolicy, Keywords, OnClose, ResolvedRoute, Route, Texts, Timer,
    TranscriptStart,
};
pub use scheduled_task::ScheduledTask;
pub use text::LenientText;
pub use trace::{InvalidTraceparent, Trace};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
