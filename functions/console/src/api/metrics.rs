//! Time series of the last hour or day.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_runtime::store::Counts;
use trunkline_runtime::telemetry::LATENCY_BUCKETS_MS;
use utoipa::{IntoParams, ToSchema};

use crate::Console;
use crate::auth::Caller;
use crate::concurrency::join_all_bounded;
use crate::extract::Query;
use crate::problem::Problem;

/// The counters that have a series.
const COUNTERS: [&str; 5] = ["accepted", "delivered", "failed", "retried", "parked"];
/// The maximum number of connections that are summed up.
const MAX_CONNECTIONS: u16 = 500;

/// The filters of the metrics.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MetricsQuery {
    /// The last hour in steps of a minute, or the last day in steps of 15 minutes.
    #[param(inline)]
    window: Window,
    /// Only this connection. Leave it out for the sum of all.
    connection: Option<String>,
}

/// A period of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// 60 steps of a minute.
    Hour,
    /// 96 steps of 15 minutes.
    Day,
}

/// Time series by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metrics {
    window: Window,
    step_seconds: i64,
    from: Timestamp,
    until: Timestamp,
    /// One value per step. A latency is null where nothing was delivered.
    series: BTreeMap<String, Vec<Option<u64>>>,
}

/// Get counts and latencies. Approximate: the last counts of a process that Lambda stops early are missing.
/// The CloudWatch metrics are complete.
#[utoipa::path(get, path = "/metrics", tag = "health", params(MetricsQuery),
    responses((status = 200, body = Metrics)))]
pub async fn metrics(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(query): Query<MetricsQuery>,
) -> Result<axum::Json<Metrics>, Problem> {
    let store = &console.app.store;
    let connections = match &query.connection {
        Some(only) => vec![only.parse()?],
        None => store
            .connections(None, MAX_CONNECTIONS)
            .await?
            .into_iter()
            .map(|listed| listed.id)
            .collect(),
    };
    let (step, steps) = match query.window {
        Window::Hour => (60, 60),
        Window::Day => (900, 96),
    };
    let now = console.app.clock.now();
    // The last step is the current one.
    let end = now.as_second() - now.as_second().rem_euclid(step) + step;
    let (from, until) = (timestamp(end - step * steps), timestamp(end));
    let rates = join_all_bounded(connections.iter().map(|id| store.rates(id, from))).await?;
    let mut by_step = vec![Counts::new(); usize::try_from(steps).unwrap_or_default()];
    for (at, counts) in rates.into_iter().flatten() {
        let index = (at.as_second() - from.as_second()).div_euclid(step);
        let step_counts = usize::try_from(index).ok().and_then(|index| by_step.get_mut(index));
        let Some(step_counts) = step_counts else { continue };
        for (name, count) in counts {
            *step_counts.entry(name).or_default() += count;
        }
    }
    let mut series = BTreeMap::new();
    for name in COUNTERS {
        let values = by_step.iter().map(|counts| Some(counts.get(name).copied().unwrap_or(0)));
        series.insert(name.to_owned(), values.collect());
    }
    for (name, percent) in [("latency_p50_ms", 50), ("latency_p99_ms", 99)] {
        let values = by_step.iter().map(|counts| percentile(counts, percent)).collect();
        series.insert(name.to_owned(), values);
    }
    Ok(axum::Json(Metrics { window: query.window, step_seconds: step, from, until, series }))
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Returns the upper bound of the histogram bucket that contains a percentile, in milliseconds.
fn percentile(counts: &Counts, percent: u64) -> Option<u64> {
    let buckets: Vec<u64> = (0..=LATENCY_BUCKETS_MS.len())
        .map(|bucket| counts.get(&format!("t{bucket:02}")).copied().unwrap_or(0))
        .collect();
    let total: u64 = buckets.iter().sum();
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    for (bucket, count) in buckets.iter().enumerate() {
        seen += count;
        if *count > 0 && seen >= rank {
            let bound = LATENCY_BUCKETS_MS
                .get(bucket)
                .or(LATENCY_BUCKETS_MS.last())
                .copied()
                .unwrap_or_default();
            return u64::try_from(bound).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_upper_bounds_of_buckets() {
        let counts = |times: &[(&str, u64)]| -> Counts {
            times.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
        };
        assert_eq!(percentile(&counts(&[]), 50), None);
        let some = counts(&[("t00", 50), ("t02", 49), ("t08", 1)]);
        assert_eq!(percentile(&some, 50), Some(20));
        assert_eq!(percentile(&some, 99), Some(100));
        assert_eq!(percentile(&counts(&[("t15", 1)]), 50), Some(600_000));
    }
}
