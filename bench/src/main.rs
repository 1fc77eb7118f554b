//! `make bench`: drives the release binaries as Lambda does and reports time, memory and AWS usage.

mod aws;
mod baseline;
mod cold_start;
mod comparison;
mod functions;
mod gateway;
mod instructions;
mod lambda;
mod load;
mod machine;
mod mapping;
mod measurement;
mod mixed;
mod receiver;
mod rendering;
mod report;
mod scale;
mod scenarios;
mod summary;
mod testbed;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use baseline::Baseline;
use report::{BenchReport, Case, RunLength};

/// Measures the release binaries of the functions, driven as Lambda drives them.
#[derive(Debug, Parser)]
#[command(name = "trunkline-bench", version)]
struct Arguments {
    /// Folder of the release binaries. For those of another version, put the `CreateTable` request of
    /// its table there, as table.json.
    #[arg(long, default_value = "target/release", global = true)]
    programs: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure time, memory, AWS calls, and lost, repeated or inverted messages. Takes about
    /// ten minutes.
    Run {
        /// Rounds, each of which measures the baseline functions and Trunkline.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Duration of a round or scenario, in seconds.
        #[arg(long, default_value_t = 8)]
        seconds: u64,
        /// Cold starts per function.
        #[arg(long, default_value_t = 15)]
        starts: usize,
        /// Measure only one case. Default: all.
        #[arg(long, value_enum)]
        only: Option<Case>,
        /// File to write the results to, as JSON.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Count instructions for reading, routing and writing, by platform, and per message. Needs valgrind.
    Instructions {
        /// Count only the pure steps or only whole messages. Default: both.
        #[arg(long, value_enum)]
        only: Option<InstructionScope>,
        /// Write the baseline instead of comparing with it.
        #[arg(long)]
        write: bool,
    },
    /// Measure the AWS usage of a message, a copy and a receipt, for `trunkline cost`.
    Count {
        /// File to write the results to, as JSON.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Print the throughput that quotas and partition keys allow.
    Scale,
    /// Measure the rendering and splitting of the worst texts: fails if it is not linear, or slow. Needs valgrind.
    Rendering,
    /// Measure the zipped size of each function.
    Sizes {
        /// Write the baseline instead of comparing with it.
        #[arg(long)]
        write: bool,
    },
}

/// What instructions are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InstructionScope {
    /// Reading, routing and writing, by platform.
    Steps,
    /// Whole messages, through the inbound and outbound functions.
    Messages,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Arguments { programs, command } = Arguments::parse();
    match command {
        Command::Run { rounds, seconds, starts, only, json } => {
            let length = RunLength { rounds, each: Duration::from_secs(seconds), starts };
            let report = BenchReport::measure(&programs, length, only).await;
            report.print();
            if let Some(file) = json {
                std::fs::write(&file, serde_json::to_string_pretty(&report).unwrap()).unwrap();
            }
            ExitCode::from(u8::from(report.is_broken()))
        }
        Command::Instructions { only, write } => {
            let mut counts = BTreeMap::new();
            if only != Some(InstructionScope::Messages) {
                counts.extend(instructions::per_step(&programs).await);
            }
            if only != Some(InstructionScope::Steps) {
                counts.extend(instructions::per_message(&programs).await);
            }
            compare_or_write(&Baseline::new("instructions", "instructions"), &counts, write)
        }
        Command::Count { json } => {
            let text = serde_json::to_string_pretty(&usage::measure(&programs).await).unwrap();
            match json {
                Some(file) => std::fs::write(&file, text + "\n").unwrap(),
                None => println!("{text}"),
            }
            ExitCode::SUCCESS
        }
        Command::Scale => {
            scale::print();
            ExitCode::SUCCESS
        }
        Command::Rendering => ExitCode::from(u8::from(rendering::measure(&programs).await > 0)),
        Command::Sizes { write } => compare_or_write(
            &Baseline::new("sizes", "bytes zipped"),
            &cold_start::sizes(&programs),
            write,
        ),
    }
}

fn compare_or_write(baseline: &Baseline, figures: &BTreeMap<String, u64>, write: bool) -> ExitCode {
    if write {
        baseline.write(figures);
        return ExitCode::SUCCESS;
    }
    let worse = baseline.check(figures);
    if worse > 0 {
        eprintln!(
            "{worse} of {} figures rose by more than 10 %. If that is intended, update the baseline: `make bench-baseline`.",
            figures.len()
        );
    }
    ExitCode::from(u8::from(worse > 0))
}
