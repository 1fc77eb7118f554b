//! Measures the queues once a minute: queues that no worker reads, and dead letters that stay in their queues.
//! Workers report the age of the messages that they receive, so a queue without workers needs this.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use trunkline_shared::app::App;
use trunkline_shared::model::Platform;
use trunkline_shared::queue::{Depth, QueueError};
use trunkline_shared::telemetry;

use crate::UpkeepError;

/// How long a process remembers that the stack does not have a platform.
const ABSENT_FOR: SignedDuration = SignedDuration::from_mins(10);

/// The platforms that the stack does not have, each with the time at which that was found.
#[derive(Debug, Default)]
pub struct AbsentPlatforms(Mutex<HashMap<Platform, Timestamp>>);

impl AbsentPlatforms {
    fn contains(&self, platform: Platform, now: Timestamp) -> bool {
        let absent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        absent.get(&platform).is_some_and(|found| now.duration_since(*found) < ABSENT_FOR)
    }

    fn insert(&self, platform: Platform, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(platform, now);
    }
}

/// Measures the queues of all deployed platforms, and records the metrics `QueueAge` and `DeadLettersUnread`.
///
/// # Errors
/// If SQS or the table does not answer.
pub async fn check_queues(app: &App, absent: &AbsentPlatforms) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let mut depths = Vec::new();
    for platform in Platform::names().into_iter().filter_map(|name| name.parse().ok()) {
        if absent.contains(platform, now) {
            continue;
        }
        match app.queues.depth(platform).await {
            Ok(depth) => depths.push((platform, depth)),
            Err(QueueError::NotDeployed(_)) => absent.insert(platform, now),
            Err(error) => return Err(error.into()),
        }
    }
    let before = app.store.stalled_queues().await?;
    let stalled = stalled(&before, &depths, now);
    if stalled != before {
        app.store.put_stalled_queues(&stalled).await?;
    }
    let oldest = stalled.values().min().map_or(0, |since| now.duration_since(*since).as_secs());
    let dead_letters = depths.iter().map(|(_, depth)| depth.dead).sum();
    telemetry::record_queues(now, dead_letters, oldest);
    Ok(())
}

/// Returns the queues that have messages and no worker, each with the time of the first check that found so.
fn stalled(
    before: &BTreeMap<Platform, Timestamp>,
    depths: &[(Platform, Depth)],
    now: Timestamp,
) -> BTreeMap<Platform, Timestamp> {
    let stalled = depths.iter().filter(|(_, depth)| depth.waiting > 0 && depth.in_flight == 0);
    stalled.map(|(id, _)| (*id, before.get(id).copied().unwrap_or(now))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_queue_is_stalled_from_the_first_check_without_a_worker() {
        let depth = |waiting, in_flight| Depth { waiting, in_flight, dead: 0 };
        let (cm, twin, webex) = (Platform::Cm, Platform::Twin, Platform::Webex);
        let depths = [(cm, depth(3, 0)), (twin, depth(3, 1)), (webex, depth(0, 0))];
        let first = stalled(&BTreeMap::new(), &depths, at(60));
        assert_eq!(first, BTreeMap::from([(cm, at(60))]));
        assert_eq!(stalled(&first, &depths, at(120)), first, "the time does not change");
        let depths = [(cm, depth(3, 1)), (webex, depth(1, 0))];
        assert_eq!(stalled(&first, &depths, at(180)), BTreeMap::from([(webex, at(180))]));
    }

    #[test]
    fn an_absent_platform_is_looked_up_again_after_some_minutes() {
        let absent = AbsentPlatforms::default();
        assert!(!absent.contains(Platform::Cm, at(0)));
        absent.insert(Platform::Cm, at(0));
        assert!(absent.contains(Platform::Cm, at(599)) && !absent.contains(Platform::Twin, at(0)));
        assert!(!absent.contains(Platform::Cm, at(600)));
    }
}
