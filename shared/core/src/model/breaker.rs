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

/// A probe of a connection whose breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Its number since the breaker opened, from 0.
    pub number: u32,
    pub at: Timestamp,
}

/// The time from the opening of a breaker to the first probe.
const FIRST_PROBE: SignedDuration = SignedDuration::from_secs(5);
/// The number of probes in the first hour, and the time between two of them.
const FREQUENT_PROBES: u32 = 450;
const FREQUENT_INTERVAL: SignedDuration = SignedDuration::from_secs(8);
/// The time between two later probes.
const RARE_INTERVAL: SignedDuration = SignedDuration::from_secs(50);

impl Probe {
    fn nth(number: u32, opened_at: Timestamp) -> Self {
        let intervals = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let frequent = FREQUENT_INTERVAL * intervals(number.min(FREQUENT_PROBES - 1));
        let rare = RARE_INTERVAL * intervals(number.saturating_sub(FREQUENT_PROBES - 1));
        Self { number, at: opened_at + FIRST_PROBE + frequent + rare }
    }
}

/// Returns the probes of an open breaker after `after`, up to `until`: 5 seconds after it opened, then every
/// 8 seconds for an hour, then every 50 seconds. With the latency of a scheduled task and a call, parked deliveries
/// flow within 10 seconds of the connection's recovery, and within a minute after an outage of an hour.
///
/// Every caller gets the same times for the same opening, so that two callers do not double the probes.
#[must_use]
pub fn probes(opened_at: Timestamp, after: Timestamp, until: Timestamp) -> Vec<Probe> {
    let probes = (0..u32::MAX).map(|number| Probe::nth(number, opened_at));
    probes.skip_while(|probe| probe.at <= after).take_while(|probe| probe.at <= until).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(from: i64, until: i64) -> Vec<(u32, i64)> {
        let at = |seconds| Timestamp::from_second(1_000 + seconds).unwrap();
        let found = probes(at(0), at(from), at(until));
        found.iter().map(|probe| (probe.number, probe.at.as_second() - 1_000)).collect()
    }

    #[test]
    fn probe_interval_grows_after_an_hour() {
        assert_eq!(seconds(0, 20), [(0, 5), (1, 13)]);
        assert_eq!(seconds(5, 21), [(1, 13), (2, 21)]);
        assert_eq!(seconds(3_585, 3_700), [(448, 3_589), (449, 3_597), (450, 3_647), (451, 3_697)]);
        assert_eq!(seconds(7_197, 7_260), [(522, 7_247)]);
        assert_eq!(seconds(0, 4), []);
    }

    /// A minute's probes continue exactly where those of the previous minute ended.
    #[test]
    fn minutes_join_without_gap_or_overlap() {
        let all = seconds(0, 10_000);
        for offset in [0, 7, 30] {
            let mut joined = seconds(0, offset);
            for minute in 0..200 {
                joined.extend(seconds(offset + 60 * minute, offset + 60 * (minute + 1)));
            }
            joined.retain(|(_, at)| *at <= 10_000);
            assert_eq!(joined, all);
        }
    }
}
