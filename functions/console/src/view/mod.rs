//! The API's request and response types.

mod connection;
mod conversation;
mod delivery;
mod route;

use serde::{Deserialize, Serialize};
use trunkline_core::model::TokenKind;
use utoipa::ToSchema;

pub use connection::{ConnectionBody, ConnectionView};
pub use conversation::{ConversationDetails, ConversationState, ConversationView, TimelineEntry};
pub use delivery::{DeadLetterView, PendingDeliveryView};
pub use route::{RouteBody, RouteView};

/// A role. Each role includes the permissions of the roles before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May read everything.
    Viewer,
    /// Acts on conversations and deliveries.
    Operator,
    /// Changes the configuration, tokens and customer data.
    Admin,
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKindView {
    /// For a person or a program, until it expires or is revoked.
    Api,
    /// The session of a sign-in.
    Session,
    /// For one sign-in by link.
    OneTime,
}

impl From<TokenKind> for TokenKindView {
    fn from(kind: TokenKind) -> Self {
        match kind {
            TokenKind::Operator => Self::Api,
            TokenKind::Session => Self::Session,
            TokenKind::OneTime => Self::OneTime,
        }
    }
}

/// Returns the JSON name of a unit variant.
pub(crate) fn serialized_name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
