//! Verifies a connection's endpoint, and reconciles or fixes its registration on the platform.

use super::{CheckContext, Outbound, OutboundError, RegistrationState, Verification, breaker};
use crate::alerts::{self, Alert};
use crate::app::App;
use crate::secrets::{PATH_KEY, SecretBag};
use crate::store::{Health, LoadedConnection, Registration};
use trunkline_core::model::{Connection, ConnectionId};

/// Verifies a connection on an operator's request and stores the result. Success closes the breaker, and so
/// does the request itself on a platform that cannot be verified.
pub(super) async fn verify<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
    challenge: &str,
) -> Result<(), OutboundError> {
    check(app, platform, id, challenge, false).await
}

/// Creates or updates a connection's registration on an operator's request, verifies the connection, and
/// stores the result.
pub(super) async fn fix_registration<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
    challenge: &str,
) -> Result<(), OutboundError> {
    check(app, platform, id, challenge, true).await
}

async fn check<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
    challenge: &str,
    fix: bool,
) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let mut health = Health {
        challenge: challenge.to_owned(),
        at: now,
        problem: None,
        unsupported: None,
        repaired: None,
    };
    match app.config_cache.own_connection::<P::Settings>(id, now).await? {
        Some(LoadedConnection { settings: Err(error), .. }) => {
            health.problem = Some(error.to_string());
        }
        Some(LoadedConnection { connection, settings: Ok(settings) }) => {
            let secrets = app.secrets.for_connection(&connection).await?;
            let address = address(app, &connection, &secrets);
            let address = address.as_deref();
            let (connection, settings) = (&*connection, &*settings);
            let check =
                CheckContext { connection, settings, secrets: &secrets, challenge, address, now };
            let fixed = if fix {
                platform.fix_registration(&check, &app.http_client).await
            } else {
                RegistrationState::InSync
            };
            match fixed {
                RegistrationState::OutOfSync(problem) => health.problem = Some(problem),
                RegistrationState::Repaired(repair) => health.repaired = Some(repair),
                RegistrationState::InSync => {}
            }
            if health.problem.is_none() {
                match platform.verify(&check, &app.http_client).await {
                    Verification::Ok => {}
                    Verification::Failed(problem) => health.problem = Some(problem),
                    Verification::Unsupported(how) => health.unsupported = Some(how.to_owned()),
                }
            }
            if health.problem.is_none() {
                breaker::close(app, connection).await?;
            }
        }
        None => health.problem = Some("the connection is not configured".to_owned()),
    }
    health.at = app.clock.now();
    app.store.put_health(id, &health).await?;
    Ok(())
}

/// Returns the inbound URL of a connection.
fn address(app: &App, connection: &Connection, secrets: &SecretBag) -> Option<String> {
    let base = app.files.as_ref()?.address();
    let key = secrets.newest(PATH_KEY)?;
    Some(format!("{base}/in/{}/{}/{key}", connection.platform, connection.id))
}

/// Reconciles a connection's registration. Sends an alert when its state changes.
pub(super) async fn reconcile_registration<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let loaded = app.config_cache.own_connection::<P::Settings>(id, now).await?;
    let Some(LoadedConnection { connection, settings }) = loaded else { return Ok(()) };
    let secrets = app.secrets.for_connection(&connection).await?;
    let address = address(app, &connection, &secrets);
    let state = match &settings {
        Ok(settings) => {
            let (connection, settings) = (&*connection, &**settings);
            let address = address.as_deref();
            let secrets = &secrets;
            let check = CheckContext { connection, settings, secrets, challenge: "", address, now };
            platform.reconcile_registration(&check, &app.http_client).await
        }
        Err(error) => RegistrationState::OutOfSync(error.to_string()),
    };
    let (problem, repaired) = match state {
        RegistrationState::InSync => (None, None),
        RegistrationState::Repaired(repair) => (None, Some(repair)),
        RegistrationState::OutOfSync(problem) => (Some(problem), None),
    };
    let before = app.store.registration(id).await?.and_then(|before| before.problem);
    let alert = match (&repaired, &problem) {
        (Some(repair), _) => Some(Alert::registration_repaired(id, repair)),
        (None, Some(why)) if before.as_ref() != Some(why) => {
            Some(Alert::registration_out_of_sync(id, why))
        }
        _ => None,
    };
    app.store.put_registration(id, &Registration { at: app.clock.now(), problem }).await?;
    if let Some(alert) = alert {
        tracing::warn!(connection = %id, ?alert, "the state of a registration changed");
        alerts::notify(app, id, &alert).await;
    }
    Ok(())
}
