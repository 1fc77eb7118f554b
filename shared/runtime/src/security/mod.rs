//! Signatures, constant-time comparison of secrets, and checks of outbound addresses.

mod address;
pub mod secret_checks;
mod signature;

pub use address::{BlockedUrl, check_url, is_public};
pub use signature::{AuthError, TOLERANCE_SECONDS, sign, verify};

use std::fmt::Write;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Returns an id for use as a URL path segment: `.` and `..` are percent-encoded, because they would lead
/// to another path. The caller encodes every other reserved character.
#[must_use]
pub fn escape_dot_segment(id: &str) -> &str {
    match id {
        "." => "%2E",
        ".." => "%2E%2E",
        other => other,
    }
}

/// Encodes a text for a URL: everything except the unreserved characters of RFC 3986.
#[must_use]
pub fn percent_encode(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

/// Compares two secrets in constant time.
#[must_use]
pub fn secrets_equal(a: &str, b: &str) -> bool {
    // Digests have the same length, so the time does not depend on the secrets' lengths either.
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

/// Returns whether `given` equals one of the live secrets. Always compares with all of them, so that
/// the time does not depend on which one matches.
#[must_use]
pub fn matches_any_secret<'a>(given: &str, live: impl IntoIterator<Item = &'a str>) -> bool {
    live.into_iter().fold(false, |found, secret| found | secrets_equal(given, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_only_live_secrets() {
        assert!(matches_any_secret("b", ["a", "b"]));
        assert!(!matches_any_secret("c", ["a", "b"]));
        assert!(!matches_any_secret("", []));
    }
}
