//! Metrics in CloudWatch's embedded format: a log line each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{ConnectionId, Platform};

/// By what metrics are told apart. Without anything, for an alarm over all platforms; by connection only
/// where that is asked for, as CloudWatch bills each metric of each connection.
static DIMENSIONS: LazyLock<&[&[&str]]> = LazyLock::new(|| {
    let asked = std::env::var("TRUNKLINE_CONNECTION_METRICS").is_ok_and(|value| value == "yes");
    if asked { &[&[], &["platform"], &["platform", "connection"]] } else { &[&[], &["platform"]] }
});

#[derive(Debug, Serialize)]
struct Line<'a> {
    platform: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a ConnectionId>,
    #[serde(flatten)]
    count: BTreeMap<&'a str, u32>,
    #[serde(rename = "_aws")]
    aws: Aws<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aws<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: &'a [&'a [&'a str]],
    metrics: [Metric<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric<'a> {
    name: &'a str,
    unit: &'a str,
}

/// Writes a line that counts one.
pub(super) fn print(
    now: Timestamp,
    name: &str,
    platform: Platform,
    connection: Option<&ConnectionId>,
) {
    // Numbers and plain names can always be written.
    println!("{}", line(now, name, platform, connection).unwrap_or_default());
}

fn line(
    now: Timestamp,
    name: &str,
    platform: Platform,
    connection: Option<&ConnectionId>,
) -> serde_json::Result<String> {
    let metrics = [Metric { name, unit: "Count" }];
    // What happens to no connection in particular has none to be told apart by.
    let dimensions = &DIMENSIONS[..if connection.is_some() { DIMENSIONS.len() } else { 2 }];
    let directive = Directive { namespace: "Trunkline", dimensions, metrics };
    serde_json::to_string(&Line {
        platform: platform.name(),
        connection,
        count: BTreeMap::from([(name, 1)]),
        aws: Aws { timestamp: now.as_millisecond(), cloud_watch_metrics: [directive] },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_count_is_in_the_embedded_metric_format() {
        let connection: ConnectionId = "shop".parse().unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let line = line(at, "Accepted", Platform::Webex, Some(&connection)).unwrap();
        let expected = json!({
            "platform": "webex", "connection": "shop", "Accepted": 1,
            "_aws": {"Timestamp": 0, "CloudWatchMetrics": [{
                "Namespace": "Trunkline",
                "Dimensions": [[], ["platform"]],
                "Metrics": [{"Name": "Accepted", "Unit": "Count"}],
            }]},
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }
}
