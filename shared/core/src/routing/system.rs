//! Decides on events of Trunkline itself: timers that fired, outages of the bot and operators' actions.

use super::decision_builder::DecisionBuilder;
use super::{Decision, Refusal, RoutingInput, SystemTrigger, timers};
use crate::model::{EventBody, HandoverTrigger, OnClose, Owner, Phase, Role, Target};

pub(super) fn decide(
    input: &RoutingInput<'_>,
    cause: SystemTrigger<'_>,
) -> Result<Decision, Refusal> {
    let event = input.event;
    let before = input.conversation.ok_or(Refusal::UnknownConversation)?;
    if !before.is_open() {
        return Err(Refusal::Closed);
    }
    // The timer was due when it was evaluated, but the conversation may have changed since.
    if let SystemTrigger::Timer(timer) = cause
        && !timers::is_current(timer, before)
    {
        return Err(Refusal::NoChange);
    }
    let mut builder = DecisionBuilder::new(input, before.clone());
    match &event.body {
        EventBody::Handover { mode, reason, .. } => {
            if before.owner() == Owner::Desk {
                return Err(Refusal::NoChange);
            }
            let by = match cause {
                SystemTrigger::BotDown => HandoverTrigger::BotDown,
                SystemTrigger::Operator | SystemTrigger::Timer(_) => HandoverTrigger::Operator,
            };
            let transcript = builder.transcript_for_desk();
            let target = builder.hand_over(*mode, by, reason.clone())?;
            builder.attach_transcript(transcript);
            builder.targets.push(target);
            builder.copy_to_bot();
        }
        EventBody::Handback { reason, .. } => {
            if before.handover.is_none() {
                return Err(Refusal::NoChange);
            }
            let transcript = builder.transcript_for_bot();
            builder.end_handover(OnClose::Bot, reason.as_deref(), false);
            if !builder.conversation.is_open() {
                return Err(Refusal::NoBot);
            }
            builder.attach_transcript(transcript);
            builder.targets.extend(builder.owner_target());
        }
        // The owner stays the same; the desk and the bot receive copies.
        EventBody::Message { .. } if cause == SystemTrigger::Operator => {
            builder.targets.push(builder.channel_target());
            let desk = before.parties.desk.as_ref().zip(before.at_desk());
            let desk_copy = desk.map(|(desk, handover)| Target::at_desk(desk, handover));
            builder.targets.extend(desk_copy.map(|target| Target { copy: true, ..target }));
            let bot = before.parties.bot.as_ref().filter(|bot| bot.copies);
            builder.targets.extend(bot.map(|bot| Target::copied(bot, Role::Bot)));
        }
        EventBody::Close { reason } => {
            let bot = before.parties.bot.as_ref();
            builder.targets.extend(bot.map(|bot| Target::addressed(bot, Role::Bot)));
            builder.targets.push(builder.channel_target());
            builder.end_handover(OnClose::Close, reason.as_deref(), false);
            builder.conversation.phase = Phase::Closed;
        }
        other => return Err(Refusal::UnexpectedEvent { role: "system", kind: other.kind() }),
    }
    Ok(builder.build())
}
