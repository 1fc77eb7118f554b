//! What is shown, and what is given: the API's own forms of things.

mod connection;
mod conversation;
mod delivery;
mod route;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use connection::{ConnectionInput, ConnectionView};
pub use conversation::{ConversationView, Details, Entry, State};
pub use delivery::{DeadLetterView, WaitingView};
pub use route::{RouteInput, RouteView};

/// What somebody may do; each may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// See to conversations and deliveries.
    Operator,
    /// Change what is configured, and who may do what.
    Admin,
}

/// A word as it is written in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
