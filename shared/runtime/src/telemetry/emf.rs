//! One JSON line per inbound event and per delivery, in CloudWatch's embedded metric format: the same line
//! is log entry and metric. CloudWatch bills every byte, so the line of a message that is on its way has only
//! its metrics and what finds the message. Every other line has all fields.

use std::io::Write;
use std::sync::{LazyLock, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::dimensions::{Dimensions, OF_STACK};
use super::log_writer::LogWriter;
use trunkline_core::model::{ConnectionId, PlatformId, Trace, time};

/// Metric of the time that messages are in their queues.
pub(super) const QUEUE_AGE: &str = "QueueAge";

/// Metric of the time from an event's arrival to the platform's response.
const DELIVERY_TIME: &str = "DeliveryTime";

/// Kind of event that a line names only if all its fields are logged.
const USUAL_EVENT: &str = "message";

/// Duration from which the line of an accepted event has it, in milliseconds.
const SLOW_MS: i64 = 1_000;

/// Initial capacity for a line: most are shorter.
const LINE_BYTES: usize = 640;

/// What the template sets for a function.
#[derive(Debug)]
struct Settings {
    /// Namespace of the metrics. Each stack has its own, so that the alarms of two stacks in one account stay
    /// separate.
    namespace: String,
    dimensions: Dimensions,
    /// Whether lines include more than the metrics. Not at log level `warn`, `error` or `off`.
    details: bool,
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let variable = |name| std::env::var(name).ok();
    let level = variable("TRUNKLINE_LOG").unwrap_or_default();
    Settings {
        namespace: variable("TRUNKLINE_METRICS").unwrap_or_else(|| "Trunkline".to_owned()),
        dimensions: Dimensions::from_name(
            &variable("TRUNKLINE_METRIC_DIMENSIONS").unwrap_or_default(),
        ),
        details: !["off", "error", "warn"].iter().any(|quiet| level.eq_ignore_ascii_case(quiet)),
    }
});

/// Request id of the current Lambda invocation. A process handles one at a time.
static REQUEST_ID: RwLock<String> = RwLock::new(String::new());

/// Sets the request id of the Lambda invocation that starts.
pub fn set_request_id(request: &str) {
    request.clone_into(&mut REQUEST_ID.write().unwrap_or_else(PoisonError::into_inner));
}

/// Fields of a message's log line. They never contain its text, a secret, or the customer's identity.
#[derive(Debug, Default, Clone, Copy)]
pub struct LogFields<'a> {
    /// Trace context; only the trace id is logged.
    pub trace: Option<Trace>,
    /// Trunkline's id of the conversation.
    pub conversation: Option<&'a str>,
    /// Kind of event, for example `message`.
    pub event: Option<&'a str>,
    /// Delivery id; outbound only.
    pub delivery: Option<&'a str>,
    /// HTTP status of the platform's response, if there is one.
    pub status: Option<u16>,
    /// Duration of this step, in milliseconds.
    pub ms: Option<i64>,
    /// Time from the event's arrival to the platform's response, in milliseconds. Also a metric.
    pub delivery_time: Option<i64>,
    /// Time that the message was in its queue, in seconds. Also a metric of the whole stack.
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

    /// Returns the fields that find a message which is on its way. The trace leads from the line of an event,
    /// which has the conversation, to those of its deliveries. The table has the id of each delivery.
    fn brief(self) -> Self {
        let (is_delivery, is_traced) = (self.delivery.is_some(), self.trace.is_some());
        Self {
            conversation: self.conversation.filter(|_| !(is_delivery && is_traced)),
            event: self.event.filter(|kind| *kind != USUAL_EVENT),
            delivery: self.delivery.filter(|_| !is_traced),
            status: self.status.filter(|status| !(200..300).contains(status)),
            ms: self.ms.filter(|ms| is_delivery || *ms >= SLOW_MS),
            ..self
        }
    }

    /// Returns the fields that are metrics.
    fn metrics(self) -> Self {
        let Self { delivery_time, queue_age, .. } = self;
        Self { delivery_time, queue_age, ..Self::default() }
    }
}

/// How much of a measurement its line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All fields that the measurement has.
    Full,
    /// The fields that find a message which is on its way.
    Brief,
}

/// A metric's value with its dimensions: of a connection, of a platform, or of the whole stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measurement<'a> {
    pub(super) name: &'a str,
    pub(super) value: u64,
    pub(super) platform: Option<PlatformId>,
    pub(super) connection: Option<&'a ConnectionId>,
    pub(super) detail: Detail,
}

/// Prints the line of a measurement, by one write.
pub(super) fn print(now: Timestamp, counted: Measurement<'_>, about: LogFields<'_>) {
    let request = REQUEST_ID.read().unwrap_or_else(PoisonError::into_inner);
    let line = line(&SETTINGS, now, counted, about, &request);
    // If standard output is closed, there is no other place for a report.
    let _ = LogWriter.write_all(&line);
}

/// Returns the line of a measurement, with its line break.
fn line(
    settings: &Settings,
    now: Timestamp,
    counted: Measurement<'_>,
    about: LogFields<'_>,
    request: &str,
) -> Vec<u8> {
    let Settings { dimensions, details, .. } = *settings;
    let is_full = counted.detail == Detail::Full;
    let fields = match (details, is_full) {
        (false, _) => about.metrics(),
        (true, true) => about,
        (true, false) => about.brief(),
    };
    // A brief line has the platform only as a dimension: the connection implies it.
    let has_platform = is_full || dimensions != Dimensions::Stack;
    let has_connection = is_full || details || dimensions == Dimensions::Connection;
    let line = LogLine {
        settings,
        now,
        name: counted.name,
        value: counted.value,
        // The name of the metric says it too, but queries can group by the outcome.
        outcome: is_full.then(|| counted.name.to_ascii_lowercase()),
        platform: counted.platform.as_ref().filter(|_| has_platform).map(PlatformId::as_str),
        connection: counted.connection.filter(|_| has_connection).map(ConnectionId::as_str),
        request: Some(request).filter(|id| details && is_full && !id.is_empty()),
        fields,
    };
    let mut text = Vec::with_capacity(LINE_BYTES);
    // Serializing numbers and texts into memory cannot fail.
    let _ = serde_json::to_writer(&mut text, &line);
    text.push(b'\n');
    text
}

#[derive(Debug)]
struct LogLine<'a> {
    settings: &'a Settings,
    now: Timestamp,
    name: &'a str,
    value: u64,
    outcome: Option<String>,
    platform: Option<&'a str>,
    connection: Option<&'a str>,
    request: Option<&'a str>,
    fields: LogFields<'a>,
}

impl Serialize for LogLine<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let fields = self.fields;
        let mut members = to.serialize_map(None)?;
        members.serialize_entry(self.name, &self.value)?;
        add(&mut members, "outcome", self.outcome.as_deref())?;
        add(&mut members, "platform", self.platform)?;
        add(&mut members, "connection", self.connection)?;
        add(&mut members, "request", self.request)?;
        add(&mut members, "trace", fields.trace.map(Trace::id))?;
        add(&mut members, "conversation", fields.conversation)?;
        add(&mut members, "event", fields.event)?;
        add(&mut members, "delivery", fields.delivery)?;
        add(&mut members, "status", fields.status)?;
        add(&mut members, "ms", fields.ms)?;
        add(&mut members, DELIVERY_TIME, fields.delivery_time)?;
        add(&mut members, QUEUE_AGE, fields.queue_age)?;
        members.serialize_entry("_aws", &Metadata(self))?;
        members.end()
    }
}

/// Adds a member, if it has a value.
fn add<M: SerializeMap>(
    members: &mut M,
    name: &str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| members.serialize_entry(name, &value))
}

/// What CloudWatch counts in a line.
struct Metadata<'a>(&'a LogLine<'a>);

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDirective<'a> {
    namespace: &'a str,
    dimensions: &'a [&'a [&'a str]],
    metrics: &'a [MetricDefinition<'a>],
}

/// A metric, without a unit: nothing reads it, and an alarm that names none finds all.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDefinition<'a> {
    name: &'a str,
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(LogLine { settings, now, name, platform, connection, fields, .. }) = *self;
        let sets = settings.dimensions.sets(platform.is_some(), connection.is_some());
        let of = |dimensions, metrics| MetricDirective {
            namespace: &settings.namespace,
            dimensions,
            metrics,
        };
        let metrics = [MetricDefinition { name }, MetricDefinition { name: DELIVERY_TIME }];
        let directives = [
            of(sets, &metrics[..=usize::from(fields.delivery_time.is_some())]),
            // Without dimensions: CloudWatch bills each combination, and SQS reports the age by queue.
            of(OF_STACK, &[MetricDefinition { name: QUEUE_AGE }]),
        ];
        let mut members = to.serialize_map(Some(2))?;
        members.serialize_entry("Timestamp", &now.as_millisecond())?;
        let directives = &directives[..=usize::from(fields.queue_age.is_some())];
        members.serialize_entry("CloudWatchMetrics", directives)?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const CONVERSATION: &str = "01a22d0f-7627-7576-a25a-e1a53acdf4f9";
    const DELIVERY: &str = "dlv_OEjXYjk1kXJcFCcp1XB1xxBddxK_Ba-btdULNJlmVnI";
    const REQUEST: &str = "9aac2697-ee0f-4330-9049-25d8b5ff053e";

    /// As the template sets them for a stack of this name.
    fn settings() -> Settings {
        Settings {
            namespace: "Trunkline/trunkline".to_owned(),
            dimensions: Dimensions::Stack,
            details: true,
        }
    }

    fn trace() -> Option<Trace> {
        format!("00-{TRACE}-00f067aa0ba902b7-01").parse().ok()
    }

    fn connection() -> ConnectionId {
        "shop-bot-001".parse().unwrap()
    }

    fn measurement<'a>(
        name: &'a str,
        detail: Detail,
        connection: &'a ConnectionId,
    ) -> Measurement<'a> {
        let platform = Some(PlatformId::from_static("faxline"));
        Measurement { name, value: 1, platform, connection: Some(connection), detail }
    }

    fn written(settings: &Settings, counted: Measurement<'_>, about: LogFields<'_>) -> String {
        let now = Timestamp::from_millisecond(1_796_052_319_320).unwrap();
        let line = String::from_utf8(line(settings, now, counted, about, REQUEST)).unwrap();
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'));
        line.to_owned()
    }

    fn inbound<'a>() -> LogFields<'a> {
        LogFields {
            trace: trace(),
            conversation: Some(CONVERSATION),
            event: Some("message"),
            ms: Some(12),
            ..LogFields::default()
        }
    }

    fn outbound<'a>() -> LogFields<'a> {
        LogFields {
            delivery: Some(DELIVERY),
            status: Some(200),
            ms: Some(41),
            delivery_time: Some(1_630),
            ..inbound()
        }
    }

    fn accepted(settings: &Settings, about: LogFields<'_>) -> String {
        let connection = connection();
        let counted = measurement("Accepted", Detail::Brief, &connection);
        written(settings, counted, about)
    }

    fn delivered(settings: &Settings, about: LogFields<'_>) -> String {
        written(settings, measurement("Delivered", Detail::Brief, &connection()), about)
    }

    fn json(line: &str) -> Value {
        serde_json::from_str(line).unwrap()
    }

    fn aws(dimensions: &Value, metrics: &[&str]) -> Value {
        let metrics: Vec<_> = metrics.iter().map(|name| json!({"Name": name})).collect();
        let directive = json!({
            "Namespace": "Trunkline/trunkline", "Dimensions": dimensions, "Metrics": metrics,
        });
        json!({"Timestamp": 1_796_052_319_320_i64, "CloudWatchMetrics": [directive]})
    }

    #[test]
    fn the_lines_of_a_message_have_less_than_600_bytes() {
        let quiet = Settings { details: false, ..settings() };
        for (settings, limit) in [(settings(), 600), (quiet, 400)] {
            let lines = [accepted(&settings, inbound()), delivered(&settings, outbound())];
            let bytes: usize = lines.iter().map(String::len).sum();
            assert!(bytes < limit, "{bytes} bytes: {lines:#?}");
        }
    }

    #[test]
    fn an_accepted_event_is_found_by_its_conversation_and_its_trace() {
        let expected = json!({
            "Accepted": 1, "connection": "shop-bot-001", "trace": TRACE,
            "conversation": CONVERSATION, "_aws": aws(&json!([[]]), &["Accepted"]),
        });
        assert_eq!(json(&accepted(&settings(), inbound())), expected);
    }

    #[test]
    fn a_delivered_message_is_found_by_its_trace() {
        let expected = json!({
            "Delivered": 1, "connection": "shop-bot-001", "trace": TRACE,
            "ms": 41, "DeliveryTime": 1_630,
            "_aws": aws(&json!([[]]), &["Delivered", "DeliveryTime"]),
        });
        assert_eq!(json(&delivered(&settings(), outbound())), expected);
    }

    #[test]
    fn a_delivery_without_a_trace_is_found_by_its_ids() {
        let line = json(&delivered(&settings(), LogFields { trace: None, ..outbound() }));
        assert_eq!(line["conversation"], CONVERSATION);
        assert_eq!(line["delivery"], DELIVERY);
    }

    #[test]
    fn unusual_values_of_a_message_are_logged() {
        let slow = LogFields { event: Some("handover"), ms: Some(1_000), ..inbound() };
        let line = json(&accepted(&settings(), slow));
        assert_eq!((&line["event"], &line["ms"]), (&json!("handover"), &json!(1_000)));
        let known = LogFields { status: Some(409), event: Some("receipt"), ..outbound() };
        let line = json(&delivered(&settings(), known));
        assert_eq!((&line["event"], &line["status"]), (&json!("receipt"), &json!(409)));
    }

    #[test]
    fn a_failed_attempt_has_all_fields() {
        let about = LogFields { status: Some(503), delivery_time: None, ..outbound() };
        let line = written(&settings(), measurement("Retried", Detail::Full, &connection()), about);
        let expected = json!({
            "Retried": 1, "outcome": "retried", "platform": "faxline",
            "connection": "shop-bot-001", "request": REQUEST, "trace": TRACE,
            "conversation": CONVERSATION, "event": "message", "delivery": DELIVERY,
            "status": 503, "ms": 41, "_aws": aws(&json!([[]]), &["Retried"]),
        });
        assert_eq!(json(&line), expected);
    }

    #[test]
    fn without_details_a_line_has_its_metrics() {
        let quiet = Settings { details: false, ..settings() };
        let accepted = json(&accepted(&quiet, inbound()));
        assert_eq!(accepted, json!({"Accepted": 1, "_aws": aws(&json!([[]]), &["Accepted"])}));
        let expected = json!({
            "Delivered": 1, "DeliveryTime": 1_630,
            "_aws": aws(&json!([[]]), &["Delivered", "DeliveryTime"]),
        });
        assert_eq!(json(&delivered(&quiet, outbound())), expected);
        let failed =
            written(&quiet, measurement("Failed", Detail::Full, &connection()), outbound());
        assert_eq!(json(&failed)["connection"], "shop-bot-001");
    }

    #[test]
    fn on_request_the_platform_and_the_connection_are_dimensions_of_every_metric() {
        let cases = [
            ("platform", json!([[], ["platform"]])),
            ("connection", json!([[], ["platform"], ["platform", "connection"]])),
        ];
        for ((name, expected), details) in
            cases.iter().flat_map(|case| [(case, true), (case, false)])
        {
            let dimensions = Dimensions::from_name(name);
            let settings = Settings { dimensions, details, ..settings() };
            for line in [accepted(&settings, inbound()), delivered(&settings, outbound())] {
                let line = json(&line);
                assert_eq!(&line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], expected);
                assert_eq!(line["platform"], "faxline");
                let has_connection = details || dimensions == Dimensions::Connection;
                assert_eq!(line["connection"] == "shop-bot-001", has_connection);
            }
        }
    }

    #[test]
    fn the_age_of_a_queue_is_a_metric_of_the_whole_stack() {
        let line = json(&delivered(&settings(), LogFields { queue_age: Some(412), ..outbound() }));
        assert_eq!(line["QueueAge"], 412);
        let expected = &aws(&json!([[]]), &["QueueAge"])["CloudWatchMetrics"][0];
        assert_eq!(&line["_aws"]["CloudWatchMetrics"][1], expected);
    }

    #[test]
    fn metrics_of_the_stack_have_no_dimensions() {
        let counted = Measurement {
            name: "Waiting",
            value: 7,
            platform: None,
            connection: None,
            detail: Detail::Full,
        };
        let line = json(&written(&settings(), counted, LogFields::default()));
        assert_eq!((&line["Waiting"], &line["outcome"]), (&json!(7), &json!("waiting")));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(line.get("platform"), None);
    }

    #[test]
    fn ids_are_escaped() {
        let id = "a\"b\\c\nd\u{1}";
        let line = accepted(&settings(), LogFields { conversation: Some(id), ..inbound() });
        assert_eq!(json(&line)["conversation"], id);
    }
}
