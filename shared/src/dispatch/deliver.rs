//! One attempt to deliver: leg, call, outcome.

use super::{Meaning, Outbound, Sending, Unsendable, unanswered};
use crate::app::App;
use crate::model::{Connection, Delivery, Leg, Outcome, Verdict};
use crate::secrets::SecretsError;
use crate::store::StoreError;
use crate::telemetry::{self, Count};

/// Why an attempt could not be made or recorded. Ours: the queue gives the delivery again.
#[derive(Debug, thiserror::Error)]
pub(super) enum DispatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("a queue's message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Makes one attempt and records what came of it. `received` is how often the queue has given the
/// delivery so far.
pub(super) async fn attempt<P: Outbound>(
    app: &App,
    platform: &P,
    delivery: &Delivery,
    received: u32,
) -> Result<Verdict, DispatchError> {
    // A first receipt of a first message cannot have been settled: only others cost this read.
    if (received > 1 || delivery.again)
        && let Some(known) = app.store.outcome(delivery).await?
        && known.verdict.is_final()
    {
        return Ok(known.verdict);
    }
    let now = app.clock.now();
    let connection = app.directory.connection(&delivery.to.connection, now).await?;
    let (meaning, status) = match &connection {
        Some(connection) => send(app, platform, connection, delivery).await?,
        None => (gone(), None),
    };
    let at = app.clock.now();
    let Meaning { verdict, reason, external_id } = meaning;
    let outcome = Outcome { verdict, at, status, reason, external_id, attempts: received };
    app.store.settle(delivery, &outcome).await?;
    if let Some(connection) = &connection {
        report(app, connection, delivery, &outcome);
    }
    Ok(verdict)
}

async fn send<P: Outbound>(
    app: &App,
    platform: &P,
    connection: &Connection,
    delivery: &Delivery,
) -> Result<(Meaning, Option<u16>), DispatchError> {
    let secrets = app.secrets.of(connection).await?;
    let leg = open(app, platform, delivery).await?;
    let now = app.clock.now();
    let sending = Sending { connection, secrets: &secrets, leg: &leg, delivery, now };
    let request = match platform.encode(&sending) {
        Ok(request) => request,
        Err(unsendable) => return Ok((unsent(&unsendable), None)),
    };
    Ok(match app.outside.call(request).await {
        Ok(answer) => (platform.meaning(&answer), Some(answer.status.as_u16())),
        Err(error) => (unanswered(&error), None),
    })
}

/// The leg that the delivery goes to. It is opened here, inside the leg's message group, so two first
/// messages never open two.
async fn open<P: Outbound>(
    app: &App,
    platform: &P,
    delivery: &Delivery,
) -> Result<Leg, StoreError> {
    if let Some(leg) = app.store.leg(delivery).await? {
        return Ok(leg);
    }
    let leg = Leg {
        key: delivery.key.clone(),
        conversation: delivery.conversation.clone(),
        connection: delivery.to.connection.clone(),
        external_id: platform.external_id(delivery),
    };
    app.store.open_leg(&leg, app.clock.now()).await?;
    Ok(leg)
}

fn unsent(why: &Unsendable) -> Meaning {
    let verdict = match why {
        Unsendable::NoForm(_) => Verdict::Skipped,
        Unsendable::Misconfigured(_) => Verdict::Permanent,
    };
    Meaning { verdict, reason: Some(why.to_string()), external_id: None }
}

fn gone() -> Meaning {
    let reason = "the connection is not configured any more: apply it again, or discard this";
    Meaning { verdict: Verdict::Permanent, reason: Some(reason.into()), external_id: None }
}

fn report(app: &App, connection: &Connection, delivery: &Delivery, outcome: &Outcome) {
    let what = match outcome.verdict {
        Verdict::Delivered => Count::Delivered,
        Verdict::Skipped => Count::Skipped,
        Verdict::Permanent => Count::Failed,
        Verdict::Retryable | Verdict::Unknown => Count::Retried,
    };
    telemetry::count(app.clock.now(), what, connection);
    if matches!(what, Count::Failed | Count::Retried) {
        tracing::warn!(
            connection = %connection.id,
            delivery = delivery.id,
            attempts = outcome.attempts,
            verdict = ?outcome.verdict,
            reason = outcome.reason.as_deref().unwrap_or(""),
            "a delivery did not arrive"
        );
    }
}
