//! One attempt: open the conversation on the leg if need be, send, and take what came back.

use super::{Attempt, DispatchError, Meaning, Outbound, Sending, transcript};
use crate::app::App;
use crate::inbound::take_or_keep;
use crate::listener;
use crate::model::{Connection, Delivery, Event, Leg, MAX_FAR_ID, Platform, Verdict};

/// Attempts a delivery; answers with the leg afterwards.
pub(super) async fn attempt<P: Outbound>(
    app: &App,
    platform: &P,
    connection: Option<&Connection>,
    leg: Leg,
    delivery: &Delivery,
) -> Result<(Leg, Attempt), DispatchError> {
    let Some(connection) = connection else { return Ok((leg, Attempt::without_answer(gone()))) };
    let secrets = app.secrets.of(connection).await?;
    let filled = transcript::fill(app, delivery).await?;
    let delivery = filled.as_ref().unwrap_or(delivery);
    let now = app.clock.now();
    let opening =
        Sending { connection, secrets: &secrets, session: None, delivery, now: app.clock.now() };
    let leg = match open(app, platform, leg, &opening).await? {
        Ok(leg) => leg,
        Err((leg, failed)) => return Ok((leg, *failed)),
    };
    let session = leg.session(delivery.leg_conversation()).filter(|session| session.lasts(now));
    let sending = Sending { session, now: app.clock.now(), ..opening };
    if let Some(clue) = platform.clue(&sending) {
        let (id, conversation) = (delivery.leg(), delivery.leg_conversation());
        app.store.note_clue(&id, conversation, &clue, sending.now).await?;
    }
    let mut attempt = bounded(platform.send(&sending, &app.outside).await);
    attempt.took = app.clock.now().duration_since(now);
    let told = attempt.meaning.external_id.take();
    attempt.meaning.external_id = platform.message_id(delivery, told);
    let leg = match attempt.session.take() {
        Some(session) => {
            let leg = leg.opened(session, app.clock.now());
            keep_open(app, P::PLATFORM, &leg, delivery.leg_conversation()).await?;
            leg
        }
        None => leg,
    };
    for event in std::mem::take(&mut attempt.said) {
        let event = Event { trace: event.trace.or(delivery.event.trace), ..event };
        take_or_keep(app, connection, event).await?;
    }
    Ok((leg, attempt))
}

/// Opens the conversation on the leg. This happens here, inside the leg's message group, so two first
/// messages never open two.
async fn open<P: Outbound>(
    app: &App,
    platform: &P,
    leg: Leg,
    opening: &Sending<'_>,
) -> Result<Result<Leg, (Leg, Box<Attempt>)>, DispatchError> {
    let (conversation, now) = (opening.delivery.leg_conversation(), opening.now);
    let known = leg.session(conversation).filter(|session| session.lasts(now));
    let leg = match known {
        Some(_) if leg.touched_at.is_some_and(|at| !app.store.is_stale(at, now)) => {
            return Ok(Ok(leg));
        }
        Some(_) => leg.renewed(now),
        None => match platform.open(opening, &app.outside).await {
            Ok(Some(session)) if session.external_id.len() > MAX_FAR_ID => {
                return Ok(Err((leg, Box::new(Attempt::without_answer(too_long())))));
            }
            Ok(Some(session)) => leg.opened(session, now),
            // Sending opens it.
            Ok(None) => return Ok(Ok(leg)),
            Err(failed) => return Ok(Err((leg, failed))),
        },
    };
    keep_open(app, P::PLATFORM, &leg, conversation).await?;
    Ok(Ok(leg))
}

/// Writes a leg with a conversation open on it, and sees to it that somebody listens, where that is
/// needed.
async fn keep_open(
    app: &App,
    platform: Platform,
    leg: &Leg,
    conversation: &str,
) -> Result<(), DispatchError> {
    let now = app.clock.now();
    app.store.open_leg(platform, leg, conversation, now).await?;
    if leg.session(conversation).is_some_and(|session| session.listen) {
        listener::ensure(app, platform).await?;
    }
    Ok(())
}

/// An attempt whose ids fit into keys. What a far side calls a message only leads receipts to it; but
/// what it calls the conversation is needed to go on.
fn bounded(mut attempt: Attempt) -> Attempt {
    let told = attempt.meaning.external_id.take();
    attempt.meaning.external_id = told.filter(|id| id.len() <= MAX_FAR_ID);
    if attempt.session.as_ref().is_some_and(|session| session.external_id.len() > MAX_FAR_ID) {
        attempt.session = None;
        attempt.meaning = too_long();
    }
    attempt
}

fn too_long() -> Meaning {
    let reason =
        format!("the platform gave the conversation an id of more than {MAX_FAR_ID} bytes");
    Meaning { verdict: Verdict::Permanent, reason: Some(reason), external_id: None }
}

fn gone() -> Meaning {
    let reason = "the connection is not configured any more: apply it again, or discard this";
    Meaning { verdict: Verdict::Permanent, reason: Some(reason.into()), external_id: None }
}
