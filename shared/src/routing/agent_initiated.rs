//! What people at a desk do who begin a conversation with a customer of their own accord.

use super::decision_builder::Turn;
use super::{Decision, Refusal, Situation};
use crate::model::{EventBody, Mode, Trigger};

pub(super) fn decide(situation: &Situation<'_>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let EventBody::Message { content, .. } = &event.body else {
        return Err(Refusal::UnknownConversation);
    };
    let mut turn = match situation.conversation {
        Some(open) if open.is_open() => Turn::new(situation, open.clone()),
        past => Turn::starting(situation, past)?,
    };
    if turn.after.at_desk().is_none_or(|handover| handover.accepted_at.is_none()) {
        // They have it at once: nobody has to be asked, and nothing to be told.
        turn.hand_over(Mode::Pass, Trigger::Desk, None)?;
        if let Some(handover) = &mut turn.after.handover {
            handover.agent.clone_from(&event.author.name);
        }
    }
    turn.offer(&content.choices);
    turn.targets.push(turn.to_channel());
    turn.copy_to_bot();
    Ok(turn.decided())
}
