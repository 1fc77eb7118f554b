//! Decides on events from a desk.

use super::bot::receipt;
use super::decision_builder::{DecisionBuilder, NO_FORM};
use super::{Decision, Disposition, Refusal, RoutingInput};
use crate::model::{
    AuthorRole, Event, EventBody, HandoverMode, HandoverTrigger, OnClose, SessionId, Target,
};

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
    // A desk with copies has had the conversation since its start, in a session of the conversation's own.
    let is_opened_ahead = session == Some(before.id.as_session_id());
    // Each handover opens a session of its own at the desk; earlier sessions are closed.
    let current = before.at_desk().filter(|handover| {
        is_opened_ahead || session.is_none_or(|session| session == handover.id.as_session_id())
    });
    let Some(handover) = current else { return without_handover(builder, is_opened_ahead) };
    let is_pending = handover.accepted_at.is_none();
    match &event.body {
        EventBody::Message { content, .. } => {
            if is_pending && is_by_person(event) {
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

/// Whether a message was written by somebody at the desk.
fn is_by_person(event: &Event) -> bool {
    let is_message = matches!(event.body, EventBody::Message { .. });
    is_message && matches!(event.author.role, AuthorRole::Agent | AuthorRole::Unknown)
}

/// Decides on an agent's message in a conversation that was opened at the desk before any handover.
fn take_over(mut builder: DecisionBuilder<'_>) -> Result<Decision, Refusal> {
    let event = builder.input.event;
    builder.hand_over(HandoverMode::Pass, HandoverTrigger::Desk, None)?;
    if let Some(handover) = &mut builder.conversation.handover {
        handover.agent.clone_from(&event.author.name);
    }
    builder.notify_customer("joined", |texts| &texts.joined, event.author.name.as_deref(), true);
    if let Some(content) = event.body.content() {
        builder.remember_choices(content);
    }
    builder.targets.push(builder.channel_target());
    builder.copy_to_bot();
    Ok(builder.build())
}

/// Decides on an event from a desk that does not hold the conversation, or no longer holds it.
fn without_handover(
    builder: DecisionBuilder<'_>,
    is_opened_ahead: bool,
) -> Result<Decision, Refusal> {
    let event = builder.input.event;
    if is_opened_ahead && builder.is_before_first_handover() && is_by_person(event) {
        return take_over(builder);
    }
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
