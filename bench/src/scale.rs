//! How far it goes: published quotas, reckoned with what a message was counted to use; and how our keys
//! spread over a table's partitions, simulated.

use std::collections::HashMap;

use comfy_table::Table;
use sha2::{Digest, Sha256};
use trunkline::cost::{CALL_MS, COUNTS, Counted, Counts, FAR_SIDE_MS};

use crate::report::table;

/// What a partition gives in a second (`DynamoDB`'s documentation).
const PARTITION_WRITES: f64 = 1_000.0;
const PARTITION_READS: f64 = 3_000.0;

/// Messages in a conversation.
const EACH: f64 = 10.0;

/// What was counted of a message.
fn counted() -> Counted {
    serde_json::from_str::<Counts>(COUNTS).unwrap().message
}

/// How many functions are at work at once, at so many messages a second. Deliveries one by one: the
/// worst case.
fn at_work(counted: Counted, rate: f64) -> f64 {
    rate * counted.seconds(counted.far_side_calls, CALL_MS, FAR_SIDE_MS)
}

/// Prints both tables.
pub fn print() {
    let counted = counted();
    println!("## Quotas\n\n{}\n", quotas(counted));
    println!("## Keys, simulated\n\n{}", keys(counted));
}

/// How many messages a second each quota allows.
fn quotas(counted: Counted) -> Table {
    let mut table = table(&["quota", "its default", "messages/s"]);
    let at_work = at_work(counted, 1.0);
    let writes = counted.write_units;
    let rows = [
        ("DynamoDB, a new table's write units/s", 4_000.0, 4_000.0 / writes),
        ("Lambda, functions at work at once", 1_000.0, 1_000.0 / at_work),
        ("API Gateway, calls/s", 10_000.0, 10_000.0),
        ("DynamoDB, a table's write units/s", 40_000.0, 40_000.0 / writes),
        ("SQS FIFO, a queue's sends/s (Frankfurt)", 19_000.0, 19_000.0),
        ("DynamoDB, a table's read units/s", 40_000.0, 40_000.0 / counted.read_units),
        ("SQS FIFO, a queue's sends/s (Virginia)", 70_000.0, 70_000.0),
    ];
    for (name, limit, rate) in rows {
        table.add_row([name.to_owned(), format!("{limit:.0}"), format!("{rate:.0}")]);
    }
    table
}

/// Load in units a second.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    reads: f64,
    writes: f64,
}

impl Load {
    /// Which part of what a partition gives.
    fn share(self) -> f64 {
        (self.reads / PARTITION_READS).max(self.writes / PARTITION_WRITES)
    }
}

/// One channel and one bot, which is the worst case: everything that is kept by connection is one key.
fn keys(counted: Counted) -> Table {
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
        let per_message = Load { reads: counted.read_units, writes: counted.write_units };
        let partitions = needed(per_message, rate);
        let fullest = spread(per_message, rate, partitions);
        let processes = at_work(counted, rate);
        // A process reads a breaker that is well once a second, and adds its counts each ten.
        let breaker = Load { reads: rate.min(processes), writes: 0.0 };
        let counts = Load { reads: 0.0, writes: processes / 10.0 };
        // A conversation begins and ends: two writes of its index.
        let list = Load { reads: 0.0, writes: 2.0 * rate / EACH };
        let percent = |load: Load| format!("{:.0} %", load.share() * 100.0);
        // Somebody who writes once a second.
        let customer = Load { reads: per_message.reads, writes: per_message.writes };
        table.add_row([
            format!("{rate:.0}"),
            format!("{:.0}", rate / EACH),
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

/// How many partitions a table has that bears that load with a half to spare.
fn needed(per_message: Load, rate: f64) -> usize {
    let load = Load { reads: per_message.reads * rate, writes: per_message.writes * rate };
    let mut partitions = 4;
    while load.share() * 1.5 > partitions as f64 {
        partitions += 1;
    }
    partitions
}

/// The fullest partition, where each conversation is a key and conversations are as busy as they are.
fn spread(per_message: Load, rate: f64, partitions: usize) -> Load {
    let mut loads: HashMap<usize, Load> = HashMap::new();
    // Each customer writes once in five seconds.
    let mut customer = 0_u64;
    let mut left = rate;
    while left > 0.0 {
        let key = format!("CONV#shop#customer-{customer}");
        let load = loads.entry(place(&key, partitions)).or_default();
        load.reads += per_message.reads / 5.0;
        load.writes += per_message.writes / 5.0;
        left -= 0.2;
        customer += 1;
    }
    let fullest = loads.into_values().max_by(|a, b| a.share().total_cmp(&b.share()));
    fullest.unwrap_or_default()
}

/// In which partition a key is: they are spread by a hash.
fn place(key: &str, partitions: usize) -> usize {
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
            let partitions = needed(message, rate);
            let fullest = spread(message, rate, partitions).share();
            let mean = Load { reads: 0.0, writes: message.writes * rate / partitions as f64 };
            assert!(fullest < mean.share() * 1.25, "{fullest} where {} is the mean", mean.share());
            assert!(fullest < 1.0, "a partition is fuller than it can be");
        }
    }

    #[test]
    fn one_conversation_alone_fills_no_partition() {
        let message = Load { reads: 2.0, writes: 3.0 };
        assert!(message.share() * 100.0 < 1.0, "a hundred messages a second in one conversation");
    }
}
