//! What attempts do to a connection's breaker.

use jiff::SignedDuration;

use super::DispatchError;
use crate::alerts::{self, Report};
use crate::app::App;
use crate::model::{Breaker, Connection, Reactivation, Wake, next_probe};
use crate::telemetry::{self, Count};

/// When what is parked is released by the note that is left in case.
const IN_CASE: SignedDuration = SignedDuration::from_secs(2);

/// The connection answered. Closes nothing: only a probe or a verification does.
pub(super) async fn worked(
    app: &App,
    connection: &Connection,
    before: &Breaker,
) -> Result<(), DispatchError> {
    if before.failures > 0 && !before.is_open() {
        app.store.forget_failures(&connection.id).await?;
    }
    Ok(())
}

/// The connection failed. The last of so many failures in a row opens the breaker.
pub(super) async fn failed(
    app: &App,
    connection: &Connection,
    reason: &str,
) -> Result<(), DispatchError> {
    app.directory.forget_breaker(&connection.id);
    let failures = app.store.count_failure(&connection.id).await?;
    let now = app.clock.now();
    if failures < connection.delivery.breaker_after {
        return Ok(());
    }
    if connection.delivery.reactivation == Reactivation::Automatic {
        // Left before the breaker opens, for whoever opens it may die of it. Void if it does not.
        let wake = Wake::Probe {
            platform: connection.platform,
            connection: connection.id.clone(),
            opened_at: now,
            round: 0,
            at: next_probe(now, now),
        };
        app.queues.wake(&wake, now).await?;
    }
    if !app.store.open_breaker(&connection.id, now).await? {
        return Ok(());
    }
    tracing::error!(connection = %connection.id, failures, reason, "the breaker opened");
    telemetry::count(now, Count::BreakerOpened, connection);
    let report = Report::breaker_opened(&connection.id, failures, reason);
    alerts::tell(app, &connection.id, &report).await;
    Ok(())
}

/// The connection has shown that it works again: closes its breaker, and has all that is parked sent.
pub(super) async fn proved(app: &App, connection: &Connection) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let release = |at| Wake::Release {
        platform: connection.platform,
        connection: connection.id.clone(),
        at,
        after: None,
    };
    // Left before the breaker closes, for whoever closes it may die of it.
    app.queues.wake(&release(Some(now + IN_CASE)), now).await?;
    if !app.store.close_breaker(&connection.id).await? {
        return Ok(());
    }
    tracing::info!(connection = %connection.id, "the breaker closed");
    telemetry::count(now, Count::BreakerClosed, connection);
    app.queues.wake(&release(None), now).await?;
    alerts::tell(app, &connection.id, &Report::breaker_closed(&connection.id)).await;
    Ok(())
}
