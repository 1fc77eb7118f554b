//! One attempt: open the conversation on the leg if need be, call, understand the answer.

use super::{DispatchError, Meaning, Outbound, Sending, Unsendable, recall, unanswered};
use crate::app::App;
use crate::guard::Answer;
use crate::model::{Connection, Delivery, Leg, Verdict};

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempted {
    pub(super) meaning: Meaning,
    /// The platform's HTTP status, if it answered.
    pub(super) status: Option<u16>,
    /// For how long it asks us to wait, in seconds.
    pub(super) retry_after: Option<u32>,
}

/// Attempts a delivery; answers with the leg afterwards.
pub(super) async fn attempt<P: Outbound>(
    app: &App,
    platform: &P,
    connection: Option<&Connection>,
    leg: Leg,
    delivery: &Delivery,
) -> Result<(Leg, Attempted), DispatchError> {
    let Some(connection) = connection else { return Ok((leg, not_sent(gone()))) };
    let secrets = app.secrets.of(connection).await?;
    let (leg, external_id) = open(app, platform, leg, delivery).await?;
    let filled = recall::fill(app, delivery).await?;
    let delivery = filled.as_ref().unwrap_or(delivery);
    let now = app.clock.now();
    let sending =
        Sending { connection, secrets: &secrets, external_id: &external_id, delivery, now };
    let request = match platform.encode(&sending) {
        Ok(request) => request,
        Err(unsendable) => return Ok((leg, not_sent(unsent(&unsendable)))),
    };
    let attempted = match app.outside.call(request).await {
        Ok(answer) => {
            let mut meaning = platform.meaning(&answer);
            meaning.external_id = platform.message_id(delivery, meaning.external_id);
            let (status, retry_after) = (Some(answer.status.as_u16()), retry_after(&answer));
            Attempted { meaning, status, retry_after }
        }
        Err(error) => not_sent(unanswered(&error)),
    };
    Ok((leg, attempted))
}

/// Opens the conversation on the leg. This happens here, inside the leg's message group, so two first
/// messages never open two.
async fn open<P: Outbound>(
    app: &App,
    platform: &P,
    leg: Leg,
    delivery: &Delivery,
) -> Result<(Leg, String), DispatchError> {
    let conversation = delivery.leg_conversation();
    let now = app.clock.now();
    let (leg, external_id) = match leg.external_id(conversation).map(ToOwned::to_owned) {
        Some(known) if leg.touched_at.is_some_and(|at| !app.store.is_stale(at, now)) => {
            return Ok((leg, known));
        }
        Some(known) => (leg.renewed(now), known),
        None => {
            let external_id = platform.external_id(delivery);
            (leg.opened(conversation, external_id.clone(), now), external_id)
        }
    };
    app.store.open_leg(&leg, conversation, now).await?;
    Ok((leg, external_id))
}

/// An attempt that no platform answered.
fn not_sent(meaning: Meaning) -> Attempted {
    Attempted { meaning, status: None, retry_after: None }
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

/// `Retry-After` in seconds; one that is a date is left alone, as the schedule covers it.
fn retry_after(answer: &Answer) -> Option<u32> {
    let value = answer.headers.get(http::header::RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok()
}
