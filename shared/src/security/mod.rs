//! Signatures, constant-time comparison of secrets, and checks of outbound addresses.

mod address;
mod signature;

pub use address::{Blocked, check_url, is_public};
pub use signature::{Denied, TOLERANCE_SECONDS, sign, verify};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// An id as a segment of a path: one that is nothing but dots would lead elsewhere. What else must be
/// encoded in a segment is the caller's to encode.
#[must_use]
pub fn segment(id: &str) -> &str {
    match id {
        "." => "%2E",
        ".." => "%2E%2E",
        other => other,
    }
}

/// Whether two secrets are the same, in a time that tells nothing of where they differ.
#[must_use]
pub fn same_secret(a: &str, b: &str) -> bool {
    // Digests are of one length, so not even the length is told.
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

/// Whether `given` is one of the live secrets. All are compared, whichever matches.
#[must_use]
pub fn is_one_of<'a>(given: &str, live: impl IntoIterator<Item = &'a str>) -> bool {
    live.into_iter().fold(false, |found, secret| found | same_secret(given, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_live_secret_is_good_and_none_other() {
        assert!(is_one_of("b", ["a", "b"]));
        assert!(!is_one_of("c", ["a", "b"]));
        assert!(!is_one_of("", []));
    }
}
