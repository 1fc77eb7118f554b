//! One JSON line per inbound event and per delivery, in CloudWatch's embedded metric format: the same line
//! is log entry and metric.

use std::collections::BTreeMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use trunkline_core::model::{ConnectionId, PlatformId, Trace, time};

/// Namespace of the metrics. Each stack has its own, so that the alarms of two stacks in one account stay
/// separate.
static NAMESPACE: LazyLock<String> =
    LazyLock::new(|| std::env::var("TRUNKLINE_METRICS").unwrap_or_else(|_| "Trunkline".to_owned()));

/// Dimension sets of the metrics. The empty set is for alarms over all platforms. The connection is a
/// dimension only on request, because CloudWatch bills each metric of each connection.
static DIMENSIONS: LazyLock<&[&[&str]]> = LazyLock::new(|| {
    let by_connection =
        std::env::var("TRUNKLINE_CONNECTION_METRICS").is_ok_and(|value| value == "yes");
    if by_connection {
        &[&[], &["platform"], &["platform", "connection"]]
    } else {
        &[&[], &["platform"]]
    }
});

/// Whether lines include more than the metrics. Not at log level `warn`, `error` or `off`.
static INCLUDE_DETAILS: LazyLock<bool> = LazyLock::new(|| {
    let level = std::env::var("TRUNKLINE_LOG").unwrap_or_default();
    !["off", "error", "warn"].contains(&level.to_ascii_lowercase().as_str())
});

/// Metric of the time that messages are in their queues. All its values must have the same unit, because the
/// alarm on it names none.
pub(super) const QUEUE_AGE: &str = "QueueAge";

/// Request id of the current Lambda invocation. A process handles one at a time.
static REQUEST_ID: RwLock<String> = RwLock::new(String::new());

/// Sets the request id of the Lambda invocation that starts.
pub fn set_request_id(request: &str) {
    request.clone_into(&mut REQUEST_ID.write().unwrap_or_else(PoisonError::into_inner));
}

/// Fields of a message's log line. They never contain its text, a secret, or the customer's identity.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct LogFields<'a> {
    /// Trace context; only the trace id is logged.
    #[serde(serialize_with = "serialize_trace_id", skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Trunkline's id of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<&'a str>,
    /// Kind of event, for example `message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<&'a str>,
    /// Delivery id; outbound only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<&'a str>,
    /// HTTP status of the platform's response, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Duration of this step, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<i64>,
    /// Time from the event's arrival to the platform's response, in milliseconds. Also a metric.
    #[serde(rename = "DeliveryTime", skip_serializing_if = "Option::is_none")]
    pub delivery_time: Option<i64>,
    /// Time that the message was in its queue, in seconds. Also a metric of the whole stack.
    #[serde(rename = "QueueAge", skip_serializing_if = "Option::is_none")]
    pub queue_age: Option<i64>,
}

impl<'a> LogFields<'a> {
    /// Returns the fields of an inbound event.
    #[must_use]
    pub fn inbound(
        trace: Trace,
        event: &'a str,
        conversation: Option<&'a str>,
        duration: SignedDuration,
    ) -> Self {
        let ms = Some(time::millis(duration));
        Self { trace: Some(trace), conversation, event: Some(event), ms, ..Self::default() }
    }
}

#[expect(clippy::ref_option, reason = "serde prescribes the signature")]
fn serialize_trace_id<S: serde::Serializer>(
    trace: &Option<Trace>,
    to: S,
) -> Result<S::Ok, S::Error> {
    trace.map(Trace::id).serialize(to)
}

#[derive(Debug, Serialize)]
struct LogLine<'a> {
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a ConnectionId>,
    #[serde(skip_serializing_if = "str::is_empty")]
    request: &'a str,
    #[serde(flatten)]
    fields: LogFields<'a>,
    #[serde(flatten)]
    count: BTreeMap<&'a str, u64>,
    #[serde(rename = "_aws")]
    aws: Metadata<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: &'a [MetricDirective<'a>],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDirective<'a> {
    namespace: &'a str,
    dimensions: &'a [&'a [&'a str]],
    metrics: &'a [MetricDefinition<'a>],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDefinition<'a> {
    name: &'a str,
    unit: &'a str,
}

/// A metric's value with its dimensions: of a connection, of a platform, or of the whole stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measurement<'a> {
    pub(super) name: &'a str,
    pub(super) value: u64,
    pub(super) platform: Option<PlatformId>,
    pub(super) connection: Option<&'a ConnectionId>,
}

/// Prints the line of a measurement.
pub(super) fn print(now: Timestamp, counted: Measurement<'_>, about: LogFields<'_>) {
    let request = REQUEST_ID.read().unwrap_or_else(PoisonError::into_inner);
    let LogFields { delivery_time, queue_age, .. } = about;
    let counted_only = LogFields { delivery_time, queue_age, ..LogFields::default() };
    let (about, request) =
        if *INCLUDE_DETAILS { (about, request.as_str()) } else { (counted_only, "") };
    // Serializing numbers and plain names cannot fail.
    println!("{}", line(now, counted, about, request).unwrap_or_default());
}

fn line(
    now: Timestamp,
    counted: Measurement<'_>,
    about: LogFields<'_>,
    request: &str,
) -> serde_json::Result<String> {
    let Measurement { name, value: number, platform, connection } = counted;
    let metrics = [
        MetricDefinition { name, unit: if name == QUEUE_AGE { "Seconds" } else { "Count" } },
        MetricDefinition { name: "DeliveryTime", unit: "Milliseconds" },
    ];
    let metrics = &metrics[..=usize::from(about.delivery_time.is_some())];
    let dimension_sets = match (platform, connection) {
        (None, _) => 1,
        (Some(_), None) => 2,
        (Some(_), Some(_)) => DIMENSIONS.len(),
    };
    let of = |dimensions, metrics| MetricDirective { namespace: &NAMESPACE, dimensions, metrics };
    let directives = [
        of(&DIMENSIONS[..dimension_sets], metrics),
        // Without dimensions: CloudWatch bills each combination, and SQS reports the age by queue.
        of(&DIMENSIONS[..1], &[MetricDefinition { name: QUEUE_AGE, unit: "Seconds" }]),
    ];
    let directives = &directives[..=usize::from(about.queue_age.is_some())];
    serde_json::to_string(&LogLine {
        outcome: &name.to_ascii_lowercase(),
        platform: platform.as_ref().map(PlatformId::as_str),
        connection,
        request,
        fields: about,
        count: BTreeMap::from([(name, number)]),
        aws: Metadata { timestamp: now.as_millisecond(), cloud_watch_metrics: directives },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(counted: Measurement<'_>, about: LogFields<'_>) -> Value {
        let line = line(Timestamp::UNIX_EPOCH, counted, about, "r-1").unwrap();
        assert!(!line.contains('\n'));
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_message_is_one_log_line_with_its_metrics() {
        let connection: ConnectionId = "shop".parse().unwrap();
        let (platform, connection) = (Some(PlatformId::from_static("fax")), Some(&connection));
        let counted = Measurement { name: "Delivered", value: 1, platform, connection };
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
        let about = LogFields {
            trace,
            conversation: Some("c-1"),
            event: Some("message"),
            delivery: Some("dlv_1"),
            status: Some(200),
            ms: Some(12),
            delivery_time: Some(80),
            queue_age: None,
        };
        let expected = json!({
            "outcome": "delivered", "platform": "fax", "connection": "shop", "request": "r-1",
            "trace": "4bf92f3577b34da6a3ce929d0e0e4736", "conversation": "c-1", "event": "message",
            "delivery": "dlv_1", "status": 200, "ms": 12, "DeliveryTime": 80, "Delivered": 1,
            "_aws": {"Timestamp": 0, "CloudWatchMetrics": [{
                "Namespace": "Trunkline",
                "Dimensions": [[], ["platform"]],
                "Metrics": [
                    {"Name": "Delivered", "Unit": "Count"},
                    {"Name": "DeliveryTime", "Unit": "Milliseconds"},
                ],
            }]},
        });
        assert_eq!(written(counted, about), expected);
    }

    #[test]
    fn the_age_of_a_queue_is_a_metric_of_the_whole_stack() {
        let connection: ConnectionId = "shop".parse().unwrap();
        let (platform, connection) = (Some(PlatformId::from_static("fax")), Some(&connection));
        let counted = Measurement { name: "Delivered", value: 1, platform, connection };
        let about = LogFields { queue_age: Some(412), ..LogFields::default() };
        let written = written(counted, about);
        assert_eq!(written["QueueAge"], 412);
        let expected = json!({
            "Namespace": "Trunkline", "Dimensions": [[]],
            "Metrics": [{"Name": "QueueAge", "Unit": "Seconds"}],
        });
        assert_eq!(written["_aws"]["CloudWatchMetrics"][1], expected);
    }

    #[test]
    fn metrics_without_a_connection_have_no_dimensions() {
        let counted = Measurement { name: "Waiting", value: 7, platform: None, connection: None };
        let written = written(counted, LogFields::default());
        assert_eq!((&written["Waiting"], &written["outcome"]), (&json!(7), &json!("waiting")));
        assert_eq!(written["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(written.get("platform"), None);
    }
}
