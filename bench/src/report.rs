//! Runs all measurements and prints the results.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::cold_start::{self, ColdStart};
use crate::machine::Machine;
use crate::measurement::Measurement;
use crate::scenarios::Scenario;
use crate::summary::MedianRange;
use crate::testbed::{TestBed, Variant};

/// Processes per function.
const WIDTH: usize = 2;

/// The length of a benchmark.
#[derive(Debug, Clone, Copy)]
pub struct RunLength {
    /// Rounds, each of which measures the baseline functions and Trunkline.
    pub rounds: usize,
    /// Duration of a round or scenario.
    pub each: Duration,
    /// Cold starts per function.
    pub starts: usize,
}

/// The results of a benchmark.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    machine: Machine,
    starts: Vec<ColdStart>,
    floor: Vec<Measurement>,
    product: Vec<Measurement>,
    scenarios: Vec<(&'static str, Measurement)>,
}

impl BenchReport {
    /// Runs all measurements.
    pub async fn measure(programs: &Path, length: RunLength) -> Self {
        let progress = |what: &str| eprintln!("measuring: {what} …");
        progress("starts");
        let starts = cold_start::measure(programs, length.starts).await;
        let (mut floor, mut product) = (Vec::new(), Vec::new());
        for round in 1..=length.rounds {
            progress(&format!("round {round} of {}", length.rounds));
            floor.push(closed(programs, Variant::Floor, length).await);
            product.push(closed(programs, Variant::Product, length).await);
        }
        let mut scenarios = Vec::new();
        for scenario in Scenario::OTHERS {
            progress(scenario.name());
            let bed = warm(programs, Variant::Product).await;
            scenarios.push((scenario.name(), scenario.run(&bed, length.each, 1_000).await));
        }
        Self { machine: Machine::this(), starts, floor, product, scenarios }
    }

    /// Returns whether any message was refused, lost, repeated or inverted.
    pub fn is_broken(&self) -> bool {
        let all =
            self.product.iter().chain(self.scenarios.iter().map(|(_, measurement)| measurement));
        let broken = |measurement: &Measurement| {
            measurement.lost + measurement.repeated + measurement.inverted + measurement.refused > 0
        };
        all.into_iter().any(broken)
    }

    /// Prints the results as Markdown.
    pub fn print(&self) {
        let Machine { processor, kernel, compiler, commit, command } = &self.machine;
        println!(
            "{processor}, {kernel}, {compiler}, commit {commit}: `trunkline-bench {command}`\n"
        );
        println!("## A message, closed loop of 16 customers\n\n{}\n", self.rounds());
        println!("## AWS calls a message\n\n{}\n", self.calls());
        println!("## Scenarios\n\n{}\n", self.scenarios());
        println!("## Starts and sizes\n\n{}", self.starts());
    }

    fn rounds(&self) -> Table {
        let mut table = table(&["median (range)", "floor", "Trunkline"]);
        let mut row = |name: &str, digits: usize, of: fn(&Measurement) -> f64| {
            let [floor, product] =
                [&self.floor, &self.product].map(|all| MedianRange::of(all, of).text(digits));
            table.add_row([name.to_owned(), floor, product]);
        };
        row("messages a core-second", 0, |o| o.per_core_second);
        row("CPU inbound, µs", 0, |o| o.inbound.cpu_us);
        row("CPU outbound, µs", 0, |o| o.outbound.cpu_us);
        row("messages/s", 0, |o| o.rate);
        row("accepted after, p50 ms", 1, |o| o.accept.p50);
        row("accepted after, p99 ms", 1, |o| o.accept.p99);
        row("arrived after, p50 ms", 1, |o| o.end_to_end.p50);
        row("arrived after, p99 ms", 1, |o| o.end_to_end.p99);
        row("memory inbound, MB", 1, |o| o.inbound.memory_mb);
        row("memory outbound, MB", 1, |o| o.outbound.memory_mb);
        row("logged, bytes", 0, |o| o.inbound.logged + o.outbound.logged);
        row("lost", 0, |o| o.lost as f64);
        row("repeated", 0, |o| o.repeated as f64);
        row("inverted", 0, |o| o.inverted as f64);
        table
    }

    fn calls(&self) -> Table {
        let mut table =
            table(&["call", "floor", "Trunkline", "bytes", "read units", "write units"]);
        let (Some(floor), Some(product)) = (self.floor.last(), self.product.last()) else {
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

    fn scenarios(&self) -> Table {
        let mut table = table(&[
            "scenario",
            "accepted",
            "lost",
            "repeated",
            "inverted",
            "accepted after, p50 / p99 ms",
            "arrived after, p50 / p99 ms",
            "CPU in / out, µs",
            "a batch",
        ]);
        for (name, o) in &self.scenarios {
            table.add_row([
                (*name).to_owned(),
                o.accepted.to_string(),
                o.lost.to_string(),
                o.repeated.to_string(),
                o.inverted.to_string(),
                format!("{:.1} / {:.1}", o.accept.p50, o.accept.p99),
                format!("{:.1} / {:.1}", o.end_to_end.p50, o.end_to_end.p99),
                format!("{:.0} / {:.0}", o.inbound.cpu_us, o.outbound.cpu_us),
                format!("{:.2}", o.batch),
            ]);
        }
        table
    }

    fn starts(&self) -> Table {
        let mut table = table(&[
            "function",
            "program MB",
            "zip MB",
            "to first /next, p50 ms (max)",
            "to first answer, p50 ms (max)",
            "memory MB",
        ]);
        for cold in &self.starts {
            let answer = cold
                .answer
                .map_or("-".into(), |times| format!("{:.1} ({:.1})", times.p50, times.max));
            table.add_row([
                cold.name.clone(),
                format!("{:.2}", cold.size as f64 / 1e6),
                format!("{:.2}", cold.zip as f64 / 1e6),
                format!("{:.1} ({:.1})", cold.next.p50, cold.next.max),
                answer,
                format!("{:.1}", cold.memory_mb),
            ]);
        }
        table
    }
}

async fn closed(programs: &Path, variant: Variant, length: RunLength) -> Measurement {
    let bed = warm(programs, variant).await;
    Scenario::Closed.run(&bed, length.each, 1_000).await
}

/// Returns a test bed with open connections and filled caches.
async fn warm(programs: &Path, variant: Variant) -> Arc<TestBed> {
    let bed = Arc::new(TestBed::start(programs, variant, WIDTH).await);
    Scenario::Closed.run(&bed, Duration::from_millis(500), 500_000).await;
    bed
}

/// Returns a table with right-aligned figures.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(heads.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
