//! What came of a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;
use trunkline::cost::Counted;

use crate::aws::Call;
use crate::lambda::{Function, Used};
use crate::load::Sent;
use crate::sink::Name;
use crate::world::World;

/// Percentiles of times, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Times {
    /// Half of them are no longer.
    pub p50: f64,
    /// Of a hundred, 99 are no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Times {
    /// Of these.
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

/// What a message cost the processes of one function.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Cost {
    /// Time that they ran, in microseconds a message.
    pub cpu_us: f64,
    /// What one of them holds at the end, in megabytes.
    pub memory_mb: f64,
    /// What they logged, in bytes a message.
    pub logged: f64,
}

impl Cost {
    fn of(used: Used, messages: f64) -> Self {
        Self {
            cpu_us: used.cpu.as_secs_f64() * 1e6 / messages,
            memory_mb: used.memory as f64 / 1e6,
            logged: used.logged as f64 / messages,
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// How many different messages were accepted.
    pub accepted: usize,
    /// How many calls were refused.
    pub refused: usize,
    /// Accepted, and never arrived.
    pub lost: usize,
    /// Arrivals of what had arrived before.
    pub repeated: usize,
    /// Arrivals after a later one of the same conversation.
    pub inverted: usize,
    /// Messages a second, from the first's sending to the last's arrival.
    pub rate: f64,
    /// How long the answers took.
    pub accept: Times,
    /// From sending to arrival.
    pub end_to_end: Times,
    /// What the inbound function used.
    pub inbound: Cost,
    /// What the outbound function used.
    pub outbound: Cost,
    /// Messages that one core passes on in a second, by the functions' own time.
    pub a_core_second: f64,
    /// Messages in a batch of deliveries.
    pub batch: f64,
    /// AWS calls a message, by operation.
    pub calls: BTreeMap<String, PerMessage>,
}

/// Calls of one operation, a message.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PerMessage {
    /// How many.
    pub count: f64,
    /// Their requests' size in bytes, each.
    pub bytes: f64,
    /// Read request units.
    pub read_units: f64,
    /// Write request units.
    pub write_units: f64,
}

/// A run that is being measured.
#[derive(Debug)]
pub struct Run<'w> {
    world: &'w World,
    began: Instant,
    before: [Used; 2],
}

impl<'w> Run<'w> {
    /// From now on.
    pub fn begin(world: &'w World) -> Self {
        world.aws.counts.take();
        world.deliveries.take_batches();
        world.sink.take();
        Self { world, began: Instant::now(), before: [world.inbound.used(), world.outbound.used()] }
    }

    /// Waits until all that was accepted has arrived, for so long at most, and reckons.
    pub async fn end(self, sent: &[Sent], patience: Duration) -> Outcome {
        let (accepted, arrived) = self.arrived(sent, patience).await;
        self.reckon(sent, &accepted, &arrived)
    }

    /// The same, for what AWS bills of each.
    pub async fn counted(self, sent: &[Sent], patience: Duration) -> Counted {
        let (accepted, _) = self.arrived(sent, patience).await;
        self.count_of(accepted.len() as f64)
    }

    /// What AWS bills of each of so many.
    pub fn count_of(self, number: f64) -> Counted {
        let calls = self.world.aws.counts.take();
        let sum = |of: fn(&Call) -> f64, whose: &str| -> f64 {
            let chosen = calls.iter().filter(|(name, _)| name.contains(whose));
            chosen.map(|(_, call)| of(call)).sum::<f64>() / number
        };
        let calls_of = |whose| sum(|call| call.count as f64, whose);
        let used = |function: &Function, before| function.used().since(before).logged as f64;
        let [inbound, outbound] = self.before;
        let logged = used(&self.world.inbound, inbound) + used(&self.world.outbound, outbound);
        Counted {
            inbound_runs: 1.0,
            outbound_runs: self.world.deliveries.take_batches() as f64 / number,
            inbound_calls: calls_of("inbound "),
            outbound_calls: calls_of("outbound "),
            far_side_calls: 0.0,
            // Ours are far below 64 KiB.
            sqs_sends: calls_of(" SendMessage"),
            read_units: sum(|call| call.read_units, ""),
            write_units: sum(|call| call.write_units, ""),
            stored_bytes: ["PutItem", "UpdateItem", "TransactWriteItems"]
                .map(|write| sum(|call| call.bytes as f64, write))
                .iter()
                .sum(),
            logged_bytes: logged / number,
        }
    }

    /// What was accepted, and what has arrived when all of it has or nobody waits any more.
    async fn arrived(
        &self,
        sent: &[Sent],
        patience: Duration,
    ) -> (HashSet<Name>, Vec<(Name, Instant)>) {
        let accepted: HashSet<Name> =
            sent.iter().filter(|sent| sent.accepted).map(|sent| sent.name).collect();
        let until = Instant::now() + patience;
        let mut arrived = self.world.sink.take();
        let mut known: HashSet<Name> = arrived.iter().map(|(name, _)| *name).collect();
        while Instant::now() < until && !accepted.is_subset(&known) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let more = self.world.sink.take();
            known.extend(more.iter().map(|(name, _)| *name));
            arrived.extend(more);
        }
        // What is left to be done behind the last arrival: its outcome, and repetitions.
        tokio::time::sleep(Duration::from_millis(300)).await;
        arrived.extend(self.world.sink.take());
        (accepted, arrived)
    }

    fn reckon(
        self,
        sent: &[Sent],
        accepted: &HashSet<Name>,
        arrived: &[(Name, Instant)],
    ) -> Outcome {
        let world = self.world;
        let sent_at: HashMap<Name, Instant> =
            sent.iter().rev().map(|sent| (sent.name, sent.at)).collect();
        let mut first: HashMap<Name, Instant> = HashMap::new();
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
        let inbound = Cost::of(world.inbound.used().since(self.before[0]), messages);
        let outbound = Cost::of(world.outbound.used().since(self.before[1]), messages);
        let batches = world.deliveries.take_batches().max(1) as f64;
        Outcome {
            accepted: accepted.len(),
            refused: sent.iter().filter(|sent| !sent.accepted).count(),
            lost: accepted.iter().filter(|name| !first.contains_key(name)).count(),
            repeated,
            inverted,
            rate: messages / (last - self.began).as_secs_f64().max(f64::EPSILON),
            accept: Times::of(sent.iter().map(|sent| sent.took)),
            end_to_end: Times::of(took),
            inbound,
            outbound,
            a_core_second: 1e6 / (inbound.cpu_us + outbound.cpu_us),
            batch: messages / batches,
            calls: self.calls(messages),
        }
    }

    fn calls(&self, messages: f64) -> BTreeMap<String, PerMessage> {
        let calls = self.world.aws.counts.take();
        let each = |call: &Call| PerMessage {
            count: call.count as f64 / messages,
            bytes: call.bytes as f64 / call.count as f64,
            read_units: call.read_units / messages,
            write_units: call.write_units / messages,
        };
        calls.iter().map(|(operation, call)| (operation.clone(), each(call))).collect()
    }
}
