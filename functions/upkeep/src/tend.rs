//! Looks after our registrations on far sides that keep one and may switch it off.

use jiff::SignedDuration;
use trunkline_shared::app::App;
use trunkline_shared::model::{ConnectionId, Job};

use crate::UpkeepError;

/// How often each is looked at.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How many connections are listed at once.
const PAGE: u16 = 250;

/// Has those registrations looked at that were not for a while, by the functions that call there.
///
/// # Errors
/// If the table or a queue does not answer.
pub async fn tend(app: &App) -> Result<(), UpkeepError> {
    let mut after: Option<ConnectionId> = None;
    loop {
        let page = app.store.connections(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for listed in page.iter().filter(|listed| listed.platform.capabilities().registers) {
            let now = app.clock.now();
            let before = app.store.registration(&listed.id).await?;
            if before.is_some_and(|before| now.duration_since(before.at) < EVERY) {
                continue;
            }
            let job = Job::Tend { connection: listed.id.clone() };
            let group = format!("tend-{}", listed.id);
            app.queues.order(listed.platform, group, app.ids.next(now), &job).await?;
        }
    }
}
