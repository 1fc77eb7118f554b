//! Notes to ourselves: each becomes an order in the queue of the leg that it is about, for only there
//! may anything be sent.

use jiff::{SignedDuration, Timestamp};
use trunkline_shared::app::App;
use trunkline_shared::listener;
use trunkline_shared::model::{ConnectionId, Drain, Job, LegId, Platform, Wake, next_probe};

use crate::{UpkeepError, due};

/// How many legs are released by one note.
const RELEASED_AT_ONCE: u16 = 100;
/// Among how many legs probes take turns, so that one poisoned leg does not speak for its connection.
const PROBED: u16 = 20;
/// Probes of one connection are at least so far apart.
const APART: SignedDuration = SignedDuration::from_secs(4);
/// A note that is less early than this is on time.
const SOON: SignedDuration = SignedDuration::from_millis(500);

/// Acts on a note, or leaves it again if it is not its time yet.
///
/// # Errors
/// If the table or a queue does not answer.
pub async fn wake(app: &App, wake: Wake) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    if wake.at().is_some_and(|at| at > now + SOON) {
        app.queues.wake(&wake, now).await?;
        return Ok(());
    }
    match wake {
        Wake::Leg { platform, leg, .. } => order(app, platform, leg, Drain::Due).await,
        Wake::Probe { platform, connection, opened_at, round, .. } => {
            probe(app, platform, connection, opened_at, round).await
        }
        Wake::Release { platform, connection, after, .. } => {
            release(app, platform, connection, after).await
        }
        Wake::Timer { key, timer, .. } => due::timer(app, key, timer).await,
        Wake::BotDown { leg, .. } => due::bot(app, leg).await,
        Wake::Listen { platform, .. } => Ok(listener::look(app, platform).await?),
        Wake::Held { platform, leg, .. } => {
            let (group, id) = (leg.group(), app.ids.next(now));
            app.queues.order(platform, group, id, &Job::Release { leg }).await?;
            Ok(())
        }
    }
}

/// Has one leg's first delivery sent while the breaker is open, and leaves the next such note.
async fn probe(
    app: &App,
    platform: Platform,
    connection: ConnectionId,
    opened_at: Timestamp,
    round: u32,
) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let breaker = app.store.breaker(&connection).await?;
    // Two rows of notes about one opening become one again.
    let probed_just_now = breaker.probed_at.is_some_and(|probed| probed > now - APART);
    if breaker.opened_at != Some(opened_at) || probed_just_now {
        return Ok(());
    }
    // First the next note: a worker that dies while it probes must not end the probing.
    let next = Wake::Probe {
        platform,
        connection: connection.clone(),
        opened_at,
        round: round.wrapping_add(1),
        at: next_probe(opened_at, now),
    };
    app.queues.wake(&next, now).await?;
    app.store.note_probe(&connection, now).await?;
    let mut legs = app.store.parked_legs(&connection, None, PROBED).await?;
    if legs.is_empty() {
        return Ok(());
    }
    let turn = usize::try_from(round).unwrap_or(0) % legs.len();
    order(app, platform, legs.swap_remove(turn).leg, Drain::Probe).await
}

/// Has what is parked on all of a connection's legs sent, some legs at a time.
async fn release(
    app: &App,
    platform: Platform,
    connection: ConnectionId,
    after: Option<String>,
) -> Result<(), UpkeepError> {
    let legs = app.store.parked_legs(&connection, after.as_deref(), RELEASED_AT_ONCE).await?;
    let last = legs.last().map(|parked| parked.leg.group());
    let is_full = legs.len() == usize::from(RELEASED_AT_ONCE);
    for parked in legs {
        order(app, platform, parked.leg, Drain::Released).await?;
    }
    if is_full {
        let rest = Wake::Release { platform, connection, at: None, after: last };
        app.queues.wake(&rest, app.clock.now()).await?;
    }
    Ok(())
}

pub(crate) async fn order(
    app: &App,
    platform: Platform,
    leg: LegId,
    why: Drain,
) -> Result<(), UpkeepError> {
    let (group, id) = (leg.group(), app.ids.next(app.clock.now()));
    app.queues.order(platform, group, id, &Job::Drain { leg, why }).await?;
    Ok(())
}
