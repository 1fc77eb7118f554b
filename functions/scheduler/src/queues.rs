//! Measures the queues once a minute: finds queues that no worker reads, and stores dead letters.
//! Workers report the age of the messages that they receive, so a queue without workers needs this.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::PlatformId;
use trunkline_core::platform::PlatformTraits;
use trunkline_runtime::app::App;
use trunkline_runtime::queue::{Depth, QueueError};
use trunkline_runtime::telemetry;

use crate::SchedulerError;
use crate::dead_letters::store_all;

/// How long a process remembers that the stack does not have a platform.
const ABSENT_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Storing dead letters stops after this time. The next tick continues.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// The platforms that the stack does not have, each with the time at which that was found.
#[derive(Debug, Default)]
pub struct AbsentPlatforms(Mutex<HashMap<PlatformId, Timestamp>>);

impl AbsentPlatforms {
    fn contains(&self, platform: PlatformId, now: Timestamp) -> bool {
        let absent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        absent.get(&platform).is_some_and(|found| now.duration_since(*found) < ABSENT_FOR)
    }

    fn insert(&self, platform: PlatformId, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(platform, now);
    }
}

/// Measures the queues of all deployed platforms, stores their dead letters, and records the metrics `QueueAge` and
/// `DeadLettersUnread`.
///
/// # Errors
/// If SQS or the table does not answer.
pub async fn check_queues(
    app: &App,
    absent: &AbsentPlatforms,
    platforms: &[PlatformTraits],
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let mut depths = Vec::new();
    for platform in platforms.iter().map(|known| known.id) {
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
    let stored = store_dead_letters(app, &depths).await;
    let dead: u64 = depths.iter().map(|(_, depth)| depth.dead).sum();
    let unread = dead.saturating_sub(*stored.as_ref().unwrap_or(&0));
    telemetry::record_queues(now, unread, oldest);
    stored.map(|_| ())
}

/// Stores the dead letters of all queues that have any. Returns their number.
async fn store_dead_letters(
    app: &App,
    depths: &[(PlatformId, Depth)],
) -> Result<u64, SchedulerError> {
    let not_empty = depths.iter().filter(|(_, depth)| depth.dead > 0);
    let stored = join_all(not_empty.map(|(platform, _)| store_all(app, *platform)));
    let Ok(stored) = tokio::time::timeout(TIME_LIMIT, stored).await else {
        tracing::warn!("more dead letters than a tick stores: the next one continues");
        return Ok(0);
    };
    stored.into_iter().sum()
}

/// Returns the queues that have messages and no worker, each with the time of the first check that found so.
fn stalled(
    before: &BTreeMap<PlatformId, Timestamp>,
    depths: &[(PlatformId, Depth)],
    now: Timestamp,
) -> BTreeMap<PlatformId, Timestamp> {
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
        let (fax, pager, telex) = (
            PlatformId::from_static("fax"),
            PlatformId::from_static("pager"),
            PlatformId::from_static("telex"),
        );
        let depths = [(fax, depth(3, 0)), (pager, depth(3, 1)), (telex, depth(0, 0))];
        let first = stalled(&BTreeMap::new(), &depths, at(60));
        assert_eq!(first, BTreeMap::from([(fax, at(60))]));
        assert_eq!(stalled(&first, &depths, at(120)), first, "the time does not change");
        let depths = [(fax, depth(3, 1)), (telex, depth(1, 0))];
        assert_eq!(stalled(&first, &depths, at(180)), BTreeMap::from([(telex, at(180))]));
    }

    #[test]
    fn an_absent_platform_is_looked_up_again_after_some_minutes() {
        let absent = AbsentPlatforms::default();
        assert!(!absent.contains(PlatformId::from_static("fax"), at(0)));
        absent.insert(PlatformId::from_static("fax"), at(0));
        assert!(
            absent.contains(PlatformId::from_static("fax"), at(599))
                && !absent.contains(PlatformId::from_static("pager"), at(0))
        );
        assert!(!absent.contains(PlatformId::from_static("fax"), at(600)));
    }
}
