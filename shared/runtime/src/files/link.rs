//! Signed links to relayed files.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::security::{hmac_sha256, secrets_equal};
use trunkline_core::model::FileId;

/// The path of links, before the id.
const PATH: &str = "/files/";
/// The longest id in a link, in bytes.
const MAX_ID_BYTES: usize = 64;

/// The key that signs a stack's links.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Creates a key from random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the key as text, to store it.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads the text of a stored key. `None`: it is not a key.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    fn signature(&self, id: &str, expires: i64) -> String {
        let text = format!("{id}\n{expires}");
        URL_SAFE_NO_PAD.encode(hmac_sha256(&self.0, &[text.as_bytes()]))
    }
}

/// Why a link is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not a link, or its signature is wrong.
    #[error("the signature of the link is wrong")]
    Unsigned,
    /// It has expired.
    #[error("the link has expired")]
    Expired,
}

/// A link to a relayed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub id: FileId,
    expires: i64,
    signature: String,
}

impl Link {
    /// Returns path and query of a link.
    pub(super) fn signed(key: &SigningKey, id: &FileId, expires: Timestamp) -> String {
        let expires = expires.as_second();
        let signature = key.signature(id.as_str(), expires);
        format!("{PATH}{id}?expires={expires}&signature={signature}")
    }

    /// Reads path and query of a request. A stage of the API may precede the path. `None`: it is not a link.
    #[must_use]
    pub fn parse(path: &str, query: &str) -> Option<Self> {
        let (_, id) = path.rsplit_once(PATH)?;
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
        if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(plain) {
            return None;
        }
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        let expires = value("expires")?.parse().ok()?;
        Some(Self { id: id.into(), expires, signature: value("signature")?.to_owned() })
    }

    /// Verifies signature and expiry.
    ///
    /// # Errors
    /// If the signature is wrong, or the link has expired.
    pub fn verify(&self, key: &SigningKey, now: Timestamp) -> Result<(), LinkError> {
        let expected = key.signature(self.id.as_str(), self.expires);
        // The expiry of a link without a signature says nothing, so it is looked at last.
        if !secrets_equal(&self.signature, &expected) {
            return Err(LinkError::Unsigned);
        }
        if self.expires <= now.as_second() { Err(LinkError::Expired) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(link: &str) -> Option<Link> {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        Link::parse(path, query)
    }

    #[test]
    fn a_link_is_valid_until_it_expires() {
        let (key, id) = (SigningKey::new([7; 32]), FileId::from("abc-_.0"));
        let at = |second| Timestamp::from_second(second).unwrap();
        let text = Link::signed(&key, &id, at(1_000));
        let link = parse(&format!("/prod{text}")).unwrap();
        assert_eq!(link.id, id);
        assert_eq!(link.verify(&key, at(999)), Ok(()));
        assert_eq!(link.verify(&key, at(1_000)), Err(LinkError::Expired));
        let other = SigningKey::new([8; 32]);
        assert_eq!(link.verify(&other, at(1)), Err(LinkError::Unsigned));
        let later = parse(&text.replace("expires=1000", "expires=9000")).unwrap();
        assert_eq!(later.verify(&key, at(1)), Err(LinkError::Unsigned));
        let another = parse(&text.replace("abc-_.0", "abc-_.1")).unwrap();
        assert_eq!(another.verify(&key, at(1)), Err(LinkError::Unsigned));
    }

    #[test]
    fn other_paths_and_queries_are_no_links() {
        for text in [
            "/files/?expires=1&signature=a",
            "/files/a%2Fb?expires=1&signature=a",
            "/files/a?signature=a",
            "/files/a?expires=1",
            "/files/a?expires=x&signature=a",
            "/file/a?expires=1&signature=a",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_stored_as_text() {
        let key = SigningKey::new([9; 32]);
        assert_eq!(SigningKey::from_text(&key.to_text()), Some(key));
        assert_eq!(SigningKey::from_text("short"), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(path in ".{0,80}", query in ".{0,80}") {
            let _ = Link::parse(&path, &query);
        }
    }
}
