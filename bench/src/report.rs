//! Runs the measurements and prints the results.

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::cold_start::{self, ColdStart};
use crate::comparison::{Comparison, warm};
use crate::machine::Machine;
use crate::measurement::Measurement;
use crate::mixed::{self, MixedRun};
use crate::scenarios::Scenario;
use crate::testbed::Variant;

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

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// Cold starts and sizes.
    Starts,
    /// The closed loop of 16 customers, compared with the baseline functions.
    Closed,
    /// A backlog of 1,000 customers, compared with the baseline functions.
    Saturated,
    /// Messages between all platforms.
    Mixed,
    /// The other scenarios, such as a bot that is down.
    Scenarios,
}

/// The results of a benchmark.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    machine: Machine,
    starts: Vec<ColdStart>,
    closed: Comparison,
    saturated: Comparison,
    mixed: Vec<MixedRun>,
    scenarios: Vec<(&'static str, Measurement)>,
}

impl BenchReport {
    /// Runs all measurements, or only those of one case.
    pub async fn measure(programs: &Path, length: RunLength, only: Option<Case>) -> Self {
        let progress = |what: &str| eprintln!("measuring: {what} …");
        let is_wanted = |case: Case| only.is_none_or(|only| only == case);
        let mut report = Self {
            machine: Machine::this(),
            starts: Vec::new(),
            closed: Comparison::default(),
            saturated: Comparison::default(),
            mixed: Vec::new(),
            scenarios: Vec::new(),
        };
        if is_wanted(Case::Starts) {
            progress("starts");
            report.starts = cold_start::measure(programs, length.starts).await;
        }
        for round in 1..=length.rounds {
            let compared = [
                (Case::Closed, Scenario::Closed, &mut report.closed),
                (Case::Saturated, Scenario::Saturated, &mut report.saturated),
            ];
            for (_, scenario, comparison) in
                compared.into_iter().filter(|(case, ..)| is_wanted(*case))
            {
                progress(&format!("round {round} of {}, {}", length.rounds, scenario.name()));
                comparison.add_round(programs, scenario, length.each).await;
            }
            if is_wanted(Case::Mixed) {
                progress(&format!("round {round} of {}, all platforms", length.rounds));
                report.mixed.push(mixed::measure(programs, length.each).await);
            }
        }
        for scenario in Scenario::OTHERS.into_iter().filter(|_| is_wanted(Case::Scenarios)) {
            progress(scenario.name());
            let bed = warm(programs, Variant::Product).await;
            let measured = scenario.run(&bed, length.each, 1_000).await;
            report.scenarios.push((scenario.name(), measured));
        }
        report
    }

    /// Returns whether any message was refused, lost, repeated or inverted.
    pub fn is_broken(&self) -> bool {
        let compared = self.closed.product.iter().chain(&self.saturated.product);
        let mut all = compared.chain(self.scenarios.iter().map(|(_, measurement)| measurement));
        let broken = |measurement: &Measurement| {
            measurement.lost + measurement.repeated + measurement.inverted + measurement.refused > 0
        };
        all.any(broken) || self.mixed.iter().any(MixedRun::is_broken)
    }

    /// Prints the results as Markdown.
    pub fn print(&self) {
        let Machine { processor, kernel, compiler, commit, command } = &self.machine;
        println!("{processor}, {kernel}, {compiler}, commit {commit}: `trunkline-bench {command}`");
        let compared = [
            ("A message, closed loop of 16 customers", &self.closed),
            ("A message of a backlog of 1,000 customers", &self.saturated),
        ];
        for (title, comparison) in compared.into_iter().filter(|(_, one)| !one.is_empty()) {
            println!("\n## {title}\n\n{}\n\n{}", comparison.ratios(), comparison.rounds());
            println!("\n### AWS calls\n\n{}", comparison.calls());
        }
        if !self.mixed.is_empty() {
            println!("\n## A message between platforms\n\n{}", mixed::print(&self.mixed));
        }
        if !self.scenarios.is_empty() {
            println!("\n## Scenarios\n\n{}", self.scenarios());
        }
        if !self.starts.is_empty() {
            println!("\n## Starts and sizes\n\n{}", self.starts());
        }
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

/// Returns a table with right-aligned figures.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(heads.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
