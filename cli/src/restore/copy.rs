//! Copies the pages of a restored table.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use trunkline_core::model::Leg;

use super::RestoreReport;
use super::error::RestoreError;
use super::item::{Handling, Item, Key, LegPlan, handling, leg_plan, text};
use super::progress::{Counts, CountsByKind, Position, Progress, ProgressFile};
use super::table::{Segment, Table};

/// How many items of a page are written at the same time.
const CONCURRENT_WRITES: usize = 16;

/// The versions of the items that the stack's table has, by key.
type Existing = HashMap<Key, u64>;

/// A copy of a restored table into a stack's table.
#[derive(Debug)]
pub(super) struct Copy<'a> {
    from: Table,
    into: Table,
    overwrite: bool,
    is_continued: bool,
    progress: Mutex<Progress>,
    /// `None`: a dry run, which writes nothing.
    file: Option<&'a ProgressFile>,
    now: Timestamp,
    page_size: i32,
}

impl<'a> Copy<'a> {
    pub(super) fn new(
        from: Table,
        into: Table,
        progress: Progress,
        file: Option<&'a ProgressFile>,
        now: Timestamp,
        page_size: i32,
    ) -> Self {
        Self {
            from,
            into,
            overwrite: progress.job.overwrite,
            is_continued: progress.has_begun(),
            progress: Mutex::new(progress),
            file,
            now,
            page_size,
        }
    }

    /// Copies what remains of all segments.
    pub(super) async fn run(
        self,
        on_page: impl Fn(&RestoreReport),
    ) -> Result<RestoreReport, RestoreError> {
        on_page(&self.report());
        let of = self.progress().segments.len();
        let segments = (0..of).map(|number| self.copy_segment(Segment { number, of }, &on_page));
        try_join_all(segments).await?;
        Ok(self.report())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> RestoreReport {
        let counts = self.progress().counts.clone();
        RestoreReport { is_continued: self.is_continued, counts }
    }

    async fn copy_segment(
        &self,
        segment: Segment,
        on_page: &impl Fn(&RestoreReport),
    ) -> Result<(), RestoreError> {
        loop {
            let position = self.progress().segments[segment.number].clone();
            let after = match position {
                Position::Start => None,
                Position::After { pk, sk } => Some(Key { pk, sk }),
                Position::End => return Ok(()),
            };
            let page = self.from.scan(segment, after, self.page_size).await?;
            let counts = self.copy_page(page.items).await?;
            let mut progress = self.progress();
            progress.add_page(segment.number, Position::after(page.last), &counts);
            if let Some(file) = self.file {
                file.save(&progress)?;
            }
            drop(progress);
            on_page(&self.report());
        }
    }

    /// Copies the items of a page. Repeating it is safe.
    async fn copy_page(&self, items: Vec<Item>) -> Result<CountsByKind, RestoreError> {
        let mut counts = CountsByKind::new();
        let (mut legs, mut others) = (Vec::new(), Vec::new());
        for item in items {
            let of_kind = count(&mut counts, &item);
            of_kind.found += 1;
            match handling(&item, self.now) {
                Handling::Expired => of_kind.expired += 1,
                Handling::LeaveOut | Handling::WithLeg => {}
                Handling::Leg => legs.push(item),
                Handling::Copy => others.push(item),
            }
        }
        let keys: Vec<Key> = legs.iter().chain(&others).map(Key::of).collect();
        let existing = self.into.existing(&keys).await?;
        let mut alone = Vec::new();
        for item in legs {
            let (leg, version) = (read_leg(&item)?, existing.get(&Key::of(&item)).copied());
            match leg_plan(leg.parked, leg.version, version) {
                LegPlan::Alone => alone.push(item),
                LegPlan::Keep => count(&mut counts, &item).kept += 1,
                LegPlan::WithParked => {
                    self.copy_with_parked(item, &leg, &existing, &mut counts).await?;
                }
            }
        }
        self.write_all(alone, &existing, false, &mut counts).await?;
        self.write_all(others, &existing, self.overwrite, &mut counts).await?;
        Ok(counts)
    }

    /// Copies a leg with its parked deliveries. The leg is last: while it is missing, no worker sends them.
    async fn copy_with_parked(
        &self,
        item: Item,
        leg: &Leg,
        existing: &Existing,
        counts: &mut CountsByKind,
    ) -> Result<(), RestoreError> {
        let group = leg.id.message_group();
        let (pk, mut after) = (format!("PARK#{group}"), None);
        let (mut written, mut of_parked) = (Vec::new(), CountsByKind::new());
        loop {
            let page = self.from.partition(&pk, after, self.page_size).await?;
            written.extend(self.write_missing(page.items, &mut of_parked).await?);
            after = page.last;
            if after.is_none() {
                break;
            }
        }
        let entry = Key::new(format!("PARKED#{}", leg.id.connection), group);
        let entry: Vec<Item> = self.from.get(&entry).await?.into_iter().collect();
        written.extend(self.write_missing(entry, &mut of_parked).await?);
        let is_missing = !existing.contains_key(&Key::of(&item));
        let is_written = !self.write_all(vec![item], existing, false, counts).await?.is_empty();
        if is_missing && !is_written {
            // A worker has begun this leg since it was read, without the parked deliveries.
            for key in &written {
                self.into.delete(key).await?;
            }
            return Ok(());
        }
        for (kind, parked) in of_parked {
            let total = counts.entry(kind).or_default();
            total.written += parked.written;
            total.kept += parked.kept;
        }
        Ok(())
    }

    async fn write_missing(
        &self,
        items: Vec<Item>,
        counts: &mut CountsByKind,
    ) -> Result<Vec<Key>, RestoreError> {
        let keys: Vec<Key> = items.iter().map(Key::of).collect();
        let existing = self.into.existing(&keys).await?;
        self.write_all(items, &existing, false, counts).await
    }

    /// Writes the items that the stack's table lacks, or all of them. Returns the keys of those that were written.
    async fn write_all(
        &self,
        items: Vec<Item>,
        existing: &Existing,
        replace: bool,
        counts: &mut CountsByKind,
    ) -> Result<Vec<Key>, RestoreError> {
        let writes = items.into_iter().map(|item| async move {
            let key = Key::of(&item);
            let is_written = if existing.contains_key(&key) && !replace {
                false
            } else if self.file.is_none() {
                true
            } else {
                self.into.put(item, replace).await?
            };
            Ok::<_, RestoreError>((key, is_written))
        });
        let results: Vec<(Key, bool)> =
            stream::iter(writes).buffer_unordered(CONCURRENT_WRITES).try_collect().await?;
        let mut written = Vec::new();
        for (key, is_written) in results {
            let of_kind = counts.entry(key.kind().to_owned()).or_default();
            if is_written {
                of_kind.written += 1;
                written.push(key);
            } else {
                of_kind.kept += 1;
            }
        }
        Ok(written)
    }
}

/// Returns the counts of an item's kind.
fn count<'c>(counts: &'c mut CountsByKind, item: &Item) -> &'c mut Counts {
    counts.entry(Key::of(item).kind().to_owned()).or_default()
}

fn read_leg(item: &Item) -> Result<Leg, RestoreError> {
    serde_json::from_str(text(item, "json")).map_err(|cause| {
        let connection = text(item, "sk").trim_start_matches("LEG#").to_owned();
        RestoreError::UnreadableLeg { connection, cause }
    })
}
