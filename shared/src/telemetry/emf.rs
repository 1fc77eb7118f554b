//! One line for each message that comes or goes, which is log and metric in one: CloudWatch's embedded
//! format counts what a line says, so what is counted can be read, and nothing is written twice.

use std::collections::BTreeMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::model::{ConnectionId, Platform, Trace, time};

/// Whose metrics they are: each stack's are its own, so that two in one account keep their alarms apart.
static NAMESPACE: LazyLock<String> =
    LazyLock::new(|| std::env::var("TRUNKLINE_METRICS").unwrap_or_else(|_| "Trunkline".to_owned()));

/// By what metrics are told apart. Without anything, for an alarm over all platforms; by connection only
/// where that is asked for, as CloudWatch bills each metric of each connection.
static DIMENSIONS: LazyLock<&[&[&str]]> = LazyLock::new(|| {
    let asked = std::env::var("TRUNKLINE_CONNECTION_METRICS").is_ok_and(|value| value == "yes");
    if asked { &[&[], &["platform"], &["platform", "connection"]] } else { &[&[], &["platform"]] }
});

/// Whether lines say more than what CloudWatch counts: not where only warnings are wanted.
static TELLS_MORE: LazyLock<bool> = LazyLock::new(|| {
    let level = std::env::var("TRUNKLINE_LOG").unwrap_or_default();
    !["off", "error", "warn"].contains(&level.to_ascii_lowercase().as_str())
});

/// What Lambda calls the run that this process is in: it has one at a time.
static REQUEST: RwLock<String> = RwLock::new(String::new());

/// Notes what Lambda calls the run that begins.
pub fn begin(request: &str) {
    request.clone_into(&mut REQUEST.write().unwrap_or_else(PoisonError::into_inner));
}

/// What a line says of a message. Never its text, never a secret, never who the customer is.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct About<'a> {
    /// Where in a trace it is: only what all of the trace shares is shown.
    #[serde(serialize_with = "id_of", skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Its conversation's id, which is ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<&'a str>,
    /// What kind of event it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<&'a str>,
    /// The delivery's id, on the way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<&'a str>,
    /// The platform's HTTP status, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long this step took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<i64>,
    /// How long it took from the event to the platform's answer, in milliseconds: a metric, too.
    #[serde(rename = "DeliveryTime", skip_serializing_if = "Option::is_none")]
    pub delivery_time: Option<i64>,
}

impl<'a> About<'a> {
    /// What is told of an event that came.
    #[must_use]
    pub fn arrived(
        trace: Trace,
        event: &'a str,
        conversation: Option<&'a str>,
        took: SignedDuration,
    ) -> Self {
        let ms = Some(time::millis(took));
        Self { trace: Some(trace), conversation, event: Some(event), ms, ..Self::default() }
    }
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn id_of<S: serde::Serializer>(trace: &Option<Trace>, to: S) -> Result<S::Ok, S::Error> {
    trace.map(Trace::id).serialize(to)
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a ConnectionId>,
    #[serde(skip_serializing_if = "str::is_empty")]
    request: &'a str,
    #[serde(flatten)]
    about: About<'a>,
    #[serde(flatten)]
    count: BTreeMap<&'a str, u64>,
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
    metrics: &'a [Metric<'a>],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric<'a> {
    name: &'a str,
    unit: &'a str,
}

/// What is counted, and of whom: of a connection, of a platform, or of all of Trunkline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) name: &'a str,
    pub(super) number: u64,
    pub(super) platform: Option<Platform>,
    pub(super) connection: Option<&'a ConnectionId>,
}

/// Writes a line that counts.
pub(super) fn print(now: Timestamp, counted: Counted<'_>, about: About<'_>) {
    let request = REQUEST.read().unwrap_or_else(PoisonError::into_inner);
    let counted_only = About { delivery_time: about.delivery_time, ..About::default() };
    let (about, request) = if *TELLS_MORE { (about, request.as_str()) } else { (counted_only, "") };
    // Numbers and plain names can always be written.
    println!("{}", line(now, counted, about, request).unwrap_or_default());
}

fn line(
    now: Timestamp,
    counted: Counted<'_>,
    about: About<'_>,
    request: &str,
) -> serde_json::Result<String> {
    let Counted { name, number, platform, connection } = counted;
    let metrics =
        [Metric { name, unit: "Count" }, Metric { name: "DeliveryTime", unit: "Milliseconds" }];
    let metrics = &metrics[..=usize::from(about.delivery_time.is_some())];
    // What happens to nobody in particular has nothing to be told apart by.
    let known = match (platform, connection) {
        (None, _) => 1,
        (Some(_), None) => 2,
        (Some(_), Some(_)) => DIMENSIONS.len(),
    };
    let directive = Directive { namespace: &NAMESPACE, dimensions: &DIMENSIONS[..known], metrics };
    serde_json::to_string(&Line {
        outcome: &name.to_ascii_lowercase(),
        platform: platform.map(Platform::name),
        connection,
        request,
        about,
        count: BTreeMap::from([(name, number)]),
        aws: Aws { timestamp: now.as_millisecond(), cloud_watch_metrics: [directive] },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(counted: Counted<'_>, about: About<'_>) -> Value {
        let line = line(Timestamp::UNIX_EPOCH, counted, about, "r-1").unwrap();
        assert!(!line.contains('\n'));
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_message_is_one_line_that_counts() {
        let connection: ConnectionId = "shop".parse().unwrap();
        let (platform, connection) = (Some(Platform::Webex), Some(&connection));
        let counted = Counted { name: "Delivered", number: 1, platform, connection };
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
        let about = About {
            trace,
            conversation: Some("c-1"),
            event: Some("message"),
            delivery: Some("dlv_1"),
            status: Some(200),
            ms: Some(12),
            delivery_time: Some(80),
        };
        let expected = json!({
            "outcome": "delivered", "platform": "webex", "connection": "shop", "request": "r-1",
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
    fn what_is_of_nobody_in_particular_is_counted_without_names() {
        let counted = Counted { name: "Waiting", number: 7, platform: None, connection: None };
        let written = written(counted, About::default());
        assert_eq!((&written["Waiting"], &written["outcome"]), (&json!(7), &json!("waiting")));
        assert_eq!(written["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(written.get("platform"), None);
    }
}
