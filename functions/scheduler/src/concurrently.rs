//! Work that runs side by side.

use futures_util::{StreamExt, stream};

/// Runs all work, at most `limit` at the same time.
///
/// # Errors
/// The first failure, after everything has run.
pub(crate) async fn run_all<E, F>(limit: usize, work: impl IntoIterator<Item = F>) -> Result<(), E>
where
    F: Future<Output = Result<(), E>>,
{
    let results: Vec<Result<(), E>> = stream::iter(work).buffer_unordered(limit).collect().await;
    results.into_iter().collect()
}
