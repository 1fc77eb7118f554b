//! How deliveries to a connection are tried again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::digest;

/// The longest wait that a platform's `Retry-After` can ask for, in seconds.
const LONGEST_ASKED: u32 = 60 * 60;

/// How deliveries to a connection are tried again. The default is Webex Connect's own rule: four
/// more attempts within the hour, and five failures in a row switch the connection off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Seconds to wait before the second, third … attempt; each up to a fifth more or less. After the
    /// last, a person decides.
    pub retry: Vec<u32>,
    /// After how many failures in a row the breaker opens.
    pub breaker_after: u32,
    /// How an open breaker closes.
    pub reactivation: Reactivation,
    /// How many further attempts follow one of which nobody knows whether it was heard; as many as
    /// `retry` allows, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_unknown: Option<u32>,
}

/// How an open breaker closes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reactivation {
    /// By a probe that succeeds, or a verification.
    #[default]
    Automatic,
    /// By a verification only.
    Manual,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: vec![2, 30, 600, 2_700],
            breaker_after: 5,
            reactivation: Reactivation::Automatic,
            retry_unknown: None,
        }
    }
}

impl Policy {
    /// When a delivery is tried next after `attempts` failed ones, of which the last was `unknown` or
    /// not; `None` if it is a person's turn. `asked` is the platform's `Retry-After` in seconds: it can
    /// lengthen a wait up to an hour, not shorten it. The jitter follows from the delivery's id.
    #[must_use]
    pub fn next_attempt(
        &self,
        delivery: &str,
        attempts: u32,
        unknown: bool,
        asked: Option<u32>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if unknown && self.retry_unknown.is_some_and(|most| attempts > most) {
            return None;
        }
        let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
        let wait = i64::from(*self.retry.get(index)?) * 1_000;
        let jittered = wait + wait * jitter_percent(delivery, attempts) / 100;
        let asked = i64::from(asked.unwrap_or(0).min(LONGEST_ASKED)) * 1_000;
        Some(now + SignedDuration::from_millis(jittered.max(asked)))
    }
}

/// From -20 to 20, the same for the same attempt of the same delivery.
fn jitter_percent(delivery: &str, attempts: u32) -> i64 {
    let hash = digest(&[delivery, &attempts.to_string()]);
    let sum: i64 = hash.bytes().map(i64::from).sum();
    sum % 41 - 20
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wait(policy: &Policy, attempts: u32, asked: Option<u32>) -> Option<f64> {
        let now = Timestamp::UNIX_EPOCH;
        let next = policy.next_attempt("dlv_1", attempts, false, asked, now)?;
        Some(next.duration_since(now).as_secs_f64())
    }

    #[test]
    fn the_default_is_four_more_within_the_hour_and_then_a_person() {
        let policy = Policy::default();
        for (attempts, seconds) in [(1, 2.0), (2, 30.0), (3, 600.0), (4, 2_700.0)] {
            let wait = wait(&policy, attempts, None).unwrap();
            assert!(wait >= seconds * 0.8 && wait <= seconds * 1.2, "{attempts}: {wait}");
        }
        assert_eq!(wait(&policy, 5, None), None);
    }

    #[test]
    fn retry_after_lengthens_within_bounds_and_never_shortens() {
        let policy = Policy::default();
        assert_eq!(wait(&policy, 1, Some(7)), Some(7.0));
        assert!(wait(&policy, 2, Some(1)).unwrap() >= 24.0);
        assert_eq!(wait(&policy, 1, Some(1_000_000)), Some(3_600.0));
    }

    #[test]
    fn what_may_have_been_heard_can_be_limited() {
        let policy = Policy { retry_unknown: Some(1), ..Policy::default() };
        let next = |attempts, unknown| {
            policy.next_attempt("d", attempts, unknown, None, Timestamp::UNIX_EPOCH)
        };
        assert!(next(1, true).is_some() && next(2, true).is_none() && next(2, false).is_some());
    }

    proptest! {
        #[test]
        fn a_wait_stays_within_a_fifth(id in ".{0,20}", seconds in 1u32..100_000) {
            let policy = Policy { retry: vec![seconds], ..Policy::default() };
            let next = policy.next_attempt(&id, 1, false, None, Timestamp::UNIX_EPOCH).unwrap();
            let millis = next.as_millisecond();
            let exact = i64::from(seconds) * 1_000;
            prop_assert!(millis >= exact * 8 / 10 && millis <= exact * 12 / 10);
        }
    }
}
