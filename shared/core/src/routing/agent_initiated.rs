//! Decides on a message by which an agent starts a conversation with a customer.

use super::decision_builder::DecisionBuilder;
use super::{Decision, Refusal, RoutingInput};
use crate::model::{EventBody, HandoverMode, HandoverTrigger};

pub(super) fn decide(input: &RoutingInput<'_>) -> Result<Decision, Refusal> {
    let event = input.event;
    let EventBody::Message { content, .. } = &event.body else {
        return Err(Refusal::UnknownConversation);
    };
    let mut builder = match input.conversation {
        Some(open) if open.is_open() => DecisionBuilder::new(input, open.clone()),
        past => DecisionBuilder::starting(input, past)?,
    };
    if builder.conversation.at_desk().is_none_or(|handover| handover.accepted_at.is_none()) {
        // The desk started this conversation, so it owns it immediately: no offer, no transcript.
        builder.hand_over(HandoverMode::Pass, HandoverTrigger::Desk, None)?;
        if let Some(handover) = &mut builder.conversation.handover {
            handover.agent.clone_from(&event.author.name);
        }
    }
    builder.remember_choices(content);
    builder.targets.push(builder.channel_target());
    builder.copy_to_bot();
    Ok(builder.build())
}
