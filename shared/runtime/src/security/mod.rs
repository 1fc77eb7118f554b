//! Signatures, constant-time comparison of secrets, and checks of outbound addresses.

mod address;
pub mod secret_checks;
mod signature;

pub use address::{BlockedUrl, check_url, is_public};
pub use signature::{AuthError, TOLERANCE_SECONDS, sign, verify};

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
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

/// Returns the values of a header that may be sent several times, as [`joined_values`] of each line. A line that
/// is not text has none.
pub fn header_values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(joined_values)
}

/// Returns what a line of a header may stand for: its whole value and, because API Gateway joins several lines by
/// commas, each part of it. A value may contain a comma itself.
pub fn joined_values(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split(',').filter(|part| part.len() < line.len());
    std::iter::once(line).chain(parts).map(str::trim)
}

/// Returns bytes as lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Size of a block of SHA-256, in bytes: that of the key of an HMAC.
const BLOCK: usize = 64;

/// Returns the HMAC-SHA-256 of several parts, as if they were one (RFC 2104). Uses the processor's own
/// instructions where it has them.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
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
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Shows input 17.
    #[test]
    fn every_value_of_every_line_of_a_header_is_returned() {
        let mut headers = HeaderMap::new();
        for line in [" a b ", "c, d,e", ""] {
            headers.append("x-secret", line.parse().unwrap());
        }
        headers.append("x-secret", http::HeaderValue::from_bytes(b"\xff").unwrap());
        let values: Vec<_> = header_values(&headers, "x-secret").collect();
        assert_eq!(values, ["a b", "c, d,e", "c", "d", "e", ""]);
        assert_eq!(header_values(&headers, "x-other").count(), 0);
    }

    #[test]
    fn bytes_are_two_digits_each() {
        assert_eq!(hex(&[0, 0x9a, 0xff]), "009aff");
    }

    /// The test cases 2 and 6 of RFC 4231.
    #[test]
    fn an_hmac_is_that_of_the_standard() {
        let short = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(STANDARD.encode(short), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let long = hmac_sha256(&[0xaa; 131], &[text]);
        assert_eq!(STANDARD.encode(long), "YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q=");
    }

    #[test]
    fn matches_only_live_secrets() {
        assert!(matches_any_secret("b", ["a", "b"]));
        assert!(!matches_any_secret("c", ["a", "b"]));
        assert!(!matches_any_secret("", []));
    }
}
