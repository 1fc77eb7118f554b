//! Copies a table that DynamoDB restored into the table of a stack.
//!
//! DynamoDB restores a table into a new one, and a stack keeps its own. A copy writes what the stack's table lacks,
//! page by page and in parallel segments, and keeps its progress in a local file. Each item is decided on by itself,
//! except a leg, which is copied together with its parked deliveries: see [`item`].

mod copy;
mod error;
mod item;
mod progress;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;

pub use error::RestoreError;
pub use progress::{Counts, CountsByKind};

use copy::Copy;
use progress::{Job, Progress, ProgressFile};
use table::Table;

/// The number of items that are read with one call. Bounds the memory and what is repeated after an interruption.
const PAGE_SIZE: i32 = 500;
/// The default number of segments.
pub const SEGMENTS: u16 = 4;

/// What to copy and how.
#[derive(Debug, Clone, Copy)]
pub struct RestoreOptions<'a> {
    /// The name of the restored table.
    pub from: &'a str,
    /// The name of the stack's table.
    pub into: &'a str,
    /// Whether nothing is written, neither to the table nor to the file with the progress.
    pub dry_run: bool,
    /// Whether items that the stack's table has are replaced. Legs are not.
    pub overwrite: bool,
    /// The number of segments that are copied at the same time.
    pub segments: u16,
    /// The folder of the file with the progress.
    pub folder: &'a Path,
    /// Items that expire until this time are not copied.
    pub now: Timestamp,
}

/// How far a copy has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// Whether the copy continues an interrupted one.
    pub is_continued: bool,
    /// The counts so far, including those of an interrupted copy.
    pub counts: CountsByKind,
}

impl RestoreReport {
    /// Returns the number of items that were read.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.counts.values().map(|counts| counts.found).sum()
    }

    /// Returns a line such as `5000 items read, 1200 written, 2000 items/s`. `before` is the number of items that were
    /// read before this run, which has lasted `elapsed`.
    #[must_use]
    pub fn progress_line(&self, before: u64, elapsed: Duration) -> String {
        let (found, millis) = (self.found(), elapsed.as_millis().max(1));
        let written: u64 = self.counts.values().map(|counts| counts.written).sum();
        let rate = u128::from(found.saturating_sub(before)) * 1_000 / millis;
        format!("{found} items read, {written} written, {rate} items/s")
    }
}

/// Copies a restored table, or continues to. Calls `on_page` at the beginning and after each page.
///
/// # Errors
/// If the tables cannot be used, DynamoDB refuses a call, or the file with the progress cannot be written. What was
/// copied stays, and the next call continues.
pub async fn restore(
    client: &Client,
    options: RestoreOptions<'_>,
    on_page: impl Fn(&RestoreReport),
) -> Result<RestoreReport, RestoreError> {
    let from = Table::new(client.clone(), options.from);
    let into = Table::new(client.clone(), options.into);
    let described = from.describe().await?;
    table::check(&described, &into.describe().await?)?;
    let job = Job {
        from: options.from.to_owned(),
        created: described.creation_date_time.map_or(0, |time| time.secs()),
        into: options.into.to_owned(),
        overwrite: options.overwrite,
    };
    let segments = usize::from(options.segments.max(1));
    let file = (!options.dry_run).then(|| ProgressFile::new(options.folder, options.from));
    let progress = match &file {
        Some(file) => file.continue_or_begin(job, segments)?,
        None => Progress::new(job, segments),
    };
    let copy = Copy::new(from, into, progress, file.as_ref(), options.now, PAGE_SIZE);
    let report = copy.run(on_page).await?;
    if let Some(file) = file {
        file.remove()?;
    }
    Ok(report)
}
