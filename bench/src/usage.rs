//! Measures the AWS usage of a message, a copy and a receipt, for `trunkline cost`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline::cost::Usage;

use crate::load::{CONVERSATIONS, LoadProfile, receipt_event, send, send_at_rate};
use crate::measurement::Run;
use crate::receiver::Behaviour;
use crate::testbed::{PAIR, TestBed, with_archive};

/// Processes per function: as many as an event source mapping has pollers.
const POLLERS: usize = 5;
/// Messages per second.
const RATE: u32 = 100;
/// Duration of a measurement.
const TIME: Duration = Duration::from_secs(10);
/// Response time of the receiver.
const PLATFORM_DELAY: Duration = Duration::from_millis(100);

/// Measures each kind of item. Returns the usage by name.
pub async fn measure(programs: &Path) -> BTreeMap<&'static str, Usage> {
    let message =
        messages(&warm(TestBed::configured(programs, PAIR, POLLERS).await).await, 1.0).await;
    let bed = warm(TestBed::configured(programs, with_archive(), POLLERS).await).await;
    let copied = messages(&bed, 2.0).await;
    let bed = warm(TestBed::configured(programs, PAIR, POLLERS).await).await;
    messages(&bed, 1.0).await;
    let receipts = receipts(&bed).await;
    BTreeMap::from([
        ("copy", difference(copied, message)),
        ("message", message),
        ("receipt", receipts),
    ])
}

/// Starts every conversation, with a typical response time of the receiver.
async fn warm(bed: TestBed) -> Arc<TestBed> {
    bed.receiver.set_behaviour(Behaviour { delay: PLATFORM_DELAY, ..Behaviour::default() });
    let bed = Arc::new(bed);
    for customer in 0..CONVERSATIONS {
        send(&bed, (customer, 1), Instant::now()).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    bed
}

async fn messages(bed: &Arc<TestBed>, platform_calls: f64) -> Usage {
    let run = Run::start(bed);
    bed.receiver.take_messages();
    let profile = LoadProfile { rate: RATE, time: TIME, copies: 1, base: 0, first: 2 };
    let sent = send_at_rate(bed, profile).await;
    let counted = run.finish_usage(&sent, Duration::from_secs(20)).await;
    Usage { platform_calls, ..counted }
}

/// Measures read receipts of the bot for the messages that it received last.
async fn receipts(bed: &Arc<TestBed>) -> Usage {
    let (run, messages_received) = (Run::start(bed), bed.receiver.take_messages());
    let (before, until) = (bed.receiver.other_calls(), Instant::now() + Duration::from_secs(20));
    let began = Instant::now();
    for (place, messages_received) in messages_received.iter().enumerate() {
        let at = began + Duration::from_secs(1) * u32::try_from(place).unwrap_or(0) / RATE;
        tokio::time::sleep_until(at.into()).await;
        let answer = bed.inbound.invoke(receipt_event(messages_received).to_string().into()).await;
        assert!(answer.ok, "{:?}", answer.body);
    }
    let expected = before + messages_received.len() as u64;
    while bed.receiver.other_calls() < expected && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bed.receiver.other_calls(), expected, "not every receipt reached the channel");
    tokio::time::sleep(Duration::from_millis(300)).await;
    Usage { platform_calls: 1.0, ..run.usage_per_item(messages_received.len() as f64) }
}

/// Returns the usage of `one` beyond that of `other`.
fn difference(one: Usage, other: Usage) -> Usage {
    // Differences below a hundredth are noise.
    let left = |a: f64, b: f64| ((a - b).max(0.0) * 100.0).round() / 100.0;
    Usage {
        inbound_runs: left(one.inbound_runs, other.inbound_runs),
        outbound_runs: left(one.outbound_runs, other.outbound_runs),
        inbound_calls: left(one.inbound_calls, other.inbound_calls),
        outbound_calls: left(one.outbound_calls, other.outbound_calls),
        platform_calls: left(one.platform_calls, other.platform_calls),
        sqs_sends: left(one.sqs_sends, other.sqs_sends),
        read_units: left(one.read_units, other.read_units),
        write_units: left(one.write_units, other.write_units),
        stored_bytes: left(one.stored_bytes, other.stored_bytes),
        logged_bytes: left(one.logged_bytes, other.logged_bytes),
    }
}
