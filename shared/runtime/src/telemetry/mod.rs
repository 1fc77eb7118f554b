//! Logs and metrics: one JSON line per message, which CloudWatch also counts, and log lines for exceptional
//! events. At no log level does a line contain a secret or the text of a message.

mod counters;
mod dimensions;
mod emf;
mod log_writer;
mod panics;

use jiff::{SignedDuration, Timestamp};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use counters::{LATENCY_BUCKETS_MS, flush, record_latency};
pub use emf::{LogFields, set_request_id};

use self::emf::{Detail, Measurement};
use crate::app::{Clock, SystemClock};
use trunkline_core::model::{Connection, PlatformId};

/// A metric that is counted by platform and connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// An inbound event was accepted.
    Accepted,
    /// An inbound event had been accepted before.
    Duplicate,
    /// An inbound event was refused; the platform received the reason.
    Refused,
    /// An inbound body was unreadable and was stored for operators.
    Unreadable,
    /// An inbound call had a wrong signature or token.
    Denied,
    /// An inbound URL had a wrong key, or the caller's IP address is not in `allow_ips`.
    InvalidUrlKey,
    /// An inbound call had an unexpected token but was accepted: see Webex Connect's verification token.
    TokenMismatch,
    /// A delivery reached its platform.
    Delivered,
    /// A delivery failed and will be retried.
    Retried,
    /// A delivery failed permanently.
    Failed,
    /// A delivery was not sent: the platform does not support its kind of event.
    Skipped,
    /// A delivery was parked in the table.
    Parked,
    /// A connection's breaker opened.
    BreakerOpened,
    /// A connection's breaker closed.
    BreakerClosed,
}

impl Metric {
    /// Returns the name of the CloudWatch metric.
    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Duplicate => "Duplicate",
            Self::Refused => "Refused",
            Self::Unreadable => "Unreadable",
            Self::Denied => "Denied",
            Self::InvalidUrlKey => "InvalidUrlKey",
            Self::TokenMismatch => "TokenMismatch",
            Self::Delivered => "Delivered",
            Self::Retried => "Retried",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Parked => "Parked",
            Self::BreakerOpened => "BreakerOpened",
            Self::BreakerClosed => "BreakerClosed",
        }
    }

    /// Returns how much its log line has. Only the lines of messages on their way are brief: all others are about
    /// something that an operator looks for.
    fn detail(self) -> Detail {
        match self {
            Self::Accepted | Self::Delivered => Detail::Brief,
            Self::Duplicate
            | Self::Refused
            | Self::Unreadable
            | Self::Denied
            | Self::InvalidUrlKey
            | Self::TokenMismatch
            | Self::Retried
            | Self::Failed
            | Self::Skipped
            | Self::Parked
            | Self::BreakerOpened
            | Self::BreakerClosed => Detail::Full,
        }
    }

    /// Returns the counter in the console's charts that includes this metric. Several metrics can share one.
    fn counter_name(self) -> Option<&'static str> {
        match self {
            Self::Accepted => Some("accepted"),
            Self::Delivered => Some("delivered"),
            Self::Retried => Some("retried"),
            Self::Parked => Some("parked"),
            Self::Failed | Self::Refused | Self::Unreadable | Self::Denied => Some("failed"),
            Self::Duplicate
            | Self::InvalidUrlKey
            | Self::TokenMismatch
            | Self::Skipped
            | Self::BreakerOpened
            | Self::BreakerClosed => None,
        }
    }
}

/// Starts logging: one JSON object per line, at the level in `TRUNKLINE_LOG` (default `info`).
pub fn init() {
    panics::install_hook();
    let level = std::env::var("TRUNKLINE_LOG").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    // Debug lines of libraries contain requests, so only Trunkline's crates use the level: the names of all
    // of them begin with this prefix.
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("trunkline_", level);
    // The runtime's span adds the request id and the trace id to each line.
    let filter = filter.with_target("lambda_runtime::layers::trace", LevelFilter::INFO);
    let log = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let log = log.with_current_span(true).with_span_list(false).with_target(false);
    let log = log.with_writer(log_writer::LogWriter::default);
    // A second start in the same process (in tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(filter).with(log).try_init();
}

/// Records one occurrence of a metric without further fields.
pub fn count(now: Timestamp, metric: Metric, connection: &Connection) {
    record(now, metric, connection, LogFields::default());
}

/// Records one occurrence of a metric with the fields of its log line.
pub fn record(now: Timestamp, metric: Metric, connection: &Connection, fields: LogFields<'_>) {
    counters::add(&connection.id, now, metric.counter_name());
    let measurement = Measurement {
        name: metric.name(),
        value: 1,
        platform: Some(connection.platform),
        connection: Some(&connection.id),
        detail: metric.detail(),
    };
    emf::print(now, measurement, fields);
}

/// Records how many deliveries are parked in the table now.
pub fn record_waiting(now: Timestamp, number: usize) {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    emf::print(now, of_stack("Waiting", number), LogFields::default());
}

/// Records that the process panicked. Its panic hook calls this.
fn record_panic() {
    emf::print(SystemClock.now(), of_stack("Panicked", 1), LogFields::default());
}

/// Records a dead letter of a platform.
pub fn record_dead_letter(now: Timestamp, platform: PlatformId) {
    let measurement = Measurement { platform: Some(platform), ..of_stack("DeadLettered", 1) };
    emf::print(now, measurement, LogFields::default());
}

/// Records how long a message that is received again has been in its queue.
pub fn record_queue_age(now: Timestamp, age: SignedDuration) {
    let value = u64::try_from(age.as_secs()).unwrap_or_default();
    emf::print(now, of_stack(emf::QUEUE_AGE, value), LogFields::default());
}

/// Records how many messages stay in the dead-letter queues, and how long the messages have been waiting in
/// the outbound queue that has had no worker for the longest time, in seconds. An age of 0 is not recorded: CloudWatch
/// bills a metric for each hour in which it has a value.
pub fn record_queues(now: Timestamp, dead_letters: u64, age: i64) {
    let fields = LogFields { queue_age: Some(age).filter(|age| *age > 0), ..LogFields::default() };
    emf::print(now, of_stack("DeadLettersUnread", dead_letters), fields);
}

/// Returns a metric of the whole stack.
fn of_stack(name: &str, value: u64) -> Measurement<'_> {
    Measurement { name, value, platform: None, connection: None, detail: Detail::Full }
}
