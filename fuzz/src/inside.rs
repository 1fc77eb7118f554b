//! What all platforms share: who gets what, what stands in queues, what is shown.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_shared::model::{
    Author, AuthorRole, Content, Conversation, ConversationKey, Event, EventBody, EventId, Floor,
    Format, Job, Mode, Owner, Party, Recall, Role, Serving, Wake,
};
use trunkline_shared::rendering::{plain, render, split, typed_choice};
use trunkline_shared::routing::{Cause, Sender, Situation, Start, decide};

fn party(id: &str, platform: &str) -> Party {
    serde_json::from_value(json!({"connection": id, "platform": platform})).expect("a party")
}

fn body(kind: u8) -> EventBody {
    let (reason, recall) = (None, Recall::default());
    let said =
        |text: &str| EventBody::Message { content: Content::text(text), metadata: Map::new() };
    match kind % 12 {
        0 | 1 => said("hello"),
        2 => said("agent"),
        3 => said("robot"),
        4 => EventBody::Choice { id: "1".into(), title: None, typed: None },
        5 => EventBody::Handover { mode: Mode::Offer, reason, context: Map::new(), recall },
        6 => EventBody::Handover { mode: Mode::Pass, reason, context: Map::new(), recall },
        7 => EventBody::Accept,
        8 => EventBody::Handback { reason, context: Map::new(), recall },
        9 => EventBody::Close { reason },
        10 => EventBody::Delete { message: "m".into() },
        _ => EventBody::Opaque { said: true, name: "x".into(), raw: Value::Null },
    }
}

/// Any sequence of arrivals, three bytes each: there is always exactly one owner, nothing returns to its
/// author, versions rise by one, and a bot is not asked to answer what people have.
pub fn switchboard(data: &[u8]) {
    let Some((&first, steps)) = data.split_first() else { return };
    let switching = json!({"keywords": {"en": {"handover": ["agent"], "handback": ["robot"]}}});
    let serving = Serving {
        route: "r".parse().expect("an id"),
        bot: (first & 1 == 0).then(|| party("bot", "webhook")),
        desk: (first & 2 == 0).then(|| party("desk", "webhook")),
        observers: vec![party("archive", "webhook")],
        switching: serde_json::from_value(switching).unwrap_or_default(),
    };
    let channel = if first & 4 == 0 { "webex" } else { "webhook" };
    let mut held: Option<Conversation> = None;
    let mut second = 1_700_000_000;
    for (place, step) in steps.chunks_exact(3).enumerate().take(200) {
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
        let event_id = EventId::from_parts(&["e", &place.to_string()]);
        let mut event = Event::new(event_id, "c", now, author, body(step[1] & 63));
        event.floor = [None, Some(Owner::Bot), Some(Owner::Desk)][usize::from(step[0] >> 6) % 3];
        let leg = held.as_ref().map(|held| match (role, &held.handover) {
            (Some(Role::Desk), Some(handover)) => handover.id.clone(),
            _ => held.id.clone(),
        });
        let from = match role {
            Some(role) => Sender::Party { role, leg: leg.as_deref() },
            None => Sender::House(Cause::Operator),
        };
        let start = Start { key, id: format!("conv-{place}"), channel: party("shop", channel) };
        let situation = Situation {
            conversation: held.as_ref(),
            serving: Some(&serving),
            start: Some(&start),
            from,
            event: &event,
            echo: step[0] & 32 != 0,
            begins: false,
            now,
            fresh: &format!("desk-{place}"),
        };
        let Ok(decision) = decide(&situation) else { continue };
        let after = &decision.conversation;
        let version = held.as_ref().map_or(0, |held| held.version);
        assert_eq!(after.version, version + u64::from(decision.changed));
        let (bot, desk) = (after.floor(Owner::Bot), after.floor(Owner::Desk));
        assert_eq!(after.is_open(), (bot == Floor::Standby) != (desk == Floor::Standby));
        for target in &decision.targets {
            assert!(role.is_none() || target.connection.as_str() != id, "back to its author");
            assert!(target.role != Role::Observer || target.copy, "copies are marked");
        }
        let kept = serde_json::to_string(after).expect("it can be written");
        assert_eq!(&serde_json::from_str::<Conversation>(&kept).expect("and read"), after);
        held = Some(decision.conversation);
    }
}

/// Whatever stands in a queue: jobs, notes to ourselves, dead letters. What can be read reads the same
/// once it is written again.
pub fn queue(data: &[u8]) {
    if let Ok(job) = serde_json::from_slice::<Job>(data) {
        let again: Value = serde_json::to_value(&job).expect("a job can be written");
        let read: Job = serde_json::from_value(again.clone()).expect("and read");
        assert_eq!(serde_json::to_value(read).expect("and written"), again);
        if let Job::Deliver(delivery) = job {
            let _ =
                (delivery.leg().group(), delivery.leg_conversation(), delivery.to.outcome_key());
            let _ = render(&delivery.event, &delivery.to);
        }
    }
    if let Ok(wake) = serde_json::from_slice::<Wake>(data) {
        let again = serde_json::to_string(&wake).expect("a note can be written");
        let read: Wake = serde_json::from_str(&again).expect("and read");
        assert_eq!(serde_json::to_string(&read).expect("and written"), again);
        let _ = wake.at();
    }
}

/// Texts in any markup as plain text, in parts of any length; and `ServisBOT`'s markup, both ways.
pub fn markup(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    for format in [Format::Plain, Format::Markdown, Format::Html] {
        let _ = plain(&text, format);
    }
    let limit = usize::from(first).max(1);
    let parts = split(&text, limit);
    assert!(parts.iter().all(|part| part.chars().count() <= limit), "no part is too long");
    let _ = typed_choice(&text, &[]);
    if let Ok(node) = trunkline_servisbot::markup::from_xml(&text) {
        let _ = trunkline_servisbot::markup::show(&node);
        let written = trunkline_servisbot::markup::to_xml(&node);
        let _ = trunkline_servisbot::markup::from_xml(&written);
        let object = trunkline_servisbot::markup::to_object(&node);
        let _ = trunkline_servisbot::markup::from_object(&object).expect("ours can be read");
    }
    if let Ok(Value::Object(contents)) = serde_json::from_slice(rest) {
        let _ = trunkline_servisbot::markup::read(&contents);
    }
}
