//! Decides on events from a desk.

use super::bot::receipt;
use super::decision_builder::{DecisionBuilder, NO_FORM};
use super::{Decision, Disposition, Refusal, RoutingInput};
use crate::model::{AuthorRole, EventBody, OnClose, SessionId, Target};

pub(super) fn decide(
    input: &RoutingInput<'_>,
    session: Option<&SessionId>,
) -> Result<Decision, Refusal> {
    let event = input.event;
    let before = input.conversation.ok_or(Refusal::UnknownConversation)?;
    if !before.is_open() {
        return Err(Refusal::Closed);
    }
    let mut builder = DecisionBuilder::new(input, before.clone());
    let is_message = matches!(event.body, EventBody::Message { .. });
    if input.echo || (is_message && event.author.role == AuthorRole::Customer) {
        return Ok(builder.build_with(Disposition::Echo));
    }
    // Each handover opens a session of its own at the desk; earlier sessions are closed.
    let current = before
        .at_desk()
        .filter(|handover| session.is_none_or(|session| session == handover.id.as_session_id()));
    let Some(handover) = current else { return without_handover(builder) };
    let is_pending = handover.accepted_at.is_none();
    match &event.body {
        EventBody::Message { content, .. } => {
            let by_machine = matches!(event.author.role, AuthorRole::System | AuthorRole::Bot);
            if is_pending && !by_machine {
                builder.accept(event.author.name.as_deref(), true);
            }
            builder.remember_choices(content);
            builder.targets.push(builder.channel_target());
            builder.copy_to_bot();
        }
        EventBody::Accept if is_pending => {
            builder.accept(event.author.name.as_deref(), false);
            builder.copy_to_bot();
        }
        EventBody::Typing { .. } => {
            let channel = builder.channel_target();
            let shows = channel.capabilities().typing;
            builder.targets.extend(Some(channel).filter(|_| shows));
        }
        EventBody::Receipt { target: about, .. } => {
            builder.targets.extend(receipt(&builder, about.as_ref()));
        }
        EventBody::Handback { reason, .. } => {
            let transcript = builder.transcript_for_bot();
            builder.end_handover(OnClose::Bot, reason.as_deref(), true);
            if !builder.conversation.is_open() {
                return Err(Refusal::NoBot);
            }
            builder.attach_transcript(transcript);
            builder.targets.extend(builder.owner_target());
        }
        EventBody::Close { reason } => {
            let then = builder.policy().after_close;
            let transcript = builder.transcript_for_bot();
            builder.end_handover(then, reason.as_deref(), true);
            builder.add_handback_event(
                reason.as_deref().or(Some("the desk closed the conversation")),
                transcript,
            );
        }
        EventBody::Opaque { is_message: said, .. } => {
            builder.disposition = Disposition::RecordedOnly;
            let desk = before.parties.desk.as_ref().filter(|_| *said);
            if let Some(desk) = desk {
                builder.report_unsupported(Target::at_desk(desk, handover), NO_FORM);
            }
        }
        EventBody::Edit { .. } | EventBody::Delete { .. } | EventBody::Reaction { .. } => {
            if let Some(desk) = &before.parties.desk {
                let channel = builder.channel_target();
                builder.pass_on_change(channel, Target::at_desk(desk, handover));
                builder.copy_to_bot();
            }
        }
        EventBody::Accept => builder.disposition = Disposition::RecordedOnly,
        EventBody::Choice { .. } | EventBody::Handover { .. } => {
            return Err(Refusal::UnexpectedEvent { role: "desk", kind: event.body.kind() });
        }
    }
    Ok(builder.build())
}

/// Decides on an event from a desk that does not hold the conversation, or no longer holds it.
fn without_handover(builder: DecisionBuilder<'_>) -> Result<Decision, Refusal> {
    let event = builder.input.event;
    let standing = match &event.body {
        EventBody::Message { .. }
        | EventBody::Accept
        | EventBody::Handback { .. }
        | EventBody::Close { .. } => Disposition::NotOwner,
        EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Reaction { .. }
        | EventBody::Opaque { .. } => Disposition::RecordedOnly,
        EventBody::Choice { .. } | EventBody::Handover { .. } => {
            return Err(Refusal::UnexpectedEvent { role: "desk", kind: event.body.kind() });
        }
    };
    Ok(builder.build_with(standing))
}
