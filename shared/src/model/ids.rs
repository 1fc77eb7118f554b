//! Ids: names that people give (connections, routes) and keys that follow from them.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest id that a far side may choose for a conversation, in bytes: it is part of a key.
pub const MAX_FAR_ID: usize = 512;

/// Why a text is not a connection's or route's id.
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
            /// The id as it is written in configuration, paths and keys.
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
    /// A connection's id, chosen by whoever configures it.
    ConnectionId
);
name!(
    /// A route's id, chosen by whoever configures it.
    RouteId
);

/// The name under which Trunkline itself takes part: of what it says, and of what its timers and
/// operators do. No connection can have it.
pub const HOUSE: &str = "trunkline";

impl ConnectionId {
    /// Trunkline itself.
    #[must_use]
    pub fn house() -> Self {
        Self(HOUSE.to_owned())
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|c| plain(c) || c == b'-')
}

/// One customer on one channel connection: what a conversation is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConversationKey {
    /// The channel connection.
    pub channel: ConnectionId,
    /// The platform's own id of the customer or of their thread.
    pub customer: String,
}

/// A short, URL-safe SHA-256 of `parts`, which cannot run into one another.
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
    fn names_are_strict() {
        for good in ["a", "shop-whatsapp", "0-1"] {
            assert!(good.parse::<ConnectionId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "a/b", "a#b", &"a".repeat(64)] {
            assert!(bad.parse::<ConnectionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_keeps_its_parts_apart() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]).len(), 43);
    }
}
