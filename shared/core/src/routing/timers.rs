//! Evaluates the timers of a conversation. Messages do not reset a timer by a write: when a timer is
//! evaluated, the transcript shows whether there was activity since.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use crate::model::{
    Breaker, Conversation, EventBody, Handover, HandoverId, HandoverMode, HandoverPolicy, OnClose,
    Owner, Timer, Transcript,
};

/// Recent activity in a conversation, read from its transcript.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// Time of the last message by anyone.
    pub last_message_at: Option<Timestamp>,
    /// Time of the last message by the desk.
    pub last_desk_message_at: Option<Timestamp>,
    /// Time of the customer's first message that the desk has not answered.
    pub first_unanswered_at: Option<Timestamp>,
}

/// The result of evaluating a timer.
#[derive(Debug, Clone, PartialEq)]
pub enum TimerOutcome {
    /// The timer no longer applies.
    Obsolete,
    /// The timer is not due before this time; evaluate it again then.
    Reschedule(Timestamp),
    /// The timer is due; holds the event to apply.
    Fire(Box<EventBody>),
}

/// Evaluates a timer at `now`.
#[must_use]
pub fn evaluate(
    timer: &Timer,
    conversation: &Conversation,
    policy: &HandoverPolicy,
    activity: Activity,
    now: Timestamp,
) -> TimerOutcome {
    if !is_current(timer, conversation) {
        return TimerOutcome::Obsolete;
    }
    let handover = conversation.handover.as_ref();
    let due = match timer {
        Timer::AcceptWithin { .. } => handover.map(|h| h.at).zip(policy.accept_within),
        Timer::AgentIdle { .. } => {
            customer_waiting_since(handover, activity, now).zip(policy.agent_idle)
        }
        Timer::SessionTtl { .. } => {
            let last = activity.last_message_at.unwrap_or(conversation.started_at);
            Some(last.max(conversation.started_at)).zip(policy.session_ttl)
        }
    };
    let Some((since, seconds)) = due else { return TimerOutcome::Obsolete };
    let due = since + SignedDuration::from_secs(i64::from(seconds));
    if due > now {
        return TimerOutcome::Reschedule(due);
    }
    let close = matches!(timer, Timer::SessionTtl { .. })
        || policy.if_unanswered == OnClose::Close
        || conversation.parties.bot.is_none();
    let reason = Some(
        match timer {
            Timer::AcceptWithin { .. } => "no agent accepted in time",
            Timer::AgentIdle { .. } => "the agent did not answer in time",
            Timer::SessionTtl { .. } => "the conversation was idle for too long",
        }
        .to_owned(),
    );
    TimerOutcome::Fire(Box::new(if close {
        EventBody::Close { reason }
    } else {
        EventBody::Handback { reason, context: Map::new(), transcript: Transcript::default() }
    }))
}

/// Whether a timer belongs to the current handover or conversation.
pub(super) fn is_current(timer: &Timer, conversation: &Conversation) -> bool {
    let at_desk = |id: &HandoverId| conversation.at_desk().filter(|handover| handover.id == *id);
    conversation.is_open()
        && match timer {
            Timer::AcceptWithin { handover } => {
                at_desk(handover).is_some_and(|handover| handover.accepted_at.is_none())
            }
            Timer::AgentIdle { handover } => {
                at_desk(handover).is_some_and(|handover| handover.accepted_at.is_some())
            }
            Timer::SessionTtl { conversation: id } => *id == conversation.id,
        }
}

/// The time since when the customer waits for the agent: the acceptance, or the first unanswered
/// message; `now` if everything is answered.
fn customer_waiting_since(
    handover: Option<&Handover>,
    activity: Activity,
    now: Timestamp,
) -> Option<Timestamp> {
    let accepted = handover?.accepted_at?;
    Some(match activity.last_desk_message_at {
        Some(desk) if desk >= accepted => activity.first_unanswered_at.unwrap_or(now),
        _ => accepted,
    })
}

/// Evaluates an outage of the bot: the desk takes over once the breaker of the bot's connection has
/// been open for `bot_down_after`. Slow or failing answers alone do not cause a handover.
#[must_use]
pub fn evaluate_bot_outage(
    conversation: &Conversation,
    policy: &HandoverPolicy,
    breaker: &Breaker,
    waiting: bool,
    now: Timestamp,
) -> TimerOutcome {
    let goes_on = conversation.is_open() && waiting;
    let Some(seconds) = policy.bot_down_after.filter(|_| goes_on) else {
        return TimerOutcome::Obsolete;
    };
    let after = |since| since + SignedDuration::from_secs(i64::from(seconds));
    // The bot may receive the conversation back while it is still down.
    let down_since = breaker.opened_at.filter(|_| conversation.owner() == Owner::Bot);
    let due = after(down_since.unwrap_or(now));
    if due > now {
        return TimerOutcome::Reschedule(due);
    }
    TimerOutcome::Fire(Box::new(EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("the bot is unreachable".into()),
        context: Map::new(),
        transcript: Transcript::default(),
    }))
}
