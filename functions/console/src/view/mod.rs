//! The API's request and response types.

mod connection;
mod conversation;
mod delivery;
mod route;

use serde::Serialize;
use trunkline_core::model::TokenKind;
use utoipa::ToSchema;

pub use connection::{ConnectionBody, ConnectionView};
pub use conversation::{ConversationDetails, ConversationView, TimelineEntry};
pub use delivery::{DeadLetterView, DeliveryState, PendingDeliveryView};
pub use route::{RouteBody, RouteView};

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
