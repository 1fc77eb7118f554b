//! What a channel's events do.

use super::{Decision, Refusal, Situation, Standing, copy_if_wanted, settle};
use crate::model::{AuthorRole, Conversation, EventBody, Owner, Phase, Role, Target};

pub(super) fn decide(situation: &Situation<'_>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let mut after = match situation.conversation {
        Some(open) if open.is_open() => open.clone(),
        past => start(situation, past)?,
    };
    // Written before people took over, and arrived after: it must not be answered by the bot.
    let stale = after.handed_over_at.is_some_and(|handed_over| event.at <= handed_over);
    let bot = Target::addressed(&after.parties.bot, Role::Bot);
    let (standing, targets) = match &event.body {
        EventBody::Message { .. } | EventBody::Choice { .. } => {
            follow_floor(situation, stale, &mut after);
            let by_customer = event.author.role == AuthorRole::Customer;
            if after.owner == Owner::Bot && by_customer {
                (Standing::Regular, vec![bot])
            } else {
                (Standing::Record, copy_if_wanted(&after.parties.bot, Role::Bot))
            }
        }
        EventBody::Receipt { .. } | EventBody::Typing { .. } => (Standing::Regular, vec![bot]),
        EventBody::Handback { .. } => {
            after.owner = Owner::Bot;
            after.handed_over_at = None;
            (Standing::Regular, vec![bot])
        }
        EventBody::Close { .. } => {
            after.phase = Phase::Closed;
            (Standing::Regular, vec![bot])
        }
        EventBody::Opaque { .. } => (Standing::Record, Vec::new()),
        EventBody::Handover { .. } => {
            return Err(Refusal::OutOfPlace { role: "channel", kind: event.body.kind() });
        }
    };
    Ok(settle(situation.conversation, after, standing, targets, event))
}

/// Only what the customer does, and the platform's own oddities, start a conversation: there is
/// nobody to tell of a receipt or an end.
fn start(situation: &Situation<'_>, past: Option<&Conversation>) -> Result<Conversation, Refusal> {
    let version = past.map_or(0, |past| past.version);
    match (&situation.event.body, past) {
        (
            EventBody::Message { .. }
            | EventBody::Choice { .. }
            | EventBody::Opaque { .. }
            | EventBody::Typing { .. },
            _,
        ) => {
            let start = situation.start.as_ref().ok_or(Refusal::NoRoute)?;
            Ok(start.conversation(version, situation.now))
        }
        (EventBody::Receipt { .. }, Some(past)) => Ok(past.clone()),
        (_, Some(_)) => Err(Refusal::Closed),
        (_, None) => Err(Refusal::UnknownConversation),
    }
}

/// Where the platform itself says whom the conversation is with, that holds. A platform's word that
/// it is the bot's counts after a handover only if it is younger (fact sheet B6).
fn follow_floor(situation: &Situation<'_>, stale: bool, after: &mut Conversation) {
    match (situation.event.floor, after.owner) {
        (Some(Owner::Desk), Owner::Bot) => {
            after.owner = Owner::Desk;
            after.handed_over_at = Some(situation.now);
        }
        (Some(Owner::Bot), Owner::Desk) if !stale => {
            after.owner = Owner::Bot;
            after.handed_over_at = None;
        }
        _ => {}
    }
}
