//! What comes due in conversations. A note is looked at when its time has come; if it is too early by
//! then, for somebody has said something, another is left.

use jiff::Timestamp;
use trunkline_shared::app::App;
use trunkline_shared::inbound::{IntakeError, take_from_house};
use trunkline_shared::model::{
    Author, AuthorRole, Conversation, ConversationKey, EventBody, EventId, LegId, Serving, Timer,
    Wake,
};
use trunkline_shared::routing::{Activity, Cause, Look, Standing, look, look_at_bot};
use trunkline_shared::store::EventRecord;

use crate::UpkeepError;

/// How many events of a transcript are looked at.
const LOOKED_AT: u16 = 100;

/// Looks at a timer of a conversation.
pub(crate) async fn timer(
    app: &App,
    key: ConversationKey,
    timer: Timer,
) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let Some((conversation, serving)) = find(app, &key, now).await? else { return Ok(()) };
    let needs_transcript = !matches!(timer, Timer::AcceptWithin { .. });
    let transcript =
        if needs_transcript { app.store.transcript(&key, LOOKED_AT).await? } else { Vec::new() };
    let activity = activity(&conversation, &transcript);
    match look(&timer, &conversation, &serving.switching, activity, now) {
        Look::Moot => Ok(()),
        Look::Later(at) => Ok(app.queues.wake(&Wake::Timer { key, timer, at }, now).await?),
        Look::Due(body) => {
            let id = match &timer {
                Timer::AcceptWithin { handover } => ["accept_within", handover],
                Timer::AgentIdle { handover } => ["agent_idle", handover],
                Timer::SessionTtl { conversation } => ["session_ttl", conversation],
            };
            let id = EventId::from_parts(&id);
            act(app, &key, id, body, Cause::Timer(&timer)).await
        }
    }
}

/// Looks at a bot's leg on which something waits.
pub(crate) async fn bot(app: &App, leg: LegId) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let Some((conversation, serving)) = find(app, &leg.key, now).await? else { return Ok(()) };
    let (held, breaker) = app.store.leg_and_breaker(&leg).await?;
    match look_at_bot(&conversation, &serving.switching, &breaker, held.parked > 0, now) {
        Look::Moot => Ok(()),
        Look::Later(at) => Ok(app.queues.wake(&Wake::BotDown { leg, at }, now).await?),
        Look::Due(body) => {
            let seconds = serving.switching.bot_down_after.unwrap_or_default();
            let at = now + jiff::SignedDuration::from_secs(i64::from(seconds));
            // It may get the conversation back while it is still down.
            app.queues.wake(&Wake::BotDown { leg: leg.clone(), at }, now).await?;
            let turn = conversation.bot_since.to_string();
            let id = EventId::from_parts(&["bot_down", &conversation.id, &turn]);
            act(app, &leg.key, id, body, Cause::BotDown).await
        }
    }
}

async fn find(
    app: &App,
    key: &ConversationKey,
    now: Timestamp,
) -> Result<Option<(Conversation, std::sync::Arc<Serving>)>, UpkeepError> {
    let Some(conversation) = app.store.conversation(key).await? else { return Ok(None) };
    let serving = app.directory.serving(&conversation.route, now).await?;
    Ok(serving.map(|serving| (conversation, serving)))
}

async fn act(
    app: &App,
    key: &ConversationKey,
    id: EventId,
    body: EventBody,
    cause: Cause<'_>,
) -> Result<(), UpkeepError> {
    let kind = body.kind();
    match take_from_house(app, key, id, Author::nameless(AuthorRole::System), body, cause).await {
        Ok(_) => {
            tracing::info!(channel = %key.channel, kind, ?cause, "something came due");
            Ok(())
        }
        // The conversation has gone on since it was looked at.
        Err(IntakeError::Rejected(why)) => {
            tracing::info!(channel = %key.channel, kind, %why, "what came due is moot");
            Ok(())
        }
        Err(ours) => Err(ours.into()),
    }
}

/// Who said something lately. What the house says, and receipts, are nobody's words.
fn activity(conversation: &Conversation, transcript: &[EventRecord]) -> Activity {
    let mut activity = Activity::default();
    let desk = conversation.parties.desk.as_ref().map(|desk| &desk.connection);
    for record in transcript {
        let body = &record.event.body;
        let speaks = matches!(
            body,
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Typing { .. }
        );
        let counts = matches!(record.standing, Standing::Regular | Standing::Record);
        if !speaks || !counts || record.event.author.role == AuthorRole::System {
            continue;
        }
        activity.anybody = activity.anybody.max(Some(record.arrived));
        if Some(&record.from) == desk {
            activity.desk = activity.desk.max(Some(record.arrived));
            activity.unanswered = None;
        } else if record.from == conversation.key.channel
            && !matches!(body, EventBody::Typing { .. })
        {
            activity.unanswered = activity.unanswered.or(Some(record.arrived));
        }
    }
    activity
}
