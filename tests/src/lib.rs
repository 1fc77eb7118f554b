//! Support for the end-to-end tests: a deployed local stack, mock platforms that record requests, and a
//! fault proxy between the functions and AWS.

mod environment;
mod fault_proxy;
mod fixture;
mod mock_platform;
mod reference;
pub mod unblu_version;
mod used_secrets;
mod workers;

pub use environment::{ShiftedClock, TestEnvironment};
pub use fault_proxy::{Fault, FaultProxy};
pub use fixture::{
    CHANNEL_BOT_AND_DESK, Fixture, SIGNING_SECRETS, WEBEX_AND_BOT, message_event, signing_headers,
    webex_message,
};
pub use mock_platform::{Behaviour, MockPlatform, ReceivedRequest};
pub use reference::Reference;
pub use used_secrets::{record_secret, recorded_secrets};
pub use workers::{kill, processes_of, workers_of, workers_of_function};
