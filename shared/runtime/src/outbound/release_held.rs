//! Ingests events that were held for reordering, in the order of their own timestamps. The job is in their
//! leg's message group, so only one worker does this at a time.

use jiff::SignedDuration;

use super::OutboundError;
use crate::app::App;
use crate::inbound::ingest_or_store_rejected;
use trunkline_core::model::LegId;

/// How many held events one job reads.
const PAGE_SIZE: u16 = 100;
/// An event is released up to this long before its time.
const TOLERANCE: SignedDuration = SignedDuration::from_millis(500);

/// Ingests the events that have been held long enough, and all with an earlier timestamp.
pub(super) async fn release_held(app: &App, leg: &LegId) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let Some(connection) = app.config_cache.connection(&leg.connection, now).await? else {
        return Ok(());
    };
    let held = app.store.held(leg, None, PAGE_SIZE).await?;
    let ready =
        held.iter().rposition(|held| held.until <= now + TOLERANCE).map_or(0, |last| last + 1);
    for held in held.into_iter().take(ready) {
        ingest_or_store_rejected(app, &connection, held.event.clone()).await?;
        app.store.remove_held(leg, &held).await?;
    }
    Ok(())
}
