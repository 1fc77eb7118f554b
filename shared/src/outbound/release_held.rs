//! Takes events that were held back, in the order of their own times. This is a message in their leg's
//! group, so there is one who does so at a time.

use jiff::SignedDuration;

use super::DispatchError;
use crate::app::App;
use crate::inbound::take_or_keep;
use crate::model::LegId;

/// How many are read at once.
const MOST: u16 = 100;
/// What is less early than this is on time.
const SOON: SignedDuration = SignedDuration::from_millis(500);

/// Takes whatever has waited for long enough, and all that comes before it.
pub(super) async fn release(app: &App, leg: &LegId) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let Some(connection) = app.directory.connection(&leg.connection, now).await? else {
        return Ok(());
    };
    let held = app.store.held(leg, MOST).await?;
    let ready = held.iter().rposition(|held| held.until <= now + SOON).map_or(0, |last| last + 1);
    for held in held.into_iter().take(ready) {
        take_or_keep(app, &connection, held.event.clone()).await?;
        app.store.let_go(leg, &held).await?;
    }
    Ok(())
}
