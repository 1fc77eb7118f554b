//! One attempt: opens the conversation on the leg if needed, sends, and ingests the reply events.

use super::{Attempt, Classification, Outbound, OutboundError, SendContext, transcript};
use crate::app::App;
use crate::inbound::ingest_or_store_rejected;
use crate::listener;
use crate::store::LoadedConnection;
use trunkline_core::model::{
    Delivery, Event, Leg, MAX_EXTERNAL_ID_BYTES, PlatformId, SessionId, Verdict,
};

/// Attempts a delivery. Returns the leg as it is afterwards.
pub(super) async fn attempt<P: Outbound>(
    app: &App,
    platform: &P,
    loaded: Option<&LoadedConnection<P::Settings>>,
    leg: Leg,
    delivery: &Delivery,
) -> Result<(Leg, Attempt), OutboundError> {
    let Some(LoadedConnection { connection, settings }) = loaded else {
        return Ok((leg, Attempt::without_response(not_configured())));
    };
    let settings = match settings {
        Ok(settings) => &**settings,
        Err(error) => return Ok((leg, error.clone().into())),
    };
    let secrets = app.secrets.for_connection(connection).await?;
    let filled = transcript::fill_transcript(app, delivery).await?;
    let delivery = filled.as_ref().unwrap_or(delivery);
    let now = app.clock.now();
    let opening = SendContext {
        connection,
        settings,
        secrets: &secrets,
        session: None,
        delivery,
        now: app.clock.now(),
    };
    let leg = match open_session(app, platform, leg, &opening).await? {
        Opened::Leg(leg) => leg,
        Opened::Failed(leg, attempt) => return Ok((leg, *attempt)),
    };
    let session = leg.session(delivery.session_id());
    let context = SendContext { session, now: app.clock.now(), ..opening };
    if let Some(key) = platform.correlation_key(&context) {
        let (id, session_id) = (delivery.leg(), delivery.session_id());
        app.store.put_correlation_hint(&id, session_id, &key, context.now).await?;
    }
    let mut attempt = limit_id_lengths(platform.send(&context, &app.http_client).await);
    attempt.duration = app.clock.now().duration_since(now);
    let returned = attempt.classification.external_message_id.take();
    attempt.classification.external_message_id = platform.external_message_id(delivery, returned);
    let leg = match attempt.session.take() {
        Some(session) => {
            let leg = leg.with_session(session, app.clock.now());
            store_open_leg(app, P::SPEC.id, &leg, delivery.session_id()).await?;
            leg
        }
        None => leg,
    };
    for event in std::mem::take(&mut attempt.reply_events) {
        let event = Event { trace: event.trace.or(delivery.event.trace), ..event };
        ingest_or_store_rejected(app, connection, event).await?;
    }
    Ok((leg, attempt))
}

/// The result of [`open_session`].
enum Opened {
    /// The leg, with an open session unless sending opens it.
    Leg(Leg),
    /// The platform did not open the conversation.
    Failed(Leg, Box<Attempt>),
}

/// Opens the conversation on the leg. The leg's message group makes this sequential, so two first messages
/// never open two sessions.
async fn open_session<P: Outbound>(
    app: &App,
    platform: &P,
    leg: Leg,
    opening: &SendContext<'_, P::Settings>,
) -> Result<Opened, OutboundError> {
    let (session_id, now) = (opening.delivery.session_id(), opening.now);
    let former = leg.session(session_id);
    let with_former = SendContext { session: former, ..*opening };
    let open = former.filter(|session| session.is_active(now));
    let leg = match open {
        Some(_) if leg.touched_at.is_some_and(|at| !app.store.is_stale(at, now)) => {
            return Ok(Opened::Leg(leg));
        }
        Some(_) => leg.touched(now),
        None => match platform.open(&with_former, &app.http_client).await {
            Ok(Some(session))
                if session.external_conversation_id.as_str().len() > MAX_EXTERNAL_ID_BYTES =>
            {
                let attempt = Attempt::without_response(id_too_long());
                return Ok(Opened::Failed(leg, Box::new(attempt)));
            }
            Ok(Some(session)) => leg.with_session(session, now),
            // Sending opens the session.
            Ok(None) => return Ok(Opened::Leg(leg)),
            Err(attempt) => return Ok(Opened::Failed(leg, attempt)),
        },
    };
    store_open_leg(app, P::SPEC.id, &leg, session_id).await?;
    Ok(Opened::Leg(leg))
}

/// Stores a leg with an open session, and starts a listener if the session needs one.
async fn store_open_leg(
    app: &App,
    platform: PlatformId,
    leg: &Leg,
    session_id: &SessionId,
) -> Result<(), OutboundError> {
    let now = app.clock.now();
    app.store.open_leg(platform, leg, session_id, now).await?;
    if leg.session(session_id).is_some_and(|session| session.needs_listener) {
        listener::ensure_running(app, platform).await?;
    }
    Ok(())
}

/// Limits the ids in an attempt to what fits into a key. A message id that is too long is dropped, because
/// only receipts need it. A conversation id that is too long fails the attempt, because every later
/// delivery needs it.
fn limit_id_lengths(mut attempt: Attempt) -> Attempt {
    let returned = attempt.classification.external_message_id.take();
    attempt.classification.external_message_id =
        returned.filter(|id| id.as_str().len() <= MAX_EXTERNAL_ID_BYTES);
    if attempt.session.as_ref().is_some_and(|session| {
        session.external_conversation_id.as_str().len() > MAX_EXTERNAL_ID_BYTES
    }) {
        attempt.session = None;
        attempt.classification = id_too_long();
    }
    attempt
}

fn id_too_long() -> Classification {
    let reason = format!("the platform's conversation id exceeds {MAX_EXTERNAL_ID_BYTES} bytes");
    Classification { verdict: Verdict::Permanent, reason: Some(reason), external_message_id: None }
}

fn not_configured() -> Classification {
    let reason = "the connection is no longer configured: apply it again, or discard the delivery";
    Classification {
        verdict: Verdict::Permanent,
        reason: Some(reason.into()),
        external_message_id: None,
    }
}
