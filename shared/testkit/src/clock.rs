//! The clock and the ids of a test.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use trunkline_runtime::app::{Clock, IdGenerator};

/// A clock that moves only when the test says so. In a Tokio runtime with paused time it also follows that
/// time, so code that sleeps finds that the time has passed.
#[derive(Debug)]
pub struct ManualClock {
    time: Mutex<Timestamp>,
    /// Tokio's time when `time` was set.
    set_at: Mutex<tokio::time::Instant>,
}

impl ManualClock {
    /// Creates a clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { time: Mutex::new(start), set_at: Mutex::new(tokio::time::Instant::now()) }
    }

    /// Sets the time, also back.
    pub fn set(&self, time: Timestamp) {
        *self.time.lock().unwrap() = time;
        *self.set_at.lock().unwrap() = tokio::time::Instant::now();
    }

    /// Moves the time forward.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.set_at.lock().unwrap().elapsed();
        *self.time.lock().unwrap() + SignedDuration::try_from(elapsed).unwrap()
    }
}

/// Generates the same ids in each run: the time in milliseconds and a counter. They sort by time.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// Creates a generator whose counter starts at `seed`, so that two generators never return the same id.
    pub fn starting_at(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdGenerator for SequentialIds {
    fn next(&self, now: Timestamp) -> String {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        format!("{:013}-{number:06}", now.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clock_follows_paused_time() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        tokio::time::sleep(Duration::from_secs(2)).await;
        clock.advance(SignedDuration::from_secs(3));
        assert_eq!(clock.now(), Timestamp::from_second(5).unwrap());
    }

    #[test]
    fn ids_sort_by_time_and_are_unique() {
        let ids = SequentialIds::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let (first, second, third) = (ids.next(at(9)), ids.next(at(9)), ids.next(at(10)));
        assert!(first < second && second < third);
    }
}
