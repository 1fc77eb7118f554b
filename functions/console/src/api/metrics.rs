//! How much happened, for plots.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_shared::store::Counts;
use trunkline_shared::telemetry::BUCKETS;
use utoipa::{IntoParams, ToSchema};

use crate::Console;
use crate::caller::Caller;
use crate::extract::Query;
use crate::problem::Problem;
use crate::several;

/// What is plotted by its count.
const COUNTED: [&str; 5] = ["accepted", "delivered", "failed", "retried", "parked"];
/// How many connections are added up at most.
const MOST: u16 = 500;

/// Which plots are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Over the last hour, by minute; or the last day, by quarter of an hour.
    #[param(inline)]
    window: Span,
    /// Only this connection's; all together, if left out.
    connection: Option<String>,
}

/// Over how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// 60 minutes.
    Hour,
    /// 96 quarters of an hour.
    Day,
}

/// How much happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metrics {
    window: Span,
    step_seconds: i64,
    from: Timestamp,
    until: Timestamp,
    /// One value for each step. A time is missing where nothing was delivered.
    series: BTreeMap<String, Vec<Option<u64>>>,
}

/// How much happened, and how long it took. Approximate: what a process counted that was ended before it
/// could say so is missing. The CloudWatch metrics have all of it.
#[utoipa::path(get, path = "/metrics", tag = "health", params(Which),
    responses((status = 200, body = Metrics)))]
pub async fn metrics(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(which): Query<Which>,
) -> Result<axum::Json<Metrics>, Problem> {
    let store = &console.app.store;
    let connections = match &which.connection {
        Some(only) => vec![only.parse()?],
        None => store.connections(None, MOST).await?.into_iter().map(|listed| listed.id).collect(),
    };
    let (step, steps) = match which.window {
        Span::Hour => (60, 60),
        Span::Day => (900, 96),
    };
    let now = console.app.clock.now();
    // The step that is going on is the last.
    let end = now.as_second() - now.as_second().rem_euclid(step) + step;
    let (from, until) = (time(end - step * steps), time(end));
    let rates = several::all(connections.iter().map(|id| store.rates(id, from))).await?;
    let mut by_step = vec![Counts::new(); usize::try_from(steps).unwrap_or_default()];
    for (at, counts) in rates.into_iter().flatten() {
        let place = (at.as_second() - from.as_second()).div_euclid(step);
        let into = usize::try_from(place).ok().and_then(|place| by_step.get_mut(place));
        let Some(into) = into else { continue };
        for (name, count) in counts {
            *into.entry(name).or_default() += count;
        }
    }
    let mut series = BTreeMap::new();
    for name in COUNTED {
        let values = by_step.iter().map(|counts| Some(counts.get(name).copied().unwrap_or(0)));
        series.insert(name.to_owned(), values.collect());
    }
    for (name, share) in [("latency_p50_ms", 50), ("latency_p99_ms", 99)] {
        let values = by_step.iter().map(|counts| percentile(counts, share)).collect();
        series.insert(name.to_owned(), values);
    }
    Ok(axum::Json(Metrics { window: which.window, step_seconds: step, from, until, series }))
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The upper end of the class in which a share of the times lies, in milliseconds.
fn percentile(counts: &Counts, share: u64) -> Option<u64> {
    let classes: Vec<u64> = (0..=BUCKETS.len())
        .map(|class| counts.get(&format!("t{class:02}")).copied().unwrap_or(0))
        .collect();
    let all: u64 = classes.iter().sum();
    let wanted = (all * share).div_ceil(100);
    let mut seen = 0;
    for (class, count) in classes.iter().enumerate() {
        seen += count;
        if *count > 0 && seen >= wanted {
            let end = BUCKETS.get(class).or(BUCKETS.last()).copied().unwrap_or_default();
            return u64::try_from(end).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ends_of_classes() {
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
