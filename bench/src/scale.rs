//! Computes the throughput that AWS quotas allow from the measured usage of a message, and simulates the load
//! of partition keys.

use std::collections::HashMap;

use comfy_table::Table;
use sha2::{Digest, Sha256};
use trunkline::cost::{CALL_MS, COUNTS, PLATFORM_MS, Usage, UsageByKind};

use crate::report::table;

/// Units per second of a partition (`DynamoDB` documentation).
const PARTITION_WRITES: f64 = 1_000.0;
const PARTITION_READS: f64 = 3_000.0;

/// Messages per conversation.
const MESSAGES_PER_CONVERSATION: f64 = 10.0;

/// Returns the measured usage of a message.
fn message_usage() -> Usage {
    serde_json::from_str::<UsageByKind>(COUNTS).unwrap().message
}

/// Returns the number of concurrent invocations at a rate of messages per second. Assumes one delivery per
/// batch, which is the worst case.
fn concurrent_functions(usage: Usage, rate: f64) -> f64 {
    rate * usage.function_seconds(usage.platform_calls, CALL_MS, PLATFORM_MS)
}

/// Prints both tables.
pub fn print() {
    let usage = message_usage();
    println!("## Quotas\n\n{}\n", quotas(usage));
    println!("## Partition keys (simulated)\n\n{}", keys(usage));
}

/// Returns the messages per second that each quota allows.
fn quotas(usage: Usage) -> Table {
    let mut table = table(&["quota", "its default", "messages/s"]);
    let concurrent_functions = concurrent_functions(usage, 1.0);
    let writes = usage.write_units;
    let rows = [
        ("DynamoDB, a new table's write units/s", 4_000.0, 4_000.0 / writes),
        ("Lambda, functions at work at once", 1_000.0, 1_000.0 / concurrent_functions),
        ("API Gateway, calls/s", 10_000.0, 10_000.0),
        ("DynamoDB, a table's write units/s", 40_000.0, 40_000.0 / writes),
        ("SQS FIFO, a queue's sends/s (Frankfurt)", 19_000.0, 19_000.0),
        ("DynamoDB, a table's read units/s", 40_000.0, 40_000.0 / usage.read_units),
        ("SQS FIFO, a queue's sends/s (Virginia)", 70_000.0, 70_000.0),
    ];
    for (name, limit, rate) in rows {
        table.add_row([name.to_owned(), format!("{limit:.0}"), format!("{rate:.0}")]);
    }
    table
}

/// A load in units per second.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    reads: f64,
    writes: f64,
}

impl Load {
    /// Returns the load as a fraction of a partition's capacity.
    fn share(self) -> f64 {
        (self.reads / PARTITION_READS).max(self.writes / PARTITION_WRITES)
    }
}

/// Simulates one channel and one bot, which is the worst case: items stored by connection have a single key.
fn keys(usage: Usage) -> Table {
    let mut table = table(&[
        "messages/s",
        "conversations/s",
        "partitions",
        "fullest, of a partition",
        "hottest conversation",
        "the bot's breaker",
        "the bot's counts",
        "list of conversations",
    ]);
    for rate in [1_000.0, 10_000.0, 100_000.0] {
        let per_message = Load { reads: usage.read_units, writes: usage.write_units };
        let partitions = partitions_needed(per_message, rate);
        let fullest = fullest_partition(per_message, rate, partitions);
        let processes = concurrent_functions(usage, rate);
        // A process reads a closed breaker every five seconds, and writes its counters every ten seconds.
        let breaker = Load { reads: rate.min(processes / 5.0), writes: 0.0 };
        let counts = Load { reads: 0.0, writes: processes / 10.0 };
        // A conversation opens and closes: two writes of its index entry.
        let list = Load { reads: 0.0, writes: 2.0 * rate / MESSAGES_PER_CONVERSATION };
        let percent = |load: Load| format!("{:.0} %", load.share() * 100.0);
        // A customer who writes once a second.
        let customer = Load { reads: per_message.reads, writes: per_message.writes };
        table.add_row([
            format!("{rate:.0}"),
            format!("{:.0}", rate / MESSAGES_PER_CONVERSATION),
            partitions.to_string(),
            percent(fullest),
            format!("{:.1} %", customer.share() * 100.0),
            percent(breaker),
            percent(counts),
            percent(list),
        ]);
    }
    table
}

/// Returns the number of partitions that bear a load with 50 % to spare.
fn partitions_needed(per_message: Load, rate: f64) -> usize {
    let load = Load { reads: per_message.reads * rate, writes: per_message.writes * rate };
    let mut partitions = 4;
    while load.share() * 1.5 > partitions as f64 {
        partitions += 1;
    }
    partitions
}

/// Returns the load of the fullest partition if each conversation is a key.
fn fullest_partition(per_message: Load, rate: f64, partitions: usize) -> Load {
    let mut loads: HashMap<usize, Load> = HashMap::new();
    // Each customer writes once in five seconds.
    let mut customer = 0_u64;
    let mut left = rate;
    while left > 0.0 {
        let key = format!("CONV#shop#customer-{customer}");
        let load = loads.entry(partition_of(&key, partitions)).or_default();
        load.reads += per_message.reads / 5.0;
        load.writes += per_message.writes / 5.0;
        left -= 0.2;
        customer += 1;
    }
    let fullest = loads.into_values().max_by(|a, b| a.share().total_cmp(&b.share()));
    fullest.unwrap_or_default()
}

/// Returns the partition of a key: keys are distributed by a hash.
fn partition_of(key: &str, partitions: usize) -> usize {
    let digest = Sha256::digest(key);
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number % partitions as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_spread_evenly() {
        let message = Load { reads: 2.0, writes: 3.0 };
        for rate in [1_000.0, 10_000.0] {
            let partitions = partitions_needed(message, rate);
            let fullest = fullest_partition(message, rate, partitions).share();
            let mean = Load { reads: 0.0, writes: message.writes * rate / partitions as f64 };
            assert!(fullest < mean.share() * 1.25, "{fullest} where {} is the mean", mean.share());
            assert!(fullest < 1.0, "a partition exceeds its capacity");
        }
    }

    #[test]
    fn one_conversation_does_not_fill_a_partition() {
        let message = Load { reads: 2.0, writes: 3.0 };
        assert!(message.share() * 100.0 < 1.0, "a hundred messages a second in one conversation");
    }
}
