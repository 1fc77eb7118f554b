//! What the console plots: counted in this process, and added to the table now and then. What a process
//! counted that is ended before it could say so is missing there; the metrics have all of it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::model::{ConnectionId, time};
use crate::store::{Counts, minute};

/// How long lies between two additions at least, so that they cost a busy process next to nothing.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// The upper ends of the classes into which times are counted, in milliseconds; one more has the rest.
pub const BUCKETS: [i64; 15] =
    [20, 50, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 5_000, 10_000, 60_000, 600_000];

#[derive(Debug, Default)]
struct Tally {
    counts: HashMap<(ConnectionId, Timestamp), Counts>,
    flushed_at: Option<Timestamp>,
}

static TALLY: LazyLock<Mutex<Tally>> = LazyLock::new(Mutex::default);

fn tally() -> MutexGuard<'static, Tally> {
    TALLY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts one under a name, if it has one.
pub(super) fn add(connection: &ConnectionId, now: Timestamp, name: Option<&str>) {
    let Some(name) = name else { return };
    let mut tally = tally();
    let counts = tally.counts.entry((connection.clone(), minute(now))).or_default();
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// Counts how long an event took from its arrival to its far side.
pub fn took(connection: &ConnectionId, now: Timestamp, took: SignedDuration) {
    let millis = time::millis(took);
    let class = BUCKETS.iter().take_while(|end| millis > **end).count();
    add(connection, now, Some(&format!("t{class:02}")));
}

/// Adds to the table what was counted, if that is due. What cannot be added is not counted: nobody
/// waits for a plot.
pub async fn flush(app: &App) {
    let now = app.clock.now();
    let due = {
        let mut tally = tally();
        let is_soon = tally.flushed_at.is_some_and(|at| now.duration_since(at) < EVERY);
        if tally.counts.is_empty() || is_soon {
            return;
        }
        tally.flushed_at = Some(now);
        std::mem::take(&mut tally.counts)
    };
    let adding = due
        .iter()
        .map(|((connection, minute), counts)| app.store.add_rates(connection, *minute, counts));
    let failed = futures_util::future::join_all(adding).await.into_iter().find_map(Result::err);
    if let Some(why) = failed {
        tracing::warn!(%why, "what was counted is not in the plots");
    }
}
