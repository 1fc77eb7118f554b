//! The mock servers' clock.

use jiff::Timestamp;

/// Returns the system time.
#[expect(clippy::disallowed_methods, reason = "a mock server has its own clock")]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}
