//! `trunkline restore`: copies a restored table into the stack's table.

use std::cell::OnceCell;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;
use std::time::Instant;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use trunkline::restore::{RestoreOptions, RestoreReport, SEGMENTS, restore};
use trunkline::stack::{Stack, aws_config_from_environment};
use trunkline_runtime::app::{Clock, SystemClock};

use super::CliError;
use super::table::Table;

/// How often the SDK repeats a call that DynamoDB throttles, with growing pauses.
const ATTEMPTS: u32 = 10;

/// What to copy and how.
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// Name of the restored table.
    #[arg(long, value_name = "TABLE")]
    from: String,
    /// Count what would be copied, by kind of item, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace what the stack's table has, except legs and their parked deliveries. Default: copy only what it lacks.
    #[arg(long)]
    overwrite: bool,
    /// Number of parts of the table that are copied at the same time. A continued copy keeps its own.
    #[arg(long, default_value_t = SEGMENTS, value_parser = clap::value_parser!(u16).range(1..=64))]
    segments: u16,
}

pub(super) async fn run(name: &str, args: &RestoreArgs) -> Result<(), CliError> {
    let aws = aws_config_from_environment().await?;
    let stack = Stack::find(&aws, name).await?;
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let config = aws_sdk_dynamodb::config::Builder::from(&aws).retry_config(retries).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let options = RestoreOptions {
        from: &args.from,
        into: &stack.info.table,
        dry_run: args.dry_run,
        overwrite: args.overwrite,
        segments: args.segments,
        folder: Path::new("."),
        now: SystemClock.now(),
    };
    let shown = Shown::new();
    let result = restore(&client, options, |report| shown.update(report)).await;
    shown.end();
    let report = result?;
    summary(&report, args.dry_run).print("the restored table has no items");
    if args.dry_run {
        println!("\nNothing was written. Run the command without --dry-run to copy.");
    } else {
        println!(
            "\nThe copy is complete. Run `trunkline apply` and `trunkline status`. docs/runbook.md says what a restore \
             does not bring back."
        );
    }
    Ok(())
}

/// The progress on the terminal.
struct Shown {
    started: Instant,
    is_terminal: bool,
    /// The number of items that an interrupted copy has read.
    before: OnceCell<u64>,
}

impl Shown {
    fn new() -> Self {
        let is_terminal = stderr().is_terminal();
        Self { started: Instant::now(), is_terminal, before: OnceCell::new() }
    }

    fn update(&self, report: &RestoreReport) {
        let is_first = self.before.get().is_none();
        let before = *self.before.get_or_init(|| report.found());
        if is_first && report.is_continued {
            eprintln!("continues an interrupted copy, which has read {before} items");
        }
        if self.is_terminal {
            eprint!("\r{:<60}", report.progress_line(before, self.started.elapsed()));
            // The line is only for the eye.
            let _ = stderr().flush();
        }
    }

    fn end(&self) {
        if self.is_terminal {
            eprintln!();
        }
    }
}

fn summary(report: &RestoreReport, dry_run: bool) -> Table {
    let written = if dry_run { "TO WRITE" } else { "WRITTEN" };
    let mut table = Table::new(&["KIND", "ITEMS", written, "KEPT", "EXPIRED", "NOT COPIED"]);
    for (kind, counts) in &report.counts {
        let numbers =
            [counts.found, counts.written, counts.kept, counts.expired, counts.left_out()];
        let [found, written, kept, expired, left_out] = numbers.map(|number| number.to_string());
        table.row([kind.clone(), found, written, kept, expired, left_out]);
    }
    table
}
