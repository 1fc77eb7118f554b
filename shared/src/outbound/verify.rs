//! Asks a connection's far side to prove itself, and looks after our registration there.

use super::{Asking, DispatchError, Outbound, Proof, Registered, breaker};
use crate::alerts::{self, Report};
use crate::app::App;
use crate::model::ConnectionId;
use crate::store::{Health, Registration};

/// Asks, for a person, and records what came of it. Where there is nothing to be asked, the person's
/// word closes the breaker.
pub(super) async fn verify<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
    challenge: &str,
) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let mut health =
        Health { challenge: challenge.to_owned(), at: now, problem: None, unasked: None };
    match app.directory.connection(id, now).await? {
        Some(connection) => {
            let secrets = app.secrets.of(&connection).await?;
            let asking = Asking { connection: &connection, secrets: &secrets, challenge, now };
            match platform.prove(&asking, &app.outside).await {
                Proof::Given => {}
                Proof::Missing(problem) => health.problem = Some(problem),
                Proof::Unasked(how) => health.unasked = Some(how.to_owned()),
            }
            if health.problem.is_none() {
                breaker::proved(app, &connection).await?;
            }
        }
        None => health.problem = Some("the connection is not configured".to_owned()),
    }
    health.at = app.clock.now();
    app.store.put_health(id, &health).await?;
    Ok(())
}

/// Looks after a connection's registration. Whoever operates is told when it changes.
pub(super) async fn tend<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let Some(connection) = app.directory.connection(id, now).await? else { return Ok(()) };
    let secrets = app.secrets.of(&connection).await?;
    let asking = Asking { connection: &connection, secrets: &secrets, challenge: "", now };
    let (problem, mended) = match platform.tend(&asking, &app.outside).await {
        Registered::Well => (None, None),
        Registered::Mended(what) => (None, Some(what)),
        Registered::Unwell(why) => (Some(why), None),
    };
    let before = app.store.registration(id).await?.and_then(|before| before.problem);
    let report = match (&mended, &problem) {
        (Some(what), _) => Some(Report::registration_mended(id, what)),
        (None, Some(why)) if before.as_ref() != Some(why) => {
            Some(Report::registration_unwell(id, why))
        }
        _ => None,
    };
    app.store.put_registration(id, &Registration { at: app.clock.now(), problem }).await?;
    if let Some(report) = report {
        tracing::warn!(connection = %id, ?report, "a registration changed");
        alerts::tell(app, id, &report).await;
    }
    Ok(())
}
