//! `make bench`: drives the release binaries as Lambda does, and tells what they cost.

mod aws;
mod baseline;
mod cold;
mod counted;
mod counting;
mod functions;
mod lambda;
mod load;
mod machine;
mod mapping;
mod outcome;
mod report;
mod scale;
mod scenarios;
mod sink;
mod summary;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use baseline::Baseline;
use report::{Length, Report};

/// Measures the release binaries of the functions, driven as Lambda drives them.
#[derive(Debug, Parser)]
#[command(name = "trunkline-bench", version)]
struct Arguments {
    /// Where the release binaries are.
    #[arg(long, default_value = "target/release", global = true)]
    programs: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Time, memory, AWS calls, and what is lost, repeated or inverted: some four minutes.
    Run {
        /// Rounds in which ours and the floor take turns.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds that a round or a scenario lasts.
        #[arg(long, default_value_t = 8)]
        seconds: u64,
        /// How often each function is started.
        #[arg(long, default_value_t = 15)]
        starts: usize,
        /// Where the figures are written as JSON.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Instructions for reading, routing and writing, by platform, and of a whole message; needs valgrind.
    Instructions {
        /// Count the whole functions, or what is pure; both, if left out.
        #[arg(long, value_enum)]
        only: Option<Part>,
        /// Keep them as the baseline, in place of comparing them with it.
        #[arg(long)]
        write: bool,
    },
    /// What AWS bills of each thing that is relayed, for `trunkline cost`.
    Count {
        /// Where the figures are written as JSON.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// How far quotas and keys go.
    Scale,
    /// The functions' sizes as they are uploaded.
    Sizes {
        /// Keep them as the baseline, in place of comparing them with it.
        #[arg(long)]
        write: bool,
    },
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Reading, routing and writing, by platform.
    Pure,
    /// The functions with all that they call.
    Whole,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Only a second one in this process could be refused.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Arguments { programs, command } = Arguments::parse();
    match command {
        Command::Run { rounds, seconds, starts, json } => {
            let length = Length { rounds, each: Duration::from_secs(seconds), starts };
            let report = Report::make(&programs, length).await;
            report.print();
            if let Some(file) = json {
                std::fs::write(&file, serde_json::to_string_pretty(&report).unwrap()).unwrap();
            }
            ExitCode::from(u8::from(report.is_broken()))
        }
        Command::Instructions { only, write } => {
            let mut counts = BTreeMap::new();
            if only != Some(Part::Whole) {
                counts.extend(counted::pure(&programs).await);
            }
            if only != Some(Part::Pure) {
                counts.extend(counted::whole(&programs).await);
            }
            keep(&Baseline::new("instructions", "instructions"), &counts, write)
        }
        Command::Count { json } => {
            let text = serde_json::to_string_pretty(&counting::count(&programs).await).unwrap();
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
        Command::Sizes { write } => {
            keep(&Baseline::new("sizes", "bytes zipped"), &cold::sizes(&programs), write)
        }
    }
}

fn keep(baseline: &Baseline, figures: &BTreeMap<String, u64>, write: bool) -> ExitCode {
    if write {
        baseline.write(figures);
        return ExitCode::SUCCESS;
    }
    let worse = baseline.check(figures);
    if worse > 0 {
        eprintln!(
            "{worse} of {} rose by more than a tenth. If that is worth it, keep them: `make bench-baseline`.",
            figures.len()
        );
    }
    ExitCode::from(u8::from(worse > 0))
}

/// A client for this process's own calls.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
