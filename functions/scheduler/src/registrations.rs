//! Checks Trunkline's webhook registrations on platforms that keep one and can disable it.

use jiff::SignedDuration;
use trunkline_core::model::{ConnectionId, Job};
use trunkline_core::platform::PlatformTraits;
use trunkline_runtime::app::App;

use crate::SchedulerError;
use crate::tasks::enqueue;

/// Time between two checks of a registration.
const CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(5);
/// Number of connections per page.
const PAGE_SIZE: u16 = 250;

/// Enqueues a check of every registration whose last check is older than the interval. The platform's
/// outbound function does the check.
pub async fn check_registrations(
    app: &App,
    platforms: &[PlatformTraits],
) -> Result<(), SchedulerError> {
    let mut after: Option<ConnectionId> = None;
    loop {
        let page = app.store.connections(after.as_ref(), PAGE_SIZE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let registered = page.iter().filter(|connection| {
            let known = platforms.iter().find(|known| known.id == connection.platform);
            known.is_some_and(|known| known.behaviour.keeps_registration)
        });
        for connection in registered {
            let now = app.clock.now();
            let last_check = app.store.registration(&connection.id).await?;
            if last_check
                .is_some_and(|last_check| now.duration_since(last_check.at) < CHECK_INTERVAL)
            {
                continue;
            }
            let job = Job::ReconcileRegistration { connection: connection.id.clone() };
            let group = format!("registration-{}", connection.id);
            enqueue(app, connection.platform, group, job).await?;
        }
    }
}
