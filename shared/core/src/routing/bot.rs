//! Decides on events from a bot.

use super::decision_builder::{DecisionBuilder, NO_FORM};
use super::{Decision, Disposition, Refusal, RoutingInput};
use crate::model::{
    AuthorRole, EventBody, HandoverTrigger, MessageReference, Owner, Phase, Role, SessionId, Target,
};

pub(super) fn decide(
    input: &RoutingInput<'_>,
    session: Option<&SessionId>,
) -> Result<Decision, Refusal> {
    let event = input.event;
    let before = input.conversation.ok_or(Refusal::UnknownConversation)?;
    // The event may name one of the customer's earlier conversations.
    if !before.is_open() || session.is_some_and(|session| session != before.id.as_session_id()) {
        return Err(Refusal::Closed);
    }
    let mut builder = DecisionBuilder::new(input, before.clone());
    let can = before.parties.channel.capabilities();
    let owns = before.owner() == Owner::Bot;
    let is_message = matches!(event.body, EventBody::Message { .. });
    if input.echo || (is_message && event.author.role == AuthorRole::Customer) {
        return Ok(builder.build_with(Disposition::Echo));
    }
    match &event.body {
        EventBody::Message { content, .. } if owns => {
            builder.remember_choices(content);
            builder.targets.push(builder.channel_target());
        }
        EventBody::Typing { .. } if owns && can.typing => {
            builder.targets.push(builder.channel_target());
        }
        EventBody::Typing { .. } => {}
        EventBody::Receipt { target: about, .. } => {
            builder.targets.extend(receipt(&builder, about.as_ref()));
        }
        EventBody::Handover { mode, reason, .. } if owns => {
            let transcript = builder.transcript_for_desk();
            let target = builder.hand_over(*mode, HandoverTrigger::Bot, reason.clone())?;
            if target.role == Role::Desk {
                builder.attach_transcript(transcript);
            }
            builder.targets.push(target);
        }
        EventBody::Close { .. } if owns => {
            builder.conversation.phase = Phase::Closed;
            builder.targets.push(builder.channel_target());
        }
        EventBody::Message { .. } | EventBody::Handover { .. } | EventBody::Close { .. } => {
            builder.disposition = Disposition::NotOwner;
        }
        EventBody::Opaque { is_message: said, .. } => {
            builder.disposition = Disposition::RecordedOnly;
            let bot = before.parties.bot.as_ref().filter(|_| *said && owns);
            if let Some(bot) = bot {
                builder.report_unsupported(Target::addressed(bot, Role::Bot), NO_FORM);
            }
        }
        EventBody::Edit { .. } | EventBody::Delete { .. } | EventBody::Reaction { .. } => {
            match before.parties.bot.as_ref().filter(|_| owns) {
                Some(bot) => {
                    let channel = builder.channel_target();
                    builder.pass_on_change(channel, Target::addressed(bot, Role::Bot));
                }
                None => builder.disposition = Disposition::RecordedOnly,
            }
        }
        // The customer selected it on the bot's own platform, so the bot has it already.
        EventBody::Choice { .. } if event.author.role == AuthorRole::Customer => {
            builder.note_selection();
            let desk = builder.owner_target().filter(|owner| owner.role == Role::Desk);
            match desk {
                Some(desk) => builder.targets.push(desk),
                None => builder.disposition = Disposition::RecordedOnly,
            }
        }
        EventBody::Accept => builder.disposition = Disposition::RecordedOnly,
        EventBody::Choice { .. } | EventBody::Handback { .. } => {
            return Err(Refusal::UnexpectedEvent { role: "bot", kind: event.body.kind() });
        }
    }
    Ok(builder.build())
}

/// The channel as the target of a receipt, if the receipt is about a message of the channel.
pub(super) fn receipt(
    builder: &DecisionBuilder<'_>,
    about: Option<&MessageReference>,
) -> Option<Target> {
    let channel = builder.channel_target();
    let is_channels = about.is_none_or(|about| about.connection == channel.connection);
    (is_channels && channel.capabilities().receipts).then_some(channel)
}
