//! The retry schedule and the breaker settings of a connection.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{DeliveryId, Verdict, digest};

/// The maximum delay that a platform can request by `Retry-After`, in seconds.
const LONGEST_ASKED: u32 = 60 * 60;

/// The retry schedule and the breaker settings of a connection. The default follows Webex Connect's own
/// rule: four retries within the hour, and five consecutive failures switch the connection off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DeliveryPolicy {
    /// Delays in seconds before the second, third … attempt, each with a jitter of ±20 %. After the last
    /// attempt, an operator decides.
    pub retry: Vec<u32>,
    /// The number of consecutive failures that opens the breaker.
    pub breaker_after: u32,
    pub reactivation: Reactivation,
    /// The maximum number of retries after an attempt without a response, which the platform may have
    /// accepted. Without it, `retry` is the only limit. A configuration that omits it has the platform's
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_unknown: Option<u32>,
    /// HTTP statuses that are retried although the platform's classification is permanent. A receiver that
    /// answers 404 while it restarts is then treated like one that is down.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub retry_statuses: BTreeSet<u16>,
}

/// How an open breaker closes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reactivation {
    /// By a successful probe or a verification.
    #[default]
    Automatic,
    /// By a verification only.
    Manual,
}

impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self {
            retry: vec![2, 30, 600, 2_700],
            breaker_after: 5,
            reactivation: Reactivation::Automatic,
            retry_unknown: None,
            retry_statuses: BTreeSet::new(),
        }
    }
}

impl DeliveryPolicy {
    /// Returns the verdict on an attempt: the platform's own, unless the connection retries this status.
    #[must_use]
    pub fn verdict(&self, verdict: Verdict, status: Option<u16>) -> Verdict {
        match (verdict, status) {
            (Verdict::Permanent, Some(status)) if self.retry_statuses.contains(&status) => {
                Verdict::Retryable
            }
            _ => verdict,
        }
    }

    /// Returns the time of the next attempt after `attempts` failed ones. `None`: an operator must act.
    /// `unknown` is whether the last attempt had no response. `asked` is the platform's `Retry-After` in
    /// seconds, which can extend the delay up to an hour but not shorten it. The jitter is derived from the
    /// delivery's id.
    #[must_use]
    pub fn next_attempt(
        &self,
        delivery: &DeliveryId,
        attempts: u32,
        unknown: bool,
        asked: Option<u32>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if unknown && self.retry_unknown.is_some_and(|limit| attempts > limit) {
            return None;
        }
        let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
        let wait = i64::from(*self.retry.get(index)?) * 1_000;
        let jittered = wait + wait * jitter_percent(delivery, attempts) / 100;
        let asked = i64::from(asked.unwrap_or(0).min(LONGEST_ASKED)) * 1_000;
        Some(now + SignedDuration::from_millis(jittered.max(asked)))
    }
}

/// Returns a number from -20 to 20, the same for the same attempt of the same delivery.
fn jitter_percent(delivery: &DeliveryId, attempts: u32) -> i64 {
    let hash = digest(&[delivery.as_str(), &attempts.to_string()]);
    let sum: i64 = hash.bytes().map(i64::from).sum();
    sum % 41 - 20
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wait(policy: &DeliveryPolicy, attempts: u32, asked: Option<u32>) -> Option<f64> {
        let now = Timestamp::UNIX_EPOCH;
        let next = policy.next_attempt(&"dlv_1".into(), attempts, false, asked, now)?;
        Some(next.duration_since(now).as_secs_f64())
    }

    #[test]
    fn default_policy_retries_four_times_within_the_hour() {
        let policy = DeliveryPolicy::default();
        for (attempts, seconds) in [(1, 2.0), (2, 30.0), (3, 600.0), (4, 2_700.0)] {
            let wait = wait(&policy, attempts, None).unwrap();
            assert!(wait >= seconds * 0.8 && wait <= seconds * 1.2, "{attempts}: {wait}");
        }
        assert_eq!(wait(&policy, 5, None), None);
    }

    #[test]
    fn retry_after_extends_the_delay_within_bounds() {
        let policy = DeliveryPolicy::default();
        assert_eq!(wait(&policy, 1, Some(7)), Some(7.0));
        assert!(wait(&policy, 2, Some(1)).unwrap() >= 24.0);
        assert_eq!(wait(&policy, 1, Some(1_000_000)), Some(3_600.0));
    }

    #[test]
    fn retries_after_unknown_outcomes_can_be_limited() {
        let policy = DeliveryPolicy { retry_unknown: Some(1), ..DeliveryPolicy::default() };
        let next = |attempts, unknown| {
            policy.next_attempt(&"d".into(), attempts, unknown, None, Timestamp::UNIX_EPOCH)
        };
        assert!(next(1, true).is_some() && next(2, true).is_none() && next(2, false).is_some());
    }

    #[test]
    fn only_permanent_failures_with_a_named_status_become_retryable() {
        use Verdict::{Delivered, Permanent, Retryable, Unknown};
        let policy =
            DeliveryPolicy { retry_statuses: [200, 404].into(), ..DeliveryPolicy::default() };
        assert_eq!(policy.verdict(Permanent, Some(404)), Retryable);
        assert_eq!(policy.verdict(Permanent, Some(400)), Permanent);
        assert_eq!(policy.verdict(Permanent, None), Permanent);
        assert_eq!(policy.verdict(Delivered, Some(200)), Delivered);
        assert_eq!(policy.verdict(Unknown, None), Unknown);
    }

    proptest! {
        #[test]
        fn jitter_stays_within_20_percent(id in ".{0,20}", seconds in 1u32..100_000) {
            let policy = DeliveryPolicy { retry: vec![seconds], ..DeliveryPolicy::default() };
            let next = policy.next_attempt(&id.into(), 1, false, None, Timestamp::UNIX_EPOCH).unwrap();
            let millis = next.as_millisecond();
            let exact = i64::from(seconds) * 1_000;
            prop_assert!(millis >= exact * 8 / 10 && millis <= exact * 12 / 10);
        }
    }
}
