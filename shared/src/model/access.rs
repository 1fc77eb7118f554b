//! Who may look and do what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What somebody may do; each may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Look.
    Viewer,
    /// See to conversations and deliveries.
    Operator,
    /// Change what is configured, and who may do what.
    Admin,
}

impl Access {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A person's or program's, until it is taken back or ends.
    Operator,
    /// A sign-in of the console's.
    Session,
    /// Good for one sign-in.
    Once,
}

/// A token, without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its public part.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What its bearer may do.
    pub role: Access,
    /// What it is for.
    pub kind: TokenKind,
    /// The digest of its secret part.
    pub digest: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it is good; for ever, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A change that somebody made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Its id, which sorts by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who, by their token's name.
    pub who: String,
    /// What they may do.
    pub role: Access,
    /// What they did, such as `connection.suspend`.
    pub what: String,
    /// To what.
    pub target: String,
    /// In particular; never a secret or what customers wrote.
    pub detail: Value,
}
