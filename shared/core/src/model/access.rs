//! Access to the operator API: access levels, tokens and the audit log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the bearer of a token may do. Each level includes the levels before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// May read everything.
    Viewer,
    /// May also act on conversations and deliveries.
    Operator,
    /// May also change the configuration and the tokens.
    Admin,
}

impl AccessLevel {
    /// All levels, the lowest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Returns the name of the level as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A token of a person or program, valid until it is revoked or expires.
    Operator,
    /// A session of the console.
    Session,
    /// A token for a single sign-in.
    OneTime,
}

/// A token as stored, without its secret part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The public part of the token.
    pub id: String,
    /// The person or program that uses the token. The audit log shows this name.
    pub name: String,
    pub role: AccessLevel,
    pub kind: TokenKind,
    /// The SHA-256 of the secret part, base64url.
    pub digest: String,
    pub created_at: Timestamp,
    /// `None`: the token does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An entry of the audit log: one change by an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The id; ids sort by time.
    pub id: String,
    pub at: Timestamp,
    /// The name of the operator's token.
    pub actor: String,
    /// The access level of the operator's token.
    pub role: AccessLevel,
    /// For example `connection.suspend`.
    pub action: String,
    /// The id of the object that was changed.
    pub target: String,
    /// Further details as JSON. Never contains secrets or message text.
    pub detail: Value,
}
