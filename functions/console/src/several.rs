//! Several questions at once, and not too many: a stack may have hundreds of connections.

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;

/// How many are asked at once.
const AT_ONCE: usize = 8;

/// What all of them answer, in their order.
///
/// # Errors
/// The first that fails.
pub(crate) async fn all<F, T, E>(questions: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let gate = Semaphore::new(AT_ONCE);
    let asked = questions.into_iter().map(|question| async {
        // It is never closed.
        let _turn = gate.acquire().await;
        question.await
    });
    // A list first: its questions are known before any is asked.
    try_join_all(asked.collect::<Vec<_>>()).await
}
