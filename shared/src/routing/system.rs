//! What Trunkline itself does: timers that came due, and the orders of those who operate it.

use super::decision_builder::Turn;
use super::{Cause, Decision, Refusal, Situation, timers};
use crate::model::{EventBody, Owner, Phase, Role, Target, Then, Trigger};

pub(super) fn decide(situation: &Situation<'_>, cause: Cause<'_>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let before = situation.conversation.ok_or(Refusal::UnknownConversation)?;
    if !before.is_open() {
        return Err(Refusal::Closed);
    }
    // It was due when it was looked at; by now it may not be.
    if let Cause::Timer(timer) = cause
        && !timers::concerns(timer, before)
    {
        return Err(Refusal::Moot);
    }
    let mut turn = Turn::new(situation, before.clone());
    match &event.body {
        EventBody::Handover { mode, reason, .. } => {
            if before.owner() == Owner::Desk {
                return Err(Refusal::Moot);
            }
            let by = match cause {
                Cause::BotDown => Trigger::BotDown,
                Cause::Operator | Cause::Timer(_) => Trigger::Operator,
            };
            let recall = turn.recall();
            let target = turn.hand_over(*mode, by, reason.clone())?;
            turn.mean_with(recall);
            turn.targets.push(target);
            turn.copy_to_bot();
        }
        EventBody::Handback { reason, .. } => {
            if before.handover.is_none() {
                return Err(Refusal::Moot);
            }
            let recall = turn.recall_for_bot();
            turn.take_back(Then::Bot, reason.as_deref(), false);
            if !turn.after.is_open() {
                return Err(Refusal::NoBot);
            }
            turn.mean_with(recall);
            turn.targets.extend(turn.owner());
        }
        // Whoever has the conversation: it stays theirs, and they see what was said.
        EventBody::Message { .. } if cause == Cause::Operator => {
            turn.targets.push(turn.to_channel());
            let desk = before.parties.desk.as_ref().zip(before.at_desk());
            let told = desk.map(|(desk, handover)| Target::at_desk(desk, handover));
            turn.targets.extend(told.map(|target| Target { copy: true, ..target }));
            let bot = before.parties.bot.as_ref().filter(|bot| bot.copies);
            turn.targets.extend(bot.map(|bot| Target::copied(bot, Role::Bot)));
        }
        EventBody::Close { reason } => {
            let bot = before.parties.bot.as_ref();
            turn.targets.extend(bot.map(|bot| Target::addressed(bot, Role::Bot)));
            turn.targets.push(turn.to_channel());
            turn.take_back(Then::Close, reason.as_deref(), false);
            turn.after.phase = Phase::Closed;
        }
        other => return Err(Refusal::OutOfPlace { role: "house", kind: other.kind() }),
    }
    Ok(turn.decided())
}
