//! Checks Trunkline's webhook registrations on platforms that keep one and can disable it.

use jiff::SignedDuration;
use trunkline_shared::app::App;
use trunkline_shared::model::{ConnectionId, Job};

use crate::UpkeepError;
use crate::tasks::enqueue;

/// Time between two checks of a registration.
const CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(5);
/// Number of connections per page.
const PAGE_SIZE: u16 = 250;

/// Enqueues a check of every registration whose last check is older than the interval. The platform's
/// outbound function does the check.
pub async fn check_registrations(app: &App) -> Result<(), UpkeepError> {
    let mut after: Option<ConnectionId> = None;
    loop {
        let page = app.store.connections(after.as_ref(), PAGE_SIZE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for connection in
            page.iter().filter(|connection| connection.platform.capabilities().keeps_registration)
        {
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
