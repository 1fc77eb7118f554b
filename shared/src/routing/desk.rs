//! What a desk's events do.

use super::bot::receipt;
use super::decision_builder::Turn;
use super::{Decision, Refusal, Situation, Standing};
use crate::model::{AuthorRole, EventBody, Target, Then};

pub(super) fn decide(situation: &Situation<'_>, leg: Option<&str>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let before = situation.conversation.ok_or(Refusal::UnknownConversation)?;
    if !before.is_open() {
        return Err(Refusal::Closed);
    }
    let mut turn = Turn::new(situation, before.clone());
    let is_message = matches!(event.body, EventBody::Message { .. });
    if situation.echo || (is_message && event.author.role == AuthorRole::Customer) {
        return Ok(turn.record(Standing::Echo));
    }
    // Each handover is a conversation of its own to the desk; an earlier one is over.
    let current = before.at_desk().filter(|handover| leg.is_none_or(|leg| leg == handover.id));
    let Some(handover) = current else { return past(turn) };
    let is_pending = handover.accepted_at.is_none();
    match &event.body {
        EventBody::Message { content, .. } => {
            let by_machine = matches!(event.author.role, AuthorRole::System | AuthorRole::Bot);
            if is_pending && !by_machine {
                turn.accept(event.author.name.as_deref(), true);
            }
            turn.offer(&content.choices);
            turn.targets.push(turn.to_channel());
            turn.copy_to_bot();
        }
        EventBody::Accept if is_pending => {
            turn.accept(event.author.name.as_deref(), false);
            turn.copy_to_bot();
        }
        EventBody::Typing { .. } => {
            let channel = turn.to_channel();
            let shows = channel.platform.capabilities().typing;
            turn.targets.extend(Some(channel).filter(|_| shows));
        }
        EventBody::Receipt { about, .. } => turn.targets.extend(receipt(&turn, about.as_ref())),
        EventBody::Handback { reason, .. } => {
            let recall = turn.recall_for_bot();
            turn.take_back(Then::Bot, reason.as_deref(), true);
            if !turn.after.is_open() {
                return Err(Refusal::NoBot);
            }
            turn.mean_with(recall);
            turn.targets.extend(turn.owner());
        }
        EventBody::Close { reason } => {
            let then = turn.switching().after_close;
            let recall = turn.recall_for_bot();
            turn.take_back(then, reason.as_deref(), true);
            turn.say_back(reason.as_deref().or(Some("the desk closed")), recall);
        }
        EventBody::Opaque { said, .. } => {
            turn.standing = Standing::Record;
            let desk = before.parties.desk.as_ref().filter(|_| *said);
            if let Some(desk) = desk {
                turn.say_unshown(Target::at_desk(desk, handover));
            }
        }
        EventBody::Accept | EventBody::Edit { .. } | EventBody::Delete { .. } => {
            turn.standing = Standing::Record;
        }
        EventBody::Choice { .. } | EventBody::Handover { .. } => {
            return Err(Refusal::OutOfPlace { role: "desk", kind: event.body.kind() });
        }
    }
    Ok(turn.decided())
}

/// What comes from a desk that does not have the conversation, or not any more.
fn past(turn: Turn<'_>) -> Result<Decision, Refusal> {
    let event = turn.situation.event;
    let standing = match &event.body {
        EventBody::Message { .. }
        | EventBody::Accept
        | EventBody::Handback { .. }
        | EventBody::Close { .. } => Standing::Late,
        EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Opaque { .. } => Standing::Record,
        EventBody::Choice { .. } | EventBody::Handover { .. } => {
            return Err(Refusal::OutOfPlace { role: "desk", kind: event.body.kind() });
        }
    };
    Ok(turn.record(standing))
}
