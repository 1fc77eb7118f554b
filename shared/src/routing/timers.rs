//! What comes due in a conversation. Nothing is written while people talk: when a timer is looked at,
//! the transcript tells who has said something since.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use crate::model::{
    Breaker, Conversation, EventBody, Handover, Mode, Owner, Recall, Switching, Then, Timer,
};

/// Who said something lately, as the transcript tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// When anybody last said anything.
    pub anybody: Option<Timestamp>,
    /// When the desk last said anything.
    pub desk: Option<Timestamp>,
    /// When the customer first said something that the desk has not answered.
    pub unanswered: Option<Timestamp>,
}

/// What a look at a timer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// There is nothing to wait for any more.
    Moot,
    /// It is not due before then.
    Later(Timestamp),
    /// It is due: this is to happen.
    Due(EventBody),
}

/// Looks at a timer.
#[must_use]
pub fn look(
    timer: &Timer,
    conversation: &Conversation,
    switching: &Switching,
    activity: Activity,
    now: Timestamp,
) -> Look {
    if !concerns(timer, conversation) {
        return Look::Moot;
    }
    let handover = conversation.handover.as_ref();
    let due = match timer {
        Timer::AcceptWithin { .. } => handover.map(|h| h.at).zip(switching.accept_within),
        Timer::AgentIdle { .. } => waiting_since(handover, activity, now).zip(switching.agent_idle),
        Timer::SessionTtl { .. } => {
            let last = activity.anybody.unwrap_or(conversation.started_at);
            Some(last.max(conversation.started_at)).zip(switching.session_ttl)
        }
    };
    let Some((since, seconds)) = due else { return Look::Moot };
    let due = since + SignedDuration::from_secs(i64::from(seconds));
    if due > now {
        return Look::Later(due);
    }
    let close = matches!(timer, Timer::SessionTtl { .. })
        || switching.if_nobody == Then::Close
        || conversation.parties.bot.is_none();
    let reason = Some(
        match timer {
            Timer::AcceptWithin { .. } => "nobody accepted in time",
            Timer::AgentIdle { .. } => "the agent did not answer in time",
            Timer::SessionTtl { .. } => "nobody said anything any more",
        }
        .to_owned(),
    );
    Look::Due(if close {
        EventBody::Close { reason }
    } else {
        EventBody::Handback { reason, context: Map::new(), recall: Recall::default() }
    })
}

/// Whether a timer is about what the conversation is in now.
pub(super) fn concerns(timer: &Timer, conversation: &Conversation) -> bool {
    let at_desk = |id: &str| conversation.at_desk().filter(|handover| handover.id == id);
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

/// Since when the customer waits for an agent's word: since one took over, or since what the agent
/// has not answered; not at all yet, if everything is answered.
fn waiting_since(
    handover: Option<&Handover>,
    activity: Activity,
    now: Timestamp,
) -> Option<Timestamp> {
    let accepted = handover?.accepted_at?;
    Some(match activity.desk {
        Some(desk) if desk >= accepted => activity.unanswered.unwrap_or(now),
        _ => accepted,
    })
}

/// Looks at a bot that does not get what it is sent: people take over once its connection's breaker
/// has been open for `bot_down_after`. A slow or failing answer alone is no reason.
#[must_use]
pub fn look_at_bot(
    conversation: &Conversation,
    switching: &Switching,
    breaker: &Breaker,
    waiting: bool,
    now: Timestamp,
) -> Look {
    let goes_on = conversation.is_open() && waiting;
    let Some(seconds) = switching.bot_down_after.filter(|_| goes_on) else { return Look::Moot };
    let after = |since| since + SignedDuration::from_secs(i64::from(seconds));
    // The bot may get the conversation back while it is still down.
    let down_since = breaker.opened_at.filter(|_| conversation.owner() == Owner::Bot);
    let due = after(down_since.unwrap_or(now));
    if due > now {
        return Look::Later(due);
    }
    Look::Due(EventBody::Handover {
        mode: Mode::Offer,
        reason: Some("the bot cannot be reached".into()),
        context: Map::new(),
        recall: Recall::default(),
    })
}
