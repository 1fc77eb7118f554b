//! Code that all platforms share: routing, queue messages and rendering.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, Conversation, ConversationKey, EarlierMessage, Event,
    EventBody, EventId, Format, HandoverMode, Job, Owner, Participation, Party, ResolvedRoute,
    Role, ScheduledTask, Transcript,
};
use trunkline_core::rendering::{match_typed_choice, render, split, to_plain_text};
use trunkline_core::routing::{NewConversation, RoutingInput, Sender, SystemTrigger, decide};

fn party(id: &str, platform: &str) -> Party {
    serde_json::from_value(json!({"connection": id, "platform": platform})).expect("a party")
}

fn body(kind: u8) -> EventBody {
    let (reason, transcript) = (None, Transcript::default());
    let message =
        |text: &str| EventBody::Message { content: Content::text(text), metadata: Map::new() };
    match kind % 12 {
        0 | 1 => message("hello"),
        2 => message("agent"),
        3 => message("robot"),
        4 => EventBody::Choice { id: "1".into(), title: None, typed: None },
        5 => EventBody::Handover {
            mode: HandoverMode::Offer,
            reason,
            context: Map::new(),
            transcript,
        },
        6 => EventBody::Handover {
            mode: HandoverMode::Pass,
            reason,
            context: Map::new(),
            transcript,
        },
        7 => EventBody::Accept,
        8 => EventBody::Handback { reason, context: Map::new(), transcript },
        9 => EventBody::Close { reason },
        10 => EventBody::Delete {
            earlier: EarlierMessage::new("m", EventId::from_parts(&["e", "m"])),
            notice: None,
        },
        _ => EventBody::Opaque { is_message: true, name: "x".into(), raw: Value::Null },
    }
}

/// Routing of an arbitrary sequence of events, three bytes each: an open conversation has exactly one owner, no
/// event returns to its author, versions increase by one, and observers receive copies only.
pub fn routing(data: &[u8]) {
    let Some((&first, steps)) = data.split_first() else { return };
    let policy = json!({"keywords": {"en": {"handover": ["agent"], "handback": ["robot"]}}});
    let route = ResolvedRoute {
        route: "r".parse().expect("an id"),
        bot: (first & 1 == 0).then(|| party("bot", "webhook")),
        desk: (first & 2 == 0).then(|| party("desk", "webhook")),
        observers: vec![party("archive", "webhook")],
        handover_policy: serde_json::from_value(policy).unwrap_or_default(),
    };
    let channel = if first & 4 == 0 { "webex" } else { "webhook" };
    let mut current: Option<Conversation> = None;
    let mut second = 1_700_000_000;
    for (index, step) in steps.chunks_exact(3).enumerate().take(200) {
        let (role, id) = [
            (Some(Role::Channel), "shop"),
            (Some(Role::Bot), "bot"),
            (Some(Role::Desk), "desk"),
            (Some(Role::Observer), "archive"),
            (None, "trunkline"),
        ][usize::from(step[0] % 5)];
        second += i64::from(step[2]);
        let now = Timestamp::from_second(second).expect("a time");
        let key = ConversationKey { channel: "shop".parse().expect("an id"), customer: "c".into() };
        let author = [AuthorRole::Customer, AuthorRole::Bot, AuthorRole::Agent, AuthorRole::System];
        let author = Author::nameless(author[usize::from(step[1] >> 6)]);
        let event_id = EventId::from_parts(&["e", &index.to_string()]);
        let mut event = Event::new(event_id, "c", now, author, body(step[1] & 63));
        event.claimed_owner =
            [None, Some(Owner::Bot), Some(Owner::Desk)][usize::from(step[0] >> 6) % 3];
        let session = current.as_ref().map(|current| match (role, &current.handover) {
            (Some(Role::Desk), Some(handover)) => (&handover.id).into(),
            _ => (&current.id).into(),
        });
        let from = match role {
            Some(role) => Sender::Party { role, session: session.as_ref() },
            None => Sender::System(SystemTrigger::Operator),
        };
        let new_conversation = NewConversation {
            key,
            id: format!("conv-{index}").into(),
            channel: party("shop", channel),
        };
        let input = RoutingInput {
            conversation: current.as_ref(),
            route: Some(&route),
            new_conversation: Some(&new_conversation),
            from,
            event: &event,
            echo: step[0] & 32 != 0,
            agent_initiated: false,
            now,
            new_handover_id: &format!("desk-{index}").into(),
        };
        let Ok(decision) = decide(&input) else { continue };
        let after = &decision.conversation;
        let version = current.as_ref().map_or(0, |current| current.version);
        assert_eq!(after.version, version + u64::from(decision.changed));
        let (bot, desk) = (after.participation(Owner::Bot), after.participation(Owner::Desk));
        assert_eq!(
            after.is_open(),
            (bot == Participation::Standby) != (desk == Participation::Standby)
        );
        for target in &decision.targets {
            assert!(
                role.is_none() || target.connection.as_str() != id,
                "an event returned to its author"
            );
            assert!(
                target.role != Role::Observer || target.copy,
                "an observer received an event that is not a copy"
            );
        }
        let stored = serde_json::to_string(after).expect("it can be written");
        assert_eq!(&serde_json::from_str::<Conversation>(&stored).expect("and read"), after);
        current = Some(decision.conversation);
    }
}

/// Queue messages: jobs and scheduled tasks. A message that can be parsed parses the same after it is
/// serialized.
pub fn queue(data: &[u8]) {
    if let Ok(job) = serde_json::from_slice::<Job>(data) {
        let again: Value = serde_json::to_value(&job).expect("a job can be written");
        let read: Job = serde_json::from_value(again.clone()).expect("and read");
        assert_eq!(serde_json::to_value(read).expect("and written"), again);
        if let Job::Deliver(delivery) = job {
            let _ =
                (delivery.leg().message_group(), delivery.session_id(), delivery.to.outcome_key());
            let _ = render(&delivery.event, &delivery.to);
        }
    }
    if let Ok(task) = serde_json::from_slice::<ScheduledTask>(data) {
        let again = serde_json::to_string(&task).expect("a task can be written");
        let read: ScheduledTask = serde_json::from_str(&again).expect("and read");
        assert_eq!(serde_json::to_string(&read).expect("and written"), again);
        let _ = task.at();
    }
}

/// Markup: conversion to plain text, splitting to any length, and `ServisBOT`'s markup in both directions.
pub fn markup(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    for format in [Format::Plain, Format::Markdown, Format::Html] {
        let plain = to_plain_text(&text, format);
        assert!(text.trim().is_empty() || !plain.trim().is_empty(), "nothing is left");
        let limit = usize::from(first).max(1);
        let parts = split(&text, limit, format);
        assert!(parts.iter().all(|part| part.chars().count() <= limit), "a part is too long");
    }
    let _ = match_typed_choice(&text, &[Choice { id: "1".into(), title: text.to_string() }], true);
    if let Ok(node) = trunkline_servisbot::markup::from_xml(&text) {
        let _ = trunkline_servisbot::markup::to_content(&node);
        let written = trunkline_servisbot::markup::to_xml(&node);
        let _ = trunkline_servisbot::markup::from_xml(&written);
        let object = trunkline_servisbot::markup::to_object(&node);
        let _ =
            trunkline_servisbot::markup::from_object(&object).expect("written markup can be read");
    }
    if let Ok(Value::Object(contents)) = serde_json::from_slice(rest) {
        let _ = trunkline_servisbot::markup::content_of(&contents);
    }
}
