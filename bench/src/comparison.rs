//! Compares Trunkline with the baseline functions, measured alternately.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::Table;
use serde::Serialize;

use crate::measurement::Measurement;
use crate::report::table;
use crate::scenarios::Scenario;
use crate::summary::MedianRange;
use crate::testbed::{TestBed, Variant};

/// Processes per function.
const WIDTH: usize = 2;

/// The measurements of a scenario, one per round.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    pub floor_sdk: Vec<Measurement>,
    pub floor_now: Vec<Measurement>,
    pub product: Vec<Measurement>,
    /// Messages per core-second of Trunkline, as a fraction of those of a baseline in the same round.
    pub ratios: Ratios,
}

/// Trunkline's throughput as a fraction of that of the baseline functions.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Ratios {
    pub to_floor_sdk: MedianRange,
    pub to_floor_now: MedianRange,
}

impl Comparison {
    /// Measures one more round: each of the baselines, then Trunkline.
    pub async fn add_round(&mut self, programs: &Path, scenario: Scenario, time: Duration) {
        for variant in [Variant::FloorSdk, Variant::FloorNow, Variant::Product] {
            let bed = warm(programs, variant).await;
            let measured = scenario.run(&bed, time, 1_000).await;
            match variant {
                Variant::FloorSdk => self.floor_sdk.push(measured),
                Variant::FloorNow => self.floor_now.push(measured),
                Variant::Product => self.product.push(measured),
            }
        }
        self.ratios = Ratios {
            to_floor_sdk: ratio(&self.product, &self.floor_sdk),
            to_floor_now: ratio(&self.product, &self.floor_now),
        };
    }

    /// Returns whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.product.is_empty()
    }

    /// Returns the throughput of Trunkline against that of the baselines.
    pub fn ratios(&self) -> String {
        format!(
            "Messages a core-second, median of the rounds (range): Trunkline / floor-sdk {}, Trunkline / floor-now {}.",
            self.ratios.to_floor_sdk.text(3),
            self.ratios.to_floor_now.text(3),
        )
    }

    /// Returns the table of the rounds.
    pub fn rounds(&self) -> Table {
        let mut table = table(&["median (range)", "floor-sdk", "floor-now", "Trunkline"]);
        let all = [&self.floor_sdk, &self.floor_now, &self.product];
        let mut row = |name: &str, digits: usize, of: fn(&Measurement) -> f64| {
            let figures = all.map(|all| MedianRange::of(all, of).text(digits));
            table.add_row([name.to_owned()].into_iter().chain(figures));
        };
        row("messages a core-second", 0, |o| o.per_core_second);
        row("CPU inbound, µs", 0, |o| o.inbound.cpu_us);
        row("CPU outbound, µs", 0, |o| o.outbound.cpu_us);
        row("CPU together, µs", 0, |o| o.cpu_us);
        row("messages/s", 0, |o| o.rate);
        row("deliveries a batch", 2, |o| o.batch);
        row("conversations a batch", 2, |o| o.batch_conversations);
        row("accepted after, p50 ms", 1, |o| o.accept.p50);
        row("accepted after, p99 ms", 1, |o| o.accept.p99);
        row("arrived after, p50 ms", 1, |o| o.end_to_end.p50);
        row("arrived after, p99 ms", 1, |o| o.end_to_end.p99);
        row("memory inbound, MB", 1, |o| o.inbound.memory_mb);
        row("memory outbound, MB", 1, |o| o.outbound.memory_mb);
        row("logged, bytes", 0, |o| o.inbound.logged + o.outbound.logged);
        row("messages", 0, |o| o.accepted as f64);
        row("lost", 0, |o| o.lost as f64);
        row("repeated", 0, |o| o.repeated as f64);
        row("inverted", 0, |o| o.inverted as f64);
        table
    }

    /// Returns the table of the AWS calls of a message in the last round.
    pub fn calls(&self) -> Table {
        let mut table =
            table(&["call", "floors", "Trunkline", "bytes", "read units", "write units"]);
        let (Some(floor), Some(product)) = (self.floor_sdk.last(), self.product.last()) else {
            return table;
        };
        for (name, call) in product.calls.iter().filter(|(_, call)| call.count > 0.000_5) {
            let floor = floor.calls.get(name).map_or(0.0, |call| call.count);
            table.add_row([
                name.clone(),
                format!("{floor:.3}"),
                format!("{:.3}", call.count),
                format!("{:.0}", call.bytes),
                format!("{:.2}", call.read_units),
                format!("{:.2}", call.write_units),
            ]);
        }
        table
    }
}

/// Returns a test bed with open connections and filled caches.
pub async fn warm(programs: &Path, variant: Variant) -> Arc<TestBed> {
    let bed = Arc::new(TestBed::start(programs, variant, WIDTH).await);
    Scenario::Closed.run(&bed, Duration::from_millis(500), 500_000).await;
    bed
}

fn ratio(product: &[Measurement], floor: &[Measurement]) -> MedianRange {
    let rounds = product.iter().zip(floor);
    MedianRange::of_figures(rounds.map(|(one, other)| one.per_core_second / other.per_core_second))
}
