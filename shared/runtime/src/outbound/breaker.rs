//! The effect of attempts on a connection's breaker.

use jiff::SignedDuration;

use super::OutboundError;
use crate::alerts::{self, Alert};
use crate::app::App;
use crate::schedule::schedule;
use crate::telemetry::{self, Metric};
use trunkline_core::model::{Breaker, Connection, Reactivation, ScheduledTask};

/// The time for which the worker that opens a breaker schedules probes: the next tick comes within it.
const UNTIL_TICK: SignedDuration = SignedDuration::from_secs(75);
/// Delay of the release that is scheduled before the breaker closes, in case the worker crashes.
const FALLBACK_DELAY: SignedDuration = SignedDuration::from_secs(2);

/// Records that the connection answered. Does not close an open breaker: only a probe or a verification
/// does.
pub(super) async fn record_success(
    app: &App,
    connection: &Connection,
    before: &Breaker,
) -> Result<(), OutboundError> {
    if before.failures > 0 && !before.is_open() {
        app.store.reset_failures(&connection.id).await?;
    }
    Ok(())
}

/// Records a failure. The configured number of consecutive failures (`breaker_after`) opens the breaker.
pub(super) async fn record_failure(
    app: &App,
    connection: &Connection,
    reason: &str,
) -> Result<(), OutboundError> {
    app.config_cache.invalidate_breaker(&connection.id);
    let failures = app.store.count_failure(&connection.id).await?;
    let now = app.clock.now();
    if failures < connection.delivery.breaker_after {
        return Ok(());
    }
    if connection.delivery.reactivation == Reactivation::Automatic {
        // Scheduled before the breaker opens: a crash in between must not leave it open without a
        // probe. The probes are ignored if the breaker stays closed. The tick continues them.
        let probes =
            ScheduledTask::probes(connection.platform, &connection.id, now, now, UNTIL_TICK);
        app.queues.send_tasks(&probes, now).await?;
    }
    if !app.store.open_breaker(&connection.id, now).await? {
        return Ok(());
    }
    tracing::error!(connection = %connection.id, failures, reason, "the breaker opened");
    telemetry::count(now, Metric::BreakerOpened, connection);
    let alert = Alert::breaker_opened(&connection.id, failures, reason);
    alerts::notify(app, &connection.id, &alert).await;
    Ok(())
}

/// Closes the breaker of a connection that works again, and releases its parked deliveries.
pub(super) async fn close(app: &App, connection: &Connection) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let release = |at| ScheduledTask::ReleaseParked {
        platform: connection.platform,
        connection: connection.id.clone(),
        at,
        after_group: None,
    };
    // Scheduled before the breaker closes: a crash in between must not leave the legs parked.
    schedule(app, &release(Some(now + FALLBACK_DELAY))).await?;
    if !app.store.close_breaker(&connection.id).await? {
        return Ok(());
    }
    tracing::info!(connection = %connection.id, "the breaker closed");
    telemetry::count(now, Metric::BreakerClosed, connection);
    schedule(app, &release(None)).await?;
    alerts::notify(app, &connection.id, &Alert::breaker_closed(&connection.id)).await;
    Ok(())
}
