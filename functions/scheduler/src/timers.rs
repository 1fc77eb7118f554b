//! Timers of conversations. When a timer's task runs and newer activity has extended the timer, the task is
//! scheduled again.

use jiff::Timestamp;
use trunkline_core::model::{
    Author, AuthorRole, Conversation, ConversationKey, Disposition, EventBody, EventId,
    EventRecord, LegId, ResolvedRoute, ScheduledTask, Timer,
};
use trunkline_core::routing::{
    Activity, SystemTrigger, TimerOutcome, evaluate, evaluate_bot_outage,
};
use trunkline_runtime::app::App;
use trunkline_runtime::inbound::{InboundError, ingest_system};
use trunkline_runtime::schedule::schedule;

use crate::SchedulerError;

/// Number of recent events that a timer considers.
const TRANSCRIPT_LIMIT: u16 = 100;

/// Evaluates a timer of a conversation and acts on the result.
pub(crate) async fn check_timer(
    app: &App,
    key: ConversationKey,
    timer: Timer,
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let Some((conversation, route)) = load(app, &key, now).await? else { return Ok(()) };
    let needs_transcript = !matches!(timer, Timer::AcceptWithin { .. });
    let transcript = if needs_transcript {
        app.store.transcript(&key, TRANSCRIPT_LIMIT, now).await?
    } else {
        Vec::new()
    };
    let activity = activity(&conversation, &transcript);
    match evaluate(&timer, &conversation, &route.handover_policy, activity, now) {
        TimerOutcome::Obsolete => Ok(()),
        TimerOutcome::Reschedule(at) => {
            Ok(schedule(app, &ScheduledTask::Timer { key, timer, at }).await?)
        }
        TimerOutcome::Fire(body) => {
            let id = match &timer {
                Timer::AcceptWithin { handover } => ["accept_within", handover.as_str()],
                Timer::AgentIdle { handover } => ["agent_idle", handover.as_str()],
                Timer::SessionTtl { conversation } => ["session_ttl", conversation.as_str()],
            };
            let id = EventId::from_parts(&id);
            ingest(app, &key, id, *body, SystemTrigger::Timer(&timer)).await
        }
    }
}

/// Evaluates the outage of a bot whose leg has parked deliveries.
pub(crate) async fn check_bot_outage(app: &App, leg: LegId) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let Some((conversation, route)) = load(app, &leg.key, now).await? else { return Ok(()) };
    let (state, breaker) = app.store.leg_and_breaker(&leg).await?;
    match evaluate_bot_outage(
        &conversation,
        &route.handover_policy,
        &breaker,
        state.parked > 0,
        now,
    ) {
        TimerOutcome::Obsolete => Ok(()),
        TimerOutcome::Reschedule(at) => {
            Ok(schedule(app, &ScheduledTask::CheckBotDown { leg, at }).await?)
        }
        TimerOutcome::Fire(body) => {
            let seconds = route.handover_policy.bot_down_after.unwrap_or_default();
            let at = now + jiff::SignedDuration::from_secs(i64::from(seconds));
            // The bot can get the conversation back while it is still down.
            schedule(app, &ScheduledTask::CheckBotDown { leg: leg.clone(), at }).await?;
            let since = conversation.bot_since.to_string();
            let id = EventId::from_parts(&["bot_down", conversation.id.as_str(), &since]);
            ingest(app, &leg.key, id, *body, SystemTrigger::BotDown).await
        }
    }
}

async fn load(
    app: &App,
    key: &ConversationKey,
    now: Timestamp,
) -> Result<Option<(Conversation, std::sync::Arc<ResolvedRoute>)>, SchedulerError> {
    let Some(conversation) = app.store.conversation(key).await? else { return Ok(None) };
    let route = app.config_cache.resolved_route(&conversation.route, now).await?;
    Ok(route.map(|route| (conversation, route)))
}

async fn ingest(
    app: &App,
    key: &ConversationKey,
    id: EventId,
    body: EventBody,
    cause: SystemTrigger<'_>,
) -> Result<(), SchedulerError> {
    let kind = body.kind();
    match ingest_system(app, key, id, Author::nameless(AuthorRole::System), body, cause).await {
        Ok(_) => {
            tracing::info!(channel = %key.channel, kind, ?cause, "timer fired");
            Ok(())
        }
        // The conversation has changed since it was evaluated.
        Err(InboundError::Rejected(why)) => {
            tracing::info!(channel = %key.channel, kind, %why, "timer is obsolete");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns when customer, bot and desk were last active. System events and receipts are not activity.
fn activity(conversation: &Conversation, transcript: &[EventRecord]) -> Activity {
    let mut activity = Activity::default();
    let desk = conversation.parties.desk.as_ref().map(|desk| &desk.connection);
    for record in transcript {
        let body = &record.event.body;
        let speaks = matches!(
            body,
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Typing { .. }
        );
        let counts = matches!(record.disposition, Disposition::Routed | Disposition::RecordedOnly);
        if !speaks || !counts || record.event.author.role == AuthorRole::System {
            continue;
        }
        activity.last_message_at = activity.last_message_at.max(Some(record.received_at));
        if Some(&record.from) == desk {
            activity.last_desk_message_at =
                activity.last_desk_message_at.max(Some(record.received_at));
            activity.first_unanswered_at = None;
        } else if record.from == conversation.key.channel
            && !matches!(body, EventBody::Typing { .. })
        {
            activity.first_unanswered_at =
                activity.first_unanswered_at.or(Some(record.received_at));
        }
    }
    activity
}
