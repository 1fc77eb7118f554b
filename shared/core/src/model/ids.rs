//! Ids: configured names (connections, routes), generated ids and ids of platforms.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The maximum length of a platform's id, in bytes. The id is part of a table key.
pub const MAX_EXTERNAL_ID_BYTES: usize = 512;

/// A text that is not a valid id of a connection or route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an id: use 1 to 63 lower-case letters, digits and hyphens, a letter or digit first"
)]
pub struct InvalidId(pub String);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the id as it is used in configuration, paths and keys.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_name(&text) { Ok(Self(text)) } else { Err(InvalidId(text)) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The id of a connection, as configured.
    ConnectionId
);
name!(
    /// The id of a route, as configured.
    RouteId
);

/// The connection id under which Trunkline itself takes part: for its own messages, timers and operator
/// actions. No connection can have this id.
pub const SYSTEM: &str = "trunkline";

impl ConnectionId {
    /// Returns the connection id of Trunkline itself.
    #[must_use]
    pub fn system() -> Self {
        Self(SYSTEM.to_owned())
    }
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.as_str() == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.as_str() == *text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// The part that session ids share: a conversation's id or a handover's id identifies a session.
macro_rules! session_id {
    ($name:ident) => {
        impl $name {
            /// Returns the id of the session that this identifies.
            #[must_use]
            pub fn as_session_id(&self) -> &SessionId {
                &self.0
            }
        }

        impl From<$name> for SessionId {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<&$name> for SessionId {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }
    };
}

opaque_id!(
    /// The id by which a leg knows a conversation. On a channel and at a bot it is the
    /// [`ConversationId`]; at a desk it is the [`HandoverId`], because each handover is a new
    /// session there.
    SessionId(String)
);
opaque_id!(
    /// Trunkline's id of a conversation. A customer's next conversation has a new id.
    ConversationId(SessionId)
);
opaque_id!(
    /// Trunkline's id of a handover to agents.
    HandoverId(SessionId)
);
opaque_id!(
    /// The id of a delivery: `dlv_` and 43 characters of base64url. It is the same for every attempt.
    DeliveryId(String)
);
opaque_id!(
    /// The id of a relayed file: the digest of its message, and its number in the message.
    FileId(String)
);
opaque_id!(
    /// The id that a platform uses for a conversation.
    ExternalConversationId(String)
);
opaque_id!(
    /// The id that a platform uses for a message.
    ExternalMessageId(String)
);
session_id!(ConversationId);
session_id!(HandoverId);

fn is_name(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|c| plain(c) || c == b'-')
}

/// The key of a conversation: one customer on one channel connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConversationKey {
    pub channel: ConnectionId,
    /// The platform's id of the customer or of their thread.
    pub customer: String,
}

/// Returns the SHA-256 of `parts` in base64url, 43 characters. Each part is hashed with its length, so
/// that different parts cannot have the same concatenation.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_invalid_ids() {
        for good in ["a", "shop-whatsapp", "0-1"] {
            assert!(good.parse::<ConnectionId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "a/b", "a#b", &"a".repeat(64)] {
            assert!(bad.parse::<ConnectionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn digest_separates_its_parts() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]).len(), 43);
    }
}
