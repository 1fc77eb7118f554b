//! What a bot's events do.

use super::decision_builder::Turn;
use super::{Decision, Refusal, Situation, Standing};
use crate::model::{AuthorRole, EventBody, Owner, Phase, Reference, Role, Target, Trigger};

pub(super) fn decide(situation: &Situation<'_>, leg: Option<&str>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let before = situation.conversation.ok_or(Refusal::UnknownConversation)?;
    // What it knows may be one of the customer's earlier conversations.
    if !before.is_open() || leg.is_some_and(|leg| leg != before.id) {
        return Err(Refusal::Closed);
    }
    let mut turn = Turn::new(situation, before.clone());
    let can = before.parties.channel.platform.capabilities();
    let owns = before.owner() == Owner::Bot;
    let is_message = matches!(event.body, EventBody::Message { .. });
    if situation.echo || (is_message && event.author.role == AuthorRole::Customer) {
        return Ok(turn.record(Standing::Echo));
    }
    match &event.body {
        EventBody::Message { content, .. } if owns => {
            turn.offer(&content.choices);
            turn.targets.push(turn.to_channel());
        }
        EventBody::Typing { .. } if owns && can.typing => turn.targets.push(turn.to_channel()),
        EventBody::Typing { .. } => {}
        EventBody::Receipt { about, .. } => turn.targets.extend(receipt(&turn, about.as_ref())),
        EventBody::Handover { mode, reason, .. } if owns => {
            let recall = turn.recall();
            let target = turn.hand_over(*mode, Trigger::Bot, reason.clone())?;
            if target.role == Role::Desk {
                turn.mean_with(recall);
            }
            turn.targets.push(target);
        }
        EventBody::Close { .. } if owns => {
            turn.after.phase = Phase::Closed;
            turn.targets.push(turn.to_channel());
        }
        EventBody::Message { .. } | EventBody::Handover { .. } | EventBody::Close { .. } => {
            turn.standing = Standing::Late;
        }
        EventBody::Opaque { said, .. } => {
            turn.standing = Standing::Record;
            let bot = before.parties.bot.as_ref().filter(|_| *said && owns);
            if let Some(bot) = bot {
                turn.say_unshown(Target::addressed(bot, Role::Bot));
            }
        }
        EventBody::Accept | EventBody::Edit { .. } | EventBody::Delete { .. } => {
            turn.standing = Standing::Record;
        }
        EventBody::Choice { .. } | EventBody::Handback { .. } => {
            return Err(Refusal::OutOfPlace { role: "bot", kind: event.body.kind() });
        }
    }
    Ok(turn.decided())
}

/// The channel is told what became of a message of its own.
pub(super) fn receipt(turn: &Turn<'_>, about: Option<&Reference>) -> Option<Target> {
    let channel = turn.to_channel();
    let is_channels = about.is_none_or(|about| about.connection == channel.connection);
    (is_channels && channel.platform.capabilities().receipts).then_some(channel)
}
