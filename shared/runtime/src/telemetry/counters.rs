//! Counters for the console's charts: kept in this process and added to the table every ten seconds. If
//! Lambda ends the process before that, its counts are missing from the charts; the CloudWatch metrics are
//! complete.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::store::{Counts, start_of_minute};
use trunkline_core::model::{ConnectionId, time};

/// Minimum time between two writes to the table, so that they cost a busy process next to nothing.
const FLUSH_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Upper bounds of the latency histogram's buckets, in milliseconds. One more bucket counts longer times.
pub const LATENCY_BUCKETS_MS: [i64; 15] =
    [20, 50, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 5_000, 10_000, 60_000, 600_000];

#[derive(Debug, Default)]
struct Counters {
    counts: HashMap<(ConnectionId, Timestamp), Counts>,
    flushed_at: Option<Timestamp>,
}

static COUNTERS: LazyLock<Mutex<Counters>> = LazyLock::new(Mutex::default);

fn counters() -> MutexGuard<'static, Counters> {
    COUNTERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds one to the counter `name`; does nothing for `None`.
pub(super) fn add(connection: &ConnectionId, now: Timestamp, name: Option<&str>) {
    let Some(name) = name else { return };
    let mut counters = counters();
    let counts = counters.counts.entry((connection.clone(), start_of_minute(now))).or_default();
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// Records the time from an event's arrival to its delivery, in the latency histogram.
pub fn record_latency(connection: &ConnectionId, now: Timestamp, latency: SignedDuration) {
    let millis = time::millis(latency);
    let bucket = LATENCY_BUCKETS_MS.iter().take_while(|end| millis > **end).count();
    add(connection, now, Some(&format!("t{bucket:02}")));
}

/// Writes the counters to the table if the flush interval has passed. Counters that cannot be written are
/// dropped: a chart does not justify a retry.
pub async fn flush(app: &App) {
    let now = app.clock.now();
    let due = {
        let mut counters = counters();
        let is_soon = counters.flushed_at.is_some_and(|at| now.duration_since(at) < FLUSH_INTERVAL);
        if counters.counts.is_empty() || is_soon {
            return;
        }
        counters.flushed_at = Some(now);
        std::mem::take(&mut counters.counts)
    };
    let writes = due
        .iter()
        .map(|((connection, minute), counts)| app.store.add_rates(connection, *minute, counts));
    let failed = futures_util::future::join_all(writes).await.into_iter().find_map(Result::err);
    if let Some(why) = failed {
        tracing::warn!(%why, "cannot write the counters of the console's charts");
    }
}
