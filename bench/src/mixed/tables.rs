//! The results of the mixed case as Markdown.

use comfy_table::Table;

use super::{MixedRun, PlatformFigures};
use crate::report::table;
use crate::summary::MedianRange;

/// Returns the results of several runs: medians, with the range of the throughput.
pub fn print(runs: &[MixedRun]) -> String {
    let throughput = MedianRange::of(runs, |run| run.per_core_second).text(0);
    let rate = MedianRange::of(runs, |run| run.rate).text(0);
    format!(
        "Messages a core-second, median of the rounds (range): {throughput}; messages/s {rate}.\n\n{}\n\n### AWS calls, by the platform that the message came from\n\n{}",
        platforms(runs),
        calls(runs),
    )
}

fn platforms(runs: &[MixedRun]) -> Table {
    let mut table = table(&[
        "from",
        "to",
        "messages",
        "refused",
        "lost",
        "repeated",
        "CPU of its inbound function, µs",
        "CPU of its outbound function, µs",
        "AWS calls",
        "read units",
        "write units",
    ]);
    for (from, figures) in runs.last().into_iter().flat_map(|run| &run.from) {
        let sum = |of: fn(&PlatformFigures) -> usize| {
            runs.iter().map(|run| of(&run.from[from])).sum::<usize>().to_string()
        };
        let median = |of: fn(&PlatformFigures) -> f64, digits: usize| {
            let median = MedianRange::of(runs, |run| of(&run.from[from])).median;
            format!("{median:.digits$}")
        };
        table.add_row([
            (*from).to_owned(),
            figures.to.to_owned(),
            sum(|one| one.messages),
            sum(|one| one.refused),
            sum(|one| one.lost),
            sum(|one| one.repeated),
            median(|one| one.inbound_cpu_us, 0),
            median(|one| one.outbound_cpu_us, 0),
            median(|one| one.aws_calls, 2),
            median(|one| one.read_units, 2),
            median(|one| one.write_units, 2),
        ]);
    }
    table
}

/// Returns the calls of the last run.
fn calls(runs: &[MixedRun]) -> Table {
    let mut table = table(&["from", "call", "number", "bytes", "read units", "write units"]);
    for (from, figures) in runs.last().into_iter().flat_map(|run| &run.from) {
        for (name, call) in figures.calls.iter().filter(|(_, call)| call.count > 0.000_5) {
            table.add_row([
                (*from).to_owned(),
                name.clone(),
                format!("{:.3}", call.count),
                format!("{:.0}", call.bytes),
                format!("{:.2}", call.read_units),
                format!("{:.2}", call.write_units),
            ]);
        }
    }
    table
}
