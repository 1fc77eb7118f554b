//! What a channel's events do.

use super::decision_builder::Turn;
use super::keywords::{self, Wish};
use super::{Decision, Refusal, Situation, Standing};
use crate::model::{
    AuthorRole, Conversation, EventBody, Handover, Owner, Phase, Place, Reference, Role, Target,
    Then, Trigger,
};
use crate::rendering::typed_choice;

pub(super) fn decide(situation: &Situation<'_>) -> Result<Decision, Refusal> {
    let event = situation.event;
    let mut turn = match situation.conversation {
        Some(open) if open.is_open() => Turn::new(situation, open.clone()),
        past => start(situation, past)?,
    };
    if situation.echo {
        return Ok(turn.record(Standing::Echo));
    }
    if event.language.is_some() {
        turn.after.language.clone_from(&event.language);
    }
    if !event.origin.is_empty() {
        turn.after.origin.clone_from(&event.origin);
    }
    match &event.body {
        EventBody::Message { .. } | EventBody::Choice { .. } => said(turn),
        EventBody::Receipt { about, .. } => {
            turn.targets = receipt(&turn, about.as_ref()).into_iter().collect();
            Ok(turn.decided())
        }
        EventBody::Typing { .. } => {
            turn.targets.extend(turn.owner().filter(|owner| owner.platform.capabilities().typing));
            Ok(turn.decided())
        }
        EventBody::Handover { .. } if turn.after.handover.is_some() => {
            Ok(turn.record(Standing::Record))
        }
        EventBody::Handover { mode, reason, .. } => {
            let recall = turn.recall();
            let target = turn.hand_over(*mode, Trigger::Channel, reason.clone())?;
            turn.mean_with(recall);
            // The channel's own people need no telling.
            turn.targets.extend(Some(target).filter(|target| target.role == Role::Desk));
            turn.copy_to_bot();
            Ok(turn.decided())
        }
        EventBody::Handback { reason, .. } => {
            let recall = turn.recall_for_bot();
            turn.take_back(Then::Bot, reason.as_deref(), false);
            turn.mean_with(recall);
            turn.targets.extend(turn.owner());
            Ok(turn.decided())
        }
        EventBody::Close { .. } => {
            turn.targets.extend(turn.owner());
            turn.copy_to_bot();
            turn.after.handover = None;
            turn.after.phase = Phase::Closed;
            Ok(turn.decided())
        }
        EventBody::Opaque { said, .. } => {
            let by_customer = event.author.role == AuthorRole::Customer;
            if *said && by_customer && !turn.after.told_unshown {
                turn.after.told_unshown = true;
                turn.tell_customer("unshown", |texts| &texts.unshown, None, false);
            }
            Ok(turn.record(Standing::Record))
        }
        EventBody::Edit { .. } | EventBody::Delete { .. } => Ok(turn.record(Standing::Record)),
        EventBody::Accept => Err(Refusal::OutOfPlace { role: "channel", kind: event.body.kind() }),
    }
}

/// Something was said on the channel.
fn said(mut turn: Turn<'_>) -> Result<Decision, Refusal> {
    let event = turn.situation.event;
    follow_floor(&mut turn);
    match event.author.role {
        AuthorRole::Customer => {}
        AuthorRole::Bot | AuthorRole::System => return Ok(turn.record(Standing::Record)),
        AuthorRole::Agent | AuthorRole::Unknown => {
            let bot = turn.after.parties.bot.as_ref().filter(|bot| bot.copies);
            turn.targets.extend(bot.map(|bot| Target::copied(bot, Role::Bot)));
            return Ok(turn.record(Standing::Record));
        }
    }
    let text = plain_text(&event.body);
    let choice = text.and_then(|text| typed_choice(text, &turn.after.offered)).cloned();
    if let Some(choice) = choice {
        let (title, typed) = (Some(choice.title), text.map(ToOwned::to_owned));
        turn.meant = Some(EventBody::Choice { id: choice.id, title, typed });
    } else if let Some(text) = text {
        follow_wish(&mut turn, text)?;
    }
    if turn.after.handover.is_none() && turn.after.parties.bot.is_none() {
        turn.say_handover(Trigger::Route, "the route has no bot")?;
    }
    match turn.owner() {
        Some(owner) => turn.targets.push(owner),
        None => turn.standing = Standing::Record,
    }
    turn.copy_to_bot();
    Ok(turn.decided())
}

/// A message's text, if it is nothing else.
fn plain_text(body: &EventBody) -> Option<&str> {
    match body {
        EventBody::Message { content, .. } if content.media.is_empty() => content.text.as_deref(),
        _ => None,
    }
}

/// A keyword takes effect before the message is passed on: it goes to whoever it asks for.
fn follow_wish(turn: &mut Turn<'_>, text: &str) -> Result<(), Refusal> {
    let language = turn.after.language.as_deref();
    match keywords::wish(text, turn.switching(), language) {
        Some(Wish::People) if turn.after.owner() == Owner::Bot && turn.has_people() => {
            turn.say_handover(Trigger::Keyword, "the customer asked")
        }
        Some(Wish::Bot) if turn.after.at_desk().is_some() && turn.after.parties.bot.is_some() => {
            let (reason, recall) = (Some("the customer asked"), turn.recall_for_bot());
            turn.take_back(Then::Bot, reason, false);
            turn.say_back(reason, recall);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Only what the customer does, and the platform's own oddities, start a conversation: there is
/// nobody to tell of a receipt or an end.
fn start<'a>(
    situation: &'a Situation<'a>,
    past: Option<&Conversation>,
) -> Result<Turn<'a>, Refusal> {
    match (&situation.event.body, past) {
        (
            EventBody::Receipt { .. }
            | EventBody::Edit { .. }
            | EventBody::Delete { .. }
            | EventBody::Opaque { said: false, .. },
            Some(past),
        ) => Ok(Turn::new(situation, past.clone())),
        (
            EventBody::Message { .. }
            | EventBody::Choice { .. }
            | EventBody::Opaque { .. }
            | EventBody::Typing { .. },
            _,
        ) => {
            let mut turn = Turn::starting(situation, past)?;
            turn.watch_silence();
            Ok(turn)
        }
        (_, Some(_)) => Err(Refusal::Closed),
        (_, None) => Err(Refusal::UnknownConversation),
    }
}

/// Where the platform itself says whom the conversation is with, that holds for its own people. A
/// platform's word that it is the bot's counts after a handover only if it is younger (fact sheet
/// B6); a route's own desk is none of its business.
fn follow_floor(turn: &mut Turn<'_>) {
    let situation = turn.situation;
    match (situation.event.floor, &turn.after.handover) {
        (Some(Owner::Desk), None) => {
            turn.after.handover = Some(Handover {
                id: situation.fresh.to_owned(),
                place: Place::Channel,
                by: Trigger::Channel,
                reason: None,
                at: situation.now,
                accepted_at: Some(situation.now),
                agent: None,
            });
        }
        (Some(Owner::Bot), Some(Handover { place: Place::Channel, at, .. }))
            if situation.event.at > *at =>
        {
            turn.after.handover = None;
            turn.after.bot_since = situation.now;
        }
        _ => {}
    }
}

/// Who is told what became of a message: its sender, if that is known and can be told, or else
/// whoever answers now.
fn receipt(turn: &Turn<'_>, about: Option<&Reference>) -> Option<Target> {
    let parties = &turn.after.parties;
    let bot = parties.bot.as_ref().map(|bot| Target::addressed(bot, Role::Bot));
    let desk = parties.desk.as_ref().zip(turn.after.at_desk());
    let desk = desk.map(|(desk, handover)| Target::at_desk(desk, handover));
    let target = match about {
        Some(about) => {
            bot.into_iter().chain(desk).find(|target| target.connection == about.connection)
        }
        None => turn.owner(),
    };
    target.filter(|target| target.platform.capabilities().receipts)
}
