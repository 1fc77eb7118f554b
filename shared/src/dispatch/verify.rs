//! Asks a connection's far side to prove that it is ours, and records what it answered.

use super::{DispatchError, Outbound, breaker, unanswered};
use crate::app::App;
use crate::model::{Connection, ConnectionId};
use crate::store::Health;

pub(super) async fn verify<P: Outbound>(
    app: &App,
    platform: &P,
    id: &ConnectionId,
    challenge: &str,
) -> Result<(), DispatchError> {
    let now = app.clock.now();
    let problem = match app.directory.connection(id, now).await? {
        Some(connection) => {
            let problem = problem(app, platform, &connection, challenge).await?;
            if problem.is_none() {
                breaker::proved(app, &connection).await?;
            }
            problem
        }
        None => Some("the connection is not configured".to_owned()),
    };
    let health = Health { challenge: challenge.to_owned(), at: app.clock.now(), problem };
    app.store.put_health(id, &health).await?;
    Ok(())
}

async fn problem<P: Outbound>(
    app: &App,
    platform: &P,
    connection: &Connection,
    challenge: &str,
) -> Result<Option<String>, DispatchError> {
    let secrets = app.secrets.of(connection).await?;
    let request = match platform.verification(connection, &secrets, challenge, app.clock.now()) {
        Ok(request) => request,
        Err(unsendable) => return Ok(Some(unsendable.to_string())),
    };
    Ok(match app.outside.call(request).await {
        Ok(answer) => platform.verification_problem(&answer, challenge),
        Err(error) => unanswered(&error).reason,
    })
}
