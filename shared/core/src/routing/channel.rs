//! Decides on events from a channel.

use super::decision_builder::DecisionBuilder;
use super::keywords::{self, KeywordIntent};
use super::{Decision, Disposition, Refusal, RoutingInput};
use crate::model::{
    AgentLocation, AuthorRole, Conversation, EventBody, Handover, HandoverTrigger,
    MessageReference, OnClose, Owner, Phase, Role, Target,
};

pub(super) fn decide(input: &RoutingInput<'_>) -> Result<Decision, Refusal> {
    let event = input.event;
    let mut builder = match input.conversation {
        Some(open) if open.is_open() => DecisionBuilder::new(input, open.clone()),
        past => start(input, past)?,
    };
    if input.echo {
        return Ok(builder.build_with(Disposition::Echo));
    }
    if event.language.is_some() {
        builder.conversation.language.clone_from(&event.language);
    }
    if !event.origin.is_empty() {
        builder.conversation.origin.clone_from(&event.origin);
    }
    match &event.body {
        EventBody::Message { .. } | EventBody::Choice { .. } => message(builder),
        EventBody::Receipt { target: about, .. } => {
            builder.targets = receipt(&builder, about.as_ref()).into_iter().collect();
            Ok(builder.build())
        }
        EventBody::Typing { .. } => {
            builder
                .targets
                .extend(builder.owner_target().filter(|owner| owner.capabilities().typing));
            Ok(builder.build())
        }
        EventBody::Handover { .. } if builder.conversation.handover.is_some() => {
            Ok(builder.build_with(Disposition::RecordedOnly))
        }
        EventBody::Handover { mode, reason, .. } => {
            let transcript = builder.transcript_for_desk();
            let target = builder.hand_over(*mode, HandoverTrigger::Channel, reason.clone())?;
            builder.attach_transcript(transcript);
            // Agents on the channel's own platform already know.
            builder.targets.extend(Some(target).filter(|target| target.role == Role::Desk));
            builder.copy_to_bot();
            Ok(builder.build())
        }
        EventBody::Handback { reason, .. } => {
            let transcript = builder.transcript_for_bot();
            builder.end_handover(OnClose::Bot, reason.as_deref(), false);
            builder.attach_transcript(transcript);
            builder.targets.extend(builder.owner_target());
            Ok(builder.build())
        }
        EventBody::Close { .. } => {
            builder.targets.extend(builder.owner_target());
            builder.copy_to_bot();
            builder.conversation.handover = None;
            builder.conversation.phase = Phase::Closed;
            Ok(builder.build())
        }
        EventBody::Opaque { is_message: said, .. } => {
            let by_customer = event.author.role == AuthorRole::Customer;
            if *said && by_customer && !builder.conversation.unsupported_notice_sent {
                builder.conversation.unsupported_notice_sent = true;
                builder.notify_customer("unsupported", |texts| &texts.unsupported, None, false);
            }
            Ok(builder.build_with(Disposition::RecordedOnly))
        }
        EventBody::Edit { .. } | EventBody::Delete { .. } | EventBody::Reaction { .. } => {
            match builder.owner_target().filter(|_| builder.conversation.is_open()) {
                Some(owner) => {
                    let channel = builder.channel_target();
                    builder.pass_on_change(owner, channel);
                    builder.copy_to_bot();
                }
                None => builder.disposition = Disposition::RecordedOnly,
            }
            Ok(builder.build())
        }
        EventBody::Accept => {
            Err(Refusal::UnexpectedEvent { role: "channel", kind: event.body.kind() })
        }
    }
}

/// Decides on a message or a choice.
fn message(mut builder: DecisionBuilder<'_>) -> Result<Decision, Refusal> {
    let event = builder.input.event;
    apply_claimed_owner(&mut builder);
    match event.author.role {
        AuthorRole::Customer => {}
        AuthorRole::Bot | AuthorRole::System => {
            return Ok(builder.build_with(Disposition::RecordedOnly));
        }
        AuthorRole::Agent | AuthorRole::Unknown | AuthorRole::Participant => {
            let bot = builder.conversation.parties.bot.as_ref().filter(|bot| bot.copies);
            builder.targets.extend(bot.map(|bot| Target::copied(bot, Role::Bot)));
            return Ok(builder.build_with(Disposition::RecordedOnly));
        }
    }
    let text = plain_text(&event.body);
    if !builder.apply_selection(text)
        && let Some(text) = text
    {
        apply_keyword(&mut builder, text)?;
    }
    if builder.conversation.handover.is_none() && builder.conversation.parties.bot.is_none() {
        builder.add_handover_event(HandoverTrigger::Route, "the route has no bot")?;
    }
    match builder.owner_target() {
        Some(owner) => builder.targets.push(owner),
        None => builder.disposition = Disposition::RecordedOnly,
    }
    builder.copy_to_bot();
    builder.copy_to_desk();
    Ok(builder.build())
}

/// The text of a message that carries no media.
fn plain_text(body: &EventBody) -> Option<&str> {
    match body {
        EventBody::Message { content, .. } if content.media.is_empty() => content.text.as_deref(),
        _ => None,
    }
}

/// Applies a keyword before the message is passed on, so that the new owner receives the message.
fn apply_keyword(builder: &mut DecisionBuilder<'_>, text: &str) -> Result<(), Refusal> {
    let language = builder.conversation.language.as_deref();
    match keywords::match_keyword(text, builder.policy(), language) {
        Some(KeywordIntent::Desk)
            if builder.conversation.owner() == Owner::Bot && builder.has_desk() =>
        {
            builder.add_handover_event(HandoverTrigger::Keyword, "the customer asked")
        }
        Some(KeywordIntent::Bot)
            if builder.conversation.at_desk().is_some()
                && builder.conversation.parties.bot.is_some() =>
        {
            let (reason, transcript) = (Some("the customer asked"), builder.transcript_for_bot());
            builder.end_handover(OnClose::Bot, reason, false);
            builder.add_handback_event(reason, transcript);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Starts a conversation. Messages, choices, typing and opaque events can start one; a receipt, an
/// edit, a deletion, a reaction or a close cannot.
fn start<'a>(
    input: &'a RoutingInput<'a>,
    past: Option<&Conversation>,
) -> Result<DecisionBuilder<'a>, Refusal> {
    match (&input.event.body, past) {
        (
            EventBody::Receipt { .. }
            | EventBody::Edit { .. }
            | EventBody::Delete { .. }
            | EventBody::Reaction { .. }
            | EventBody::Opaque { is_message: false, .. },
            Some(past),
        ) => Ok(DecisionBuilder::new(input, past.clone())),
        (
            EventBody::Message { .. }
            | EventBody::Choice { .. }
            | EventBody::Opaque { .. }
            | EventBody::Typing { .. },
            _,
        ) => {
            let mut builder = DecisionBuilder::starting(input, past)?;
            builder.start_session_timer();
            Ok(builder)
        }
        (_, Some(_)) => Err(Refusal::Closed),
        (_, None) => Err(Refusal::UnknownConversation),
    }
}

/// Applies the owner that the platform itself reports. The report concerns only agents on the
/// channel's platform, never the route's desk. A report that the bot is the owner ends a handover only
/// if the event is newer than the handover (fact sheet B6).
fn apply_claimed_owner(builder: &mut DecisionBuilder<'_>) {
    let input = builder.input;
    match (input.event.claimed_owner, &builder.conversation.handover) {
        (Some(Owner::Desk), None) => {
            builder.conversation.handover = Some(Handover {
                id: input.new_handover_id.clone(),
                location: AgentLocation::Channel,
                trigger: HandoverTrigger::Channel,
                reason: None,
                at: input.now,
                accepted_at: Some(input.now),
                agent: None,
            });
        }
        (Some(Owner::Bot), Some(Handover { location: AgentLocation::Channel, at, .. }))
            if input.event.at > *at =>
        {
            builder.conversation.handover = None;
            builder.conversation.bot_since = input.now;
        }
        _ => {}
    }
}

/// The target of a receipt: the sender of the message if it is known, otherwise the current owner;
/// `None` if the target's platform has no receipts.
fn receipt(builder: &DecisionBuilder<'_>, about: Option<&MessageReference>) -> Option<Target> {
    let parties = &builder.conversation.parties;
    let bot = parties.bot.as_ref().map(|bot| Target::addressed(bot, Role::Bot));
    let desk = parties.desk.as_ref().zip(builder.conversation.at_desk());
    let desk = desk.map(|(desk, handover)| Target::at_desk(desk, handover));
    let target = match about {
        Some(about) => {
            bot.into_iter().chain(desk).find(|target| target.connection == about.connection)
        }
        None => builder.owner_target(),
    };
    target.filter(|target| target.capabilities().receipts)
}
