//! What attempts do to a connection's breaker.

use super::DispatchError;
use crate::app::App;
use crate::model::{Breaker, Connection, Reactivation, Wake, next_probe};
use crate::operations::{self, Report};
use crate::telemetry::{self, Count};

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
    let failures = app.store.count_failure(&connection.id).await?;
    let now = app.clock.now();
    if failures < connection.delivery.breaker_after
        || !app.store.open_breaker(&connection.id, now).await?
    {
        return Ok(());
    }
    tracing::error!(connection = %connection.id, failures, reason, "the breaker opened");
    telemetry::count(now, Count::BreakerOpened, connection);
    if connection.delivery.reactivation == Reactivation::Automatic {
        let wake = Wake::Probe {
            platform: connection.platform,
            connection: connection.id.clone(),
            opened_at: now,
            round: 0,
            at: next_probe(now, now),
        };
        app.queues.wake(&wake, now).await?;
    }
    let report = Report::breaker_opened(&connection.id, failures, reason);
    operations::tell(app, &connection.id, &report).await;
    Ok(())
}

/// The connection has shown that it works again: closes its breaker, and has all that is parked sent.
pub(super) async fn proved(app: &App, connection: &Connection) -> Result<(), DispatchError> {
    if !app.store.close_breaker(&connection.id).await? {
        return Ok(());
    }
    let now = app.clock.now();
    tracing::info!(connection = %connection.id, "the breaker closed");
    telemetry::count(now, Count::BreakerClosed, connection);
    let (platform, id) = (connection.platform, connection.id.clone());
    app.queues.wake(&Wake::Release { platform, connection: id, after: None }, now).await?;
    operations::tell(app, &connection.id, &Report::breaker_closed(&connection.id)).await;
    Ok(())
}
