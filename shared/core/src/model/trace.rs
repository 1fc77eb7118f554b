//! Positions in distributed traces: W3C Trace Context and the AWS trace header.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A position in a trace. Serialized as a `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    sampled: bool,
}

/// A text that is not a valid `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a traceparent looks like 00-<32 hex digits>-<16 hex digits>-01")]
pub struct InvalidTraceparent;

impl Trace {
    /// Starts a trace whose ids are derived from `seed`, which must be unique.
    #[must_use]
    pub fn from_seed(seed: &str) -> Self {
        let (id, span) = hashed_ids(&[seed]);
        Self { id, span, sampled: false }
    }

    /// Parses an AWS trace header:
    /// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
    #[must_use]
    pub fn from_lambda_header(header: &str) -> Option<Self> {
        let field = |name| {
            header.split(';').find_map(|part| part.trim().split_once('=').filter(|x| x.0 == name))
        };
        let (_, root) = field("Root")?;
        let id = parse_hex(&root.strip_prefix("1-")?.replace('-', ""), 32)?;
        let span = field("Parent").and_then(|(_, span)| parse_hex(span, 16)).unwrap_or(1);
        let span = u64::try_from(span).ok()?;
        Some(Self { id, span, sampled: field("Sampled").is_some_and(|(_, yes)| yes == "1") })
    }

    /// Returns a span of the same trace whose id is derived from `parts`.
    #[must_use]
    pub fn child(self, parts: &[&str]) -> Self {
        Self { span: hashed_ids(parts).1, ..self }
    }

    /// Returns whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.sampled
    }

    /// Returns the trace id, 32 hex digits, which all spans of the trace share.
    #[must_use]
    pub fn id(self) -> String {
        format!("{:032x}", self.id)
    }

    /// Formats the position as an AWS trace header.
    #[must_use]
    pub fn to_lambda_header(self) -> String {
        let id = self.id();
        let (time, rest) = id.split_at(8);
        format!("Root=1-{time}-{rest};Parent={:016x};Sampled={}", self.span, u8::from(self.sampled))
    }
}

/// Returns a trace id and a span id derived from `parts`. Neither is zero, which the format forbids.
fn hashed_ids(parts: &[&str]) -> (u128, u64) {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    let span = u64::try_from(number(&bytes[16..24])).unwrap_or(u64::MAX);
    (number(&bytes[..16]).max(1), span.max(1))
}

/// Parses exactly `length` lower-case hex digits that are not all zero.
fn parse_hex(digits: &str, length: usize) -> Option<u128> {
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let right = digits.len() == length && digits.bytes().all(is_hex);
    right.then(|| u128::from_str_radix(digits, 16).ok()).flatten().filter(|number| *number != 0)
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.id, self.span, u8::from(self.sampled))
    }
}

impl FromStr for Trace {
    type Err = InvalidTraceparent;
    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        let mut parts = text.trim().split('-');
        let mut next = || parts.next().ok_or(InvalidTraceparent);
        let (version, id, span, flags) = (next()?, next()?, next()?, next()?);
        // A later version may append fields; the first four keep their meaning.
        let known = version.len() == 2 && version != "ff" && (version != "00" || next().is_err());
        let flags = u8::from_str_radix(flags, 16).ok().filter(|_| known && flags.len() == 2);
        let id = parse_hex(id, 32).ok_or(InvalidTraceparent)?;
        let span = parse_hex(span, 16)
            .and_then(|span| u64::try_from(span).ok())
            .ok_or(InvalidTraceparent)?;
        Ok(Self { id, span, sampled: flags.ok_or(InvalidTraceparent)? & 1 == 1 })
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn parses_and_formats_w3c_and_aws_headers() {
        let trace: Trace = W3C.parse().unwrap();
        assert_eq!(trace.to_string(), W3C);
        let lambda = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1";
        assert_eq!(trace.to_lambda_header(), lambda);
        assert_eq!(Trace::from_lambda_header(&format!("{lambda};Lineage=1:a:0")), Some(trace));
        let longer: Trace = format!("01{}-what-follows", &W3C[2..]).parse().unwrap();
        assert_eq!(longer, trace);
    }

    #[test]
    fn rejects_malformed_traceparent() {
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let upper = W3C.to_uppercase();
        for bad in [
            "",
            "00",
            zero,
            &upper,
            &format!("{W3C}-more"),
            &W3C[..54],
            &format!("ff{}", &W3C[2..]),
        ] {
            assert_eq!(bad.parse::<Trace>(), Err(InvalidTraceparent), "{bad}");
        }
        assert_eq!(Trace::from_lambda_header("Root=2-x;Sampled=1"), None);
    }

    proptest! {
        #[test]
        fn child_keeps_the_trace_id(seed: String, part: String) {
            let begun = Trace::from_seed(&seed);
            let step = begun.child(&[&part]);
            prop_assert_eq!(begun.id(), step.id());
            prop_assert_eq!(step.to_string().parse::<Trace>(), Ok(step));
            prop_assert_eq!(Trace::from_lambda_header(&step.to_lambda_header()), Some(step));
        }

        #[test]
        fn parsing_never_panics(text: String) {
            let _ = (text.parse::<Trace>(), Trace::from_lambda_header(&text));
        }
    }
}
