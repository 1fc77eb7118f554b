//! The circuit breaker of a connection. While it is open, only probes are sent.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The stored state of a connection's breaker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// The number of consecutive failures.
    pub failures: u32,
    /// When the breaker opened. `None` while it is closed.
    pub opened_at: Option<Timestamp>,
    /// When the last probe was sent.
    pub probed_at: Option<Timestamp>,
}

impl Breaker {
    /// Returns whether the breaker is open, so that only probes may be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }
}

/// Returns the time of the next probe: 5 seconds after the breaker opened, then every 8 seconds for an
/// hour, then every 50 seconds. With the latency of a scheduled task and a call, parked deliveries flow
/// within 10 seconds of the connection's recovery, and within a minute after an outage of an hour.
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
    fn probe_interval_grows_after_an_hour() {
        let opened = Timestamp::UNIX_EPOCH;
        let at = |seconds| opened + SignedDuration::from_secs(seconds);
        assert_eq!(next_probe(opened, at(0)), at(5));
        assert_eq!(next_probe(opened, at(5)), at(13));
        assert_eq!(next_probe(opened, at(3_599)), at(3_607));
        assert_eq!(next_probe(opened, at(3_600)), at(3_650));
    }
}
