//! The progress of a copy, in a local file: an interrupted copy continues after the last page of each segment.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::RestoreError;
use super::item::Key;

/// How many items of a kind were found, and the result of each. An item that an interrupted page wrote counts as
/// existing when the page is repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Items in the restored table.
    pub found: u64,
    /// Items that were written; in a dry run, that would be.
    pub written: u64,
    /// Items that the stack's table has and keeps.
    pub kept: u64,
    /// Items whose time has passed.
    pub expired: u64,
}

impl Counts {
    /// Returns the number of items that are not copied although they have not expired.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.found.saturating_sub(self.written + self.kept + self.expired)
    }
}

/// Counts by kind of item: the first part of the partition key, such as `CONV`.
pub type CountsByKind = BTreeMap<String, Counts>;

/// What a copy does. A copy continues only if this is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    /// The restored table.
    pub(super) from: String,
    /// When it was created, in Unix seconds.
    pub(super) created: i64,
    /// The stack's table.
    pub(super) into: String,
    /// Whether items of the stack's table are replaced.
    pub(super) overwrite: bool,
}

/// How far a segment of the restored table was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Position {
    Start,
    /// After the item with this key.
    After {
        pk: String,
        sk: String,
    },
    End,
}

impl Position {
    /// Returns the position after a page whose last key is `last`; `None` if there are no more pages.
    pub(super) fn after(last: Option<Key>) -> Self {
        last.map_or(Self::End, |Key { pk, sk }| Self::After { pk, sk })
    }
}

/// A copy and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) job: Job,
    /// One position per segment. DynamoDB divides a table in this number of segments.
    pub(super) segments: Vec<Position>,
    pub(super) counts: CountsByKind,
}

impl Progress {
    pub(super) fn new(job: Job, segments: usize) -> Self {
        Self { job, segments: vec![Position::Start; segments], counts: CountsByKind::new() }
    }

    /// Adds a page that was copied.
    pub(super) fn add_page(&mut self, segment: usize, then: Position, page: &CountsByKind) {
        if let Some(position) = self.segments.get_mut(segment) {
            *position = then;
        }
        for (kind, counts) in page {
            let total = self.counts.entry(kind.clone()).or_default();
            total.found += counts.found;
            total.written += counts.written;
            total.kept += counts.kept;
            total.expired += counts.expired;
        }
    }

    /// Whether a page was copied.
    pub(super) fn has_begun(&self) -> bool {
        self.segments.iter().any(|position| *position != Position::Start)
    }
}

/// The file that holds the progress of a copy. It contains keys of items, and so ids of customers.
#[derive(Debug, Clone)]
pub(super) struct ProgressFile(PathBuf);

impl ProgressFile {
    /// Returns the file for a restored table in a folder: `.trunkline-restore-<table>.json`.
    pub(super) fn new(folder: &Path, from: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
        let table: String = from.chars().map(plain).collect();
        Self(folder.join(format!(".trunkline-restore-{table}.json")))
    }

    /// Returns the progress of an interrupted copy, or that of a new one with this number of segments.
    ///
    /// # Errors
    /// If the file cannot be read, or is of another copy.
    pub(super) fn continue_or_begin(
        &self,
        job: Job,
        segments: usize,
    ) -> Result<Progress, RestoreError> {
        let text = match std::fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Progress::new(job, segments));
            }
            Err(cause) => return Err(self.failed(cause)),
        };
        let known: Progress =
            serde_json::from_slice(&text).map_err(|error| self.failed(io::Error::other(error)))?;
        let other = |what: String| RestoreError::OtherCopy { path: self.0.clone(), what };
        if known.job.into != job.into {
            return Err(other(format!("into the table '{}'", known.job.into)));
        }
        if (&known.job.from, known.job.created) != (&job.from, job.created) {
            return Err(other("from an earlier table of this name".into()));
        }
        if known.job.overwrite != job.overwrite {
            let with = if known.job.overwrite { "with" } else { "without" };
            return Err(other(format!("{with} --overwrite")));
        }
        Ok(known)
    }

    /// Writes the progress. A crash leaves the previous or the new file.
    pub(super) fn save(&self, progress: &Progress) -> Result<(), RestoreError> {
        let write = || {
            let next = self.0.with_extension("json.new");
            std::fs::write(&next, serde_json::to_vec(progress)?)?;
            std::fs::rename(&next, &self.0)
        };
        write().map_err(|cause| self.failed(cause))
    }

    /// Removes the file of a copy that is complete.
    pub(super) fn remove(&self) -> Result<(), RestoreError> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn failed(&self, cause: io::Error) -> RestoreError {
        RestoreError::ProgressFile { path: self.0.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job { from: "restored".into(), created: 7, into: "table".into(), overwrite: false }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("trunkline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn progress_survives_in_its_file() {
        let folder = folder("progress");
        let file = ProgressFile::new(&folder, "arn:aws:dynamodb:x:1:table/restored");
        assert!(file.0.ends_with(".trunkline-restore-arn-aws-dynamodb-x-1-table-restored.json"));
        let mut progress = file.continue_or_begin(job(), 2).unwrap();
        assert!(!progress.has_begun());
        let counts = Counts { found: 3, written: 1, kept: 1, expired: 0 };
        let page = CountsByKind::from([("CONV".into(), counts)]);
        progress.add_page(1, Position::after(Some(Key::new("CONV#a", "CONV"))), &page);
        progress.add_page(0, Position::after(None), &page);
        file.save(&progress).unwrap();
        let read = file.continue_or_begin(job(), 5).unwrap();
        assert_eq!(read, progress, "the number of segments is that of the first run");
        assert!(read.has_begun());
        assert_eq!((read.counts["CONV"].found, read.counts["CONV"].left_out()), (6, 2));
        file.remove().unwrap();
        file.remove().unwrap();
        assert!(!file.continue_or_begin(job(), 1).unwrap().has_begun());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn progress_of_another_copy_is_refused() {
        let folder = folder("other-progress");
        let file = ProgressFile::new(&folder, "restored");
        file.save(&Progress::new(job(), 1)).unwrap();
        for (other, expected) in [
            (Job { into: "other".into(), ..job() }, "into the table 'table'"),
            (Job { created: 8, ..job() }, "from an earlier table of this name"),
            (Job { overwrite: true, ..job() }, "without --overwrite"),
        ] {
            let refused = file.continue_or_begin(other, 1).unwrap_err().to_string();
            assert!(refused.contains(expected) && refused.contains("delete the file"), "{refused}");
        }
        std::fs::write(&file.0, "{").unwrap();
        let refused = file.continue_or_begin(job(), 1).unwrap_err().to_string();
        assert!(refused.contains("delete it to begin again"), "{refused}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
