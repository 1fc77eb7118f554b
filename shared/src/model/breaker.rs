//! A connection's breaker: closed, or open until the connection has shown that it works again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A connection's breaker, as it stands in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Failures in a row.
    pub failures: u32,
    /// Since when it is open; closed, if absent. While it is open nothing is attempted but probes.
    pub opened_at: Option<Timestamp>,
    /// When it was last probed.
    pub probed_at: Option<Timestamp>,
}

impl Breaker {
    /// Whether nothing may be attempted but probes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }
}

/// When to probe next: 5 seconds after opening, then each 8 seconds for an hour, then each 50 seconds.
/// So, with what a note and a call take, what is parked flows within 10 seconds of the connection's
/// return, and within a minute after an hour.
#[must_use]
pub fn next_probe(opened_at: Timestamp, now: Timestamp) -> Timestamp {
    let first = opened_at + SignedDuration::from_secs(5);
    if now < first {
        first
    } else if now < opened_at + SignedDuration::from_hours(1) {
        now + SignedDuration::from_secs(8)
    } else {
        now + SignedDuration::from_secs(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_paced() {
        let opened = Timestamp::UNIX_EPOCH;
        let at = |seconds| opened + SignedDuration::from_secs(seconds);
        assert_eq!(next_probe(opened, at(0)), at(5));
        assert_eq!(next_probe(opened, at(5)), at(13));
        assert_eq!(next_probe(opened, at(3_599)), at(3_607));
        assert_eq!(next_probe(opened, at(3_600)), at(3_650));
    }
}
