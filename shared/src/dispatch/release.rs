//! Takes events that were held back, in the order of their own times. This is a message in their leg's
//! group, so there is one who does so at a time.

use jiff::SignedDuration;

use super::DispatchError;
use crate::app::App;
use crate::intake::{IntakeError, take_now};
use crate::model::LegId;
use crate::store::{Held, Rejected};

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
        match Box::pin(take_now(app, &connection, held.event.clone())).await {
            Ok(_) => {}
            Err(IntakeError::Rejected(why)) => {
                tracing::warn!(connection = %connection.id, %why, "an event was refused");
                if !why.is_recorded() {
                    keep(app, leg, &held, &why.to_string()).await?;
                }
            }
            Err(ours) => return Err(ours.into()),
        }
        app.store.let_go(leg, &held).await?;
    }
    Ok(())
}

async fn keep(app: &App, leg: &LegId, held: &Held, why: &str) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let body = serde_json::to_vec(&held.event)?;
    let rejected = Rejected::new(now, why.to_owned(), &body);
    app.store.keep_rejected(&leg.connection, &app.ids.next(now), &rejected).await?;
    Ok(())
}
