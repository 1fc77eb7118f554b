//! Concurrent requests with a limit: a stack may have hundreds of connections.

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;

const MAX_CONCURRENT: usize = 8;

/// Runs the futures concurrently, at most eight at a time, and returns their results in order.
///
/// # Errors
/// The first error of any future.
pub(crate) async fn join_all_bounded<F, T, E>(
    futures: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let semaphore = Semaphore::new(MAX_CONCURRENT);
    let bounded = futures.into_iter().map(|future| async {
        // Fails only if the semaphore is closed, which never happens.
        let _permit = semaphore.acquire().await;
        future.await
    });
    // Collected first, so that all futures exist before the first one runs.
    try_join_all(bounded.collect::<Vec<_>>()).await
}
