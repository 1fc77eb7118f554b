//! What is told of what happens: a JSON line for each message, which CloudWatch also counts, and log lines
//! of what is out of the ordinary. Neither ever holds a secret or a message's text.

mod counters;
mod emf;
mod panics;

use jiff::Timestamp;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use counters::{BUCKETS, flush, took};
pub use emf::{About, begin};

use self::emf::Counted;
use crate::model::{Connection, Platform};

/// What is counted, by platform and connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// An event was taken.
    Accepted,
    /// An event had been taken before.
    Duplicate,
    /// An event was refused, with its reason.
    Refused,
    /// A body could not be read and was kept.
    Unreadable,
    /// A signature or token was wrong.
    Denied,
    /// The address was right but for its key, or the caller is not on the list.
    Intruder,
    /// A token that differs from ours came along: see Webex Connect's verification token.
    Suspicious,
    /// A delivery reached its platform.
    Delivered,
    /// A delivery is tried again later.
    Retried,
    /// A delivery failed for good.
    Failed,
    /// A delivery needed no sending: the platform has no form for it.
    Skipped,
    /// A delivery waits in the table.
    Parked,
    /// A connection's breaker opened.
    BreakerOpened,
    /// A connection's breaker closed.
    BreakerClosed,
}

impl Count {
    /// The metric's name.
    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Duplicate => "Duplicate",
            Self::Refused => "Refused",
            Self::Unreadable => "Unreadable",
            Self::Denied => "Denied",
            Self::Intruder => "Intruder",
            Self::Suspicious => "Suspicious",
            Self::Delivered => "Delivered",
            Self::Retried => "Retried",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Parked => "Parked",
            Self::BreakerOpened => "BreakerOpened",
            Self::BreakerClosed => "BreakerClosed",
        }
    }

    /// Under which name it is shown in the console; several may share one.
    fn tallied(self) -> Option<&'static str> {
        match self {
            Self::Accepted => Some("accepted"),
            Self::Delivered => Some("delivered"),
            Self::Retried => Some("retried"),
            Self::Parked => Some("parked"),
            Self::Failed | Self::Refused | Self::Unreadable | Self::Denied => Some("failed"),
            Self::Duplicate
            | Self::Intruder
            | Self::Suspicious
            | Self::Skipped
            | Self::BreakerOpened
            | Self::BreakerClosed => None,
        }
    }
}

/// Starts the log: one JSON object a line, at the level in `TRUNKLINE_LOG` (default `info`).
pub fn init() {
    panics::tell();
    let level = std::env::var("TRUNKLINE_LOG").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    // The libraries' own debug lines show requests, so only ours follow the level.
    let ours = ["shared", "console", "upkeep"].into_iter().chain(Platform::names());
    let ours = ours.map(|name| (format!("trunkline_{name}"), level));
    let filter = Targets::new().with_default(LevelFilter::WARN).with_targets(ours);
    // The runtime's span names the request and the trace that a line belongs to.
    let filter = filter.with_target("lambda_runtime::layers::trace", LevelFilter::INFO);
    let log = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let log = log.with_current_span(true).with_span_list(false).with_target(false);
    // A second start in one process (a test's) keeps the first's.
    let _ = tracing_subscriber::registry().with(filter).with(log).try_init();
}

/// Counts one of which nothing else is known.
pub fn count(now: Timestamp, what: Count, connection: &Connection) {
    tell(now, what, connection, About::default());
}

/// Tells of a message, and counts it.
pub fn tell(now: Timestamp, what: Count, connection: &Connection, about: About<'_>) {
    counters::add(&connection.id, now, what.tallied());
    let (platform, connection) = (Some(connection.platform), Some(&connection.id));
    emf::print(now, Counted { name: what.name(), number: 1, platform, connection }, about);
}

/// Tells how many deliveries wait in the table now.
pub fn waiting(now: Timestamp, number: usize) {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let counted = Counted { name: "Waiting", number, platform: None, connection: None };
    emf::print(now, counted, About::default());
}

/// Counts a dead letter of a platform.
pub fn count_dead_letter(now: Timestamp, platform: Platform) {
    let platform = Some(platform);
    let counted = Counted { name: "DeadLettered", number: 1, platform, connection: None };
    emf::print(now, counted, About::default());
}
