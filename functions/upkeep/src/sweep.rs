//! Once a minute: whatever waits and has lost the note that was to wake it gets another. Notes are
//! left before a message is answered for, so this is for the day when a queue itself loses one.

use jiff::SignedDuration;
use trunkline_shared::app::App;
use trunkline_shared::model::{ConnectionId, Drain, Reactivation, Wake};
use trunkline_shared::store::ParkedLeg;
use trunkline_shared::telemetry;

use crate::UpkeepError;
use crate::wake::order;

/// How late something is before it counts as left lying.
const LATE: SignedDuration = SignedDuration::from_mins(2);
/// How many legs of a connection are looked at in a minute.
const LOOKED_AT: u16 = 500;

/// Looks at every connection of which something is parked, and tells how much that is.
///
/// # Errors
/// If the table or a queue does not answer.
pub async fn sweep(app: &App) -> Result<(), UpkeepError> {
    let mut waiting = 0;
    for connection in app.store.connections_with_parked().await? {
        let legs = app.store.parked_legs(&connection, None, LOOKED_AT).await?;
        waiting += app.store.count_parked(&legs).await?;
        if legs.is_empty() {
            continue;
        }
        let breaker = app.store.breaker(&connection).await?;
        if let Some(opened_at) = breaker.opened_at {
            revive_probes(app, &connection, opened_at, breaker.probed_at, &legs).await?;
            continue;
        }
        for parked in legs {
            revive(app, parked).await?;
        }
    }
    telemetry::waiting(app.clock.now(), waiting);
    Ok(())
}

async fn revive_probes(
    app: &App,
    connection: &ConnectionId,
    opened_at: jiff::Timestamp,
    probed_at: Option<jiff::Timestamp>,
    legs: &[ParkedLeg],
) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let configured = app.directory.connection(connection, now).await?;
    let manual = configured.is_some_and(|c| c.delivery.reactivation == Reactivation::Manual);
    let Some(first) = legs.first().filter(|_| !manual) else { return Ok(()) };
    if probed_at.unwrap_or(opened_at) < now - LATE {
        let (platform, connection) = (first.platform, connection.clone());
        let wake = Wake::Probe { platform, connection, opened_at, round: 0, at: now };
        app.queues.wake(&wake, now).await?;
    }
    Ok(())
}

async fn revive(app: &App, parked: ParkedLeg) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let first = app.store.parked(&parked.leg, None, 1).await?.into_iter().next();
    let due = first.map(|first| first.due.unwrap_or(first.since));
    if due.is_some_and(|due| due < now - LATE) {
        order(app, parked.platform, parked.leg, Drain::Released).await?;
    }
    Ok(())
}
