//! The far sides' clock.

use jiff::Timestamp;

/// The time.
#[expect(clippy::disallowed_methods, reason = "a far side has its own clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
