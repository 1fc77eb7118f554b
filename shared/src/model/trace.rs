//! Where in a trace something happened: W3C trace context, and AWS's own way of writing it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A place in a trace, written as a `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    sampled: bool,
}

/// Why a text is no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a traceparent looks like 00-<32 hex digits>-<16 hex digits>-01")]
pub struct NoTrace;

impl Trace {
    /// A new trace, told apart from others by a seed that never repeats.
    #[must_use]
    pub fn begun(seed: &str) -> Self {
        let (id, span) = numbers(&[seed]);
        Self { id, span, sampled: false }
    }

    /// As Lambda tells it: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
    #[must_use]
    pub fn of_lambda(header: &str) -> Option<Self> {
        let field = |name| {
            header.split(';').find_map(|part| part.trim().split_once('=').filter(|x| x.0 == name))
        };
        let (_, root) = field("Root")?;
        let id = hex(&root.strip_prefix("1-")?.replace('-', ""), 32)?;
        let span = field("Parent").and_then(|(_, span)| hex(span, 16)).unwrap_or(1);
        let span = u64::try_from(span).ok()?;
        Some(Self { id, span, sampled: field("Sampled").is_some_and(|(_, yes)| yes == "1") })
    }

    /// A step of the same trace, told apart from its others by its parts.
    #[must_use]
    pub fn step(self, parts: &[&str]) -> Self {
        Self { span: numbers(parts).1, ..self }
    }

    /// Whether somebody records it.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.sampled
    }

    /// What all steps of the trace share: 32 hex digits.
    #[must_use]
    pub fn id(self) -> String {
        format!("{:032x}", self.id)
    }

    /// As AWS's services hand it on.
    #[must_use]
    pub fn to_lambda(self) -> String {
        let id = self.id();
        let (time, rest) = id.split_at(8);
        format!("Root=1-{time}-{rest};Parent={:016x};Sampled={}", self.span, u8::from(self.sampled))
    }
}

/// Two numbers that are never zero, as neither a trace's id nor a span's may be.
fn numbers(parts: &[&str]) -> (u128, u64) {
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

/// Lower-case hex digits, so many of them, that are not all zero.
fn hex(digits: &str, length: usize) -> Option<u128> {
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
    type Err = NoTrace;
    fn from_str(text: &str) -> Result<Self, NoTrace> {
        let mut parts = text.trim().split('-');
        let mut next = || parts.next().ok_or(NoTrace);
        let (version, id, span, flags) = (next()?, next()?, next()?, next()?);
        // A later version may say more behind these, and means the same by them.
        let known = version.len() == 2 && version != "ff" && (version != "00" || next().is_err());
        let flags = u8::from_str_radix(flags, 16).ok().filter(|_| known && flags.len() == 2);
        let id = hex(id, 32).ok_or(NoTrace)?;
        let span = hex(span, 16).and_then(|span| u64::try_from(span).ok()).ok_or(NoTrace)?;
        Ok(Self { id, span, sampled: flags.ok_or(NoTrace)? & 1 == 1 })
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
    fn the_examples_of_both_makers_are_read_and_written() {
        let trace: Trace = W3C.parse().unwrap();
        assert_eq!(trace.to_string(), W3C);
        let lambda = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1";
        assert_eq!(trace.to_lambda(), lambda);
        assert_eq!(Trace::of_lambda(&format!("{lambda};Lineage=1:a:0")), Some(trace));
        let longer: Trace = format!("01{}-what-follows", &W3C[2..]).parse().unwrap();
        assert_eq!(longer, trace);
    }

    #[test]
    fn what_is_none_is_not_taken_for_one() {
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
            assert_eq!(bad.parse::<Trace>(), Err(NoTrace), "{bad}");
        }
        assert_eq!(Trace::of_lambda("Root=2-x;Sampled=1"), None);
    }

    proptest! {
        #[test]
        fn a_step_stays_in_its_trace(seed: String, part: String) {
            let begun = Trace::begun(&seed);
            let step = begun.step(&[&part]);
            prop_assert_eq!(begun.id(), step.id());
            prop_assert_eq!(step.to_string().parse::<Trace>(), Ok(step));
            prop_assert_eq!(Trace::of_lambda(&step.to_lambda()), Some(step));
        }

        #[test]
        fn nothing_makes_it_panic(text: String) {
            let _ = (text.parse::<Trace>(), Trace::of_lambda(&text));
        }
    }
}
