//! Measures a run: latency, resource use, AWS calls, and lost, repeated or inverted messages.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;
use trunkline::cost::Usage;

use crate::aws::CallStats;
use crate::lambda::{Function, ProcessUsage};
use crate::load::Sent;
use crate::receiver::MessageKey;
use crate::testbed::TestBed;

/// Percentiles of durations, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Percentiles {
    /// Returns the percentiles of durations.
    pub fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut all = Histogram::<u64>::new(3).unwrap();
        for time in times {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            all.record(micros).unwrap();
        }
        let millis = |micros: u64| micros as f64 / 1_000.0;
        Self {
            p50: millis(all.value_at_quantile(0.5)),
            p99: millis(all.value_at_quantile(0.99)),
            max: millis(all.max()),
        }
    }
}

/// The resources that the processes of one function use per message.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ResourceUse {
    /// CPU time, in microseconds per message.
    pub cpu_us: f64,
    /// Resident memory of the largest process at the end, in MB.
    pub memory_mb: f64,
    /// Log output, in bytes per message.
    pub logged: f64,
}

impl ResourceUse {
    /// Returns what processes used per message.
    pub fn of(used: ProcessUsage, messages: f64) -> Self {
        Self {
            cpu_us: used.cpu.as_secs_f64() * 1e6 / messages,
            memory_mb: used.memory as f64 / 1e6,
            logged: used.logged as f64 / messages,
        }
    }
}

/// The results of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Measurement {
    /// Accepted messages, not counting duplicates.
    pub accepted: usize,
    /// Number of refused calls.
    pub refused: usize,
    /// Accepted messages that never arrived.
    pub lost: usize,
    /// Repeated arrivals of a message.
    pub repeated: usize,
    /// Arrivals after a later message of the same conversation.
    pub inverted: usize,
    /// Messages per second, from the first sending to the last arrival.
    pub rate: f64,
    /// From scheduled sending to the response.
    pub accept: Percentiles,
    /// From scheduled sending to arrival.
    pub end_to_end: Percentiles,
    pub inbound: ResourceUse,
    pub outbound: ResourceUse,
    /// CPU time of both functions, in microseconds per message.
    pub cpu_us: f64,
    /// Messages per second of CPU time of both functions.
    pub per_core_second: f64,
    /// Deliveries per batch.
    pub batch: f64,
    /// Conversations per batch.
    pub batch_conversations: f64,
    /// AWS calls per message, by operation.
    pub calls: BTreeMap<String, PerMessage>,
}

/// Calls of one operation, per message.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PerMessage {
    pub count: f64,
    /// Mean size of a request, in bytes.
    pub bytes: f64,
    pub read_units: f64,
    pub write_units: f64,
}

impl PerMessage {
    /// Returns the statistics of an operation for a number of messages.
    pub fn of(call: CallStats, messages: f64) -> Self {
        Self {
            count: call.count as f64 / messages,
            bytes: call.bytes as f64 / call.count as f64,
            read_units: call.read_units / messages,
            write_units: call.write_units / messages,
        }
    }
}

/// A run that is being measured.
#[derive(Debug)]
pub struct Run<'w> {
    bed: &'w TestBed,
    began: Instant,
    before: [ProcessUsage; 2],
}

impl<'w> Run<'w> {
    /// Starts a measurement now.
    pub fn start(bed: &'w TestBed) -> Self {
        bed.aws.counts.take();
        bed.deliveries.take_batches();
        bed.receiver.take_arrivals();
        Self { bed, began: Instant::now(), before: [bed.inbound.used(), bed.outbound.used()] }
    }

    /// Waits until every accepted message has arrived or the timeout has passed, and returns the results.
    pub async fn finish(self, sent: &[Sent], timeout: Duration) -> Measurement {
        let (accepted, arrived) = self.wait_for_arrivals(sent, timeout).await;
        self.evaluate(sent, &accepted, &arrived)
    }

    /// Waits likewise, and returns the AWS usage per message.
    pub async fn finish_usage(self, sent: &[Sent], timeout: Duration) -> Usage {
        let (accepted, _) = self.wait_for_arrivals(sent, timeout).await;
        self.usage_per_item(accepted.len() as f64)
    }

    /// Returns the AWS usage per item, for a number of items.
    pub fn usage_per_item(self, number: f64) -> Usage {
        let calls = self.bed.aws.counts.take();
        let sum = |of: fn(&CallStats) -> f64, whose: &str| -> f64 {
            let chosen = calls.iter().filter(|(name, _)| name.contains(whose));
            chosen.map(|(_, call)| of(call)).sum::<f64>() / number
        };
        let calls_of = |whose| sum(|call| call.count as f64, whose);
        let used = |function: &Function, before| function.used().since(before).logged as f64;
        let [inbound, outbound] = self.before;
        let logged = used(&self.bed.inbound, inbound) + used(&self.bed.outbound, outbound);
        Usage {
            inbound_runs: 1.0,
            outbound_runs: self.bed.deliveries.take_batches().count as f64 / number,
            inbound_calls: calls_of("inbound "),
            outbound_calls: calls_of("outbound "),
            platform_calls: 0.0,
            // AWS bills a call per 64 KiB; Trunkline's messages are smaller.
            sqs_sends: calls_of(" SendMessage"),
            read_units: sum(|call| call.read_units, ""),
            write_units: sum(|call| call.write_units, ""),
            stored_bytes: ["PutItem", "UpdateItem", "TransactWriteItems", "BatchExecuteStatement"]
                .map(|write| sum(|call| call.bytes as f64, write))
                .iter()
                .sum(),
            logged_bytes: logged / number,
        }
    }

    /// Returns the accepted messages, and the arrivals until every one has arrived or the timeout has passed.
    async fn wait_for_arrivals(
        &self,
        sent: &[Sent],
        timeout: Duration,
    ) -> (HashSet<MessageKey>, Vec<(MessageKey, Instant)>) {
        let accepted: HashSet<MessageKey> =
            sent.iter().filter(|sent| sent.accepted).map(|sent| sent.key).collect();
        let until = Instant::now() + timeout;
        let mut arrived = self.bed.receiver.take_arrivals();
        let mut known: HashSet<MessageKey> = arrived.iter().map(|(name, _)| *name).collect();
        while Instant::now() < until && !accepted.is_subset(&known) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let more = self.bed.receiver.take_arrivals();
            known.extend(more.iter().map(|(name, _)| *name));
            arrived.extend(more);
        }
        // Outcomes and repeated arrivals may follow the last expected arrival.
        tokio::time::sleep(Duration::from_millis(300)).await;
        arrived.extend(self.bed.receiver.take_arrivals());
        (accepted, arrived)
    }

    fn evaluate(
        self,
        sent: &[Sent],
        accepted: &HashSet<MessageKey>,
        arrived: &[(MessageKey, Instant)],
    ) -> Measurement {
        let bed = self.bed;
        let sent_at: HashMap<MessageKey, Instant> =
            sent.iter().rev().map(|sent| (sent.key, sent.at)).collect();
        let mut first: HashMap<MessageKey, Instant> = HashMap::new();
        let mut latest: HashMap<u32, u32> = HashMap::new();
        let (mut repeated, mut inverted) = (0, 0);
        for (name, at) in arrived {
            if first.contains_key(name) {
                repeated += 1;
                continue;
            }
            first.insert(*name, *at);
            let latest = latest.entry(name.0).or_default();
            inverted += usize::from(name.1 < *latest);
            *latest = name.1.max(*latest);
        }
        let messages = first.len().max(1) as f64;
        let took = first.iter().filter_map(|(name, at)| Some(*at - *sent_at.get(name)?));
        let last = arrived.last().map_or(self.began, |(_, at)| *at);
        let inbound = ResourceUse::of(bed.inbound.used().since(self.before[0]), messages);
        let outbound = ResourceUse::of(bed.outbound.used().since(self.before[1]), messages);
        let batches = bed.deliveries.take_batches();
        let batch = |of: f64| of / batches.count.max(1) as f64;
        let cpu_us = inbound.cpu_us + outbound.cpu_us;
        Measurement {
            accepted: accepted.len(),
            refused: sent.iter().filter(|sent| !sent.accepted).count(),
            lost: accepted.iter().filter(|name| !first.contains_key(name)).count(),
            repeated,
            inverted,
            rate: messages / (last - self.began).as_secs_f64().max(f64::EPSILON),
            accept: Percentiles::of(sent.iter().map(|sent| sent.duration)),
            end_to_end: Percentiles::of(took),
            inbound,
            outbound,
            cpu_us,
            per_core_second: 1e6 / cpu_us,
            batch: batch(messages),
            batch_conversations: batch(batches.groups as f64),
            calls: calls(&bed.aws.counts.take(), messages),
        }
    }
}

fn calls(all: &BTreeMap<String, CallStats>, messages: f64) -> BTreeMap<String, PerMessage> {
    all.iter().map(|(name, call)| (name.clone(), PerMessage::of(*call, messages))).collect()
}
