use super::*;
use crate::model::{Choice, ChoiceSource, ConnectionId};

fn question(single_use: bool) -> EventBody {
    let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
    let choices = vec![choice("t", "Track"), choice("r", "Refund")];
    let content = Content { choices, single_use, ..Content::text("Which?") };
    EventBody::Message { content, metadata: Map::new() }
}

fn refund(typed: Option<&str>) -> EventBody {
    let title = typed.map(|_| "Refund".to_owned());
    EventBody::Choice { id: "r".into(), title, typed: typed.map(Into::into) }
}

/// A scenario in which the bot has asked, and the source of its choices.
fn asked(channel: Capabilities, single_use: bool) -> (Scenario, ChoiceSource) {
    let mut scenario = Scenario::new(channel, full_route());
    scenario.send(Role::Channel, message("hi"));
    scenario.send(Role::Bot, question(single_use));
    let offer = scenario.conversation.as_ref().unwrap().offer.clone().unwrap();
    assert_eq!((offer.single_use, offer.used), (single_use, false));
    (scenario, offer.source)
}

#[test]
fn a_selection_is_joined_to_the_message_that_offered_it() {
    let (mut scenario, source) = asked(PLAIN, false);
    assert_eq!((source.from.as_str(), source.at), ("bot", at(20)));
    for _ in 0..2 {
        let typed = scenario.send(Role::Channel, message("2"));
        assert_eq!(typed.rewritten_body, Some(refund(Some("2"))));
        assert_eq!(typed.choice_source.as_ref(), Some(&source));
        let clicked = scenario.send(Role::Channel, refund(None));
        assert_eq!((clicked.rewritten_body, clicked.choice_source), (None, Some(source.clone())));
    }
    let other = EventBody::Choice { id: "older".into(), title: None, typed: None };
    assert_eq!(scenario.send(Role::Channel, other).choice_source, None);
    assert_eq!(scenario.send(Role::Channel, message("hello")).choice_source, None);
    scenario.send(Role::Bot, message("Thanks."));
    assert_eq!(scenario.send(Role::Channel, refund(None)).choice_source, None);
}

/// Shows S24.
#[test]
fn a_second_selection_of_a_single_use_offer_is_a_text() {
    let (scenario, source) = asked(PLAIN, true);
    for first in [message("2"), refund(None)] {
        let mut scenario = scenario.clone();
        assert_eq!(scenario.send(Role::Channel, first).choice_source.as_ref(), Some(&source));
        let typed = scenario.send(Role::Channel, message("1"));
        assert_eq!((typed.rewritten_body, typed.choice_source), (None, None));
        let clicked = scenario.send(Role::Channel, refund(None));
        assert_eq!(
            (clicked.rewritten_body, clicked.choice_source),
            (Some(message("Refund")), None)
        );
        assert_eq!(addressed_roles(&scenario.send(Role::Channel, refund(None))), [Role::Bot]);
        scenario.send(Role::Bot, question(true));
        let next = scenario.send(Role::Channel, message("2"));
        assert_eq!(next.rewritten_body, Some(refund(Some("2"))), "a new question");
    }
}

/// Shows S10.
#[test]
fn a_selection_on_the_bots_platform_reaches_observers_and_the_desk() {
    let (mut scenario, source) = asked(PLAIN, true);
    let clicked = |scenario: &mut Scenario, source: &ChoiceSource| {
        let mut event = event(scenario.seconds + 10, AuthorRole::Customer, refund(None));
        event.choice_source = Some(Box::new(source.clone()));
        let session = scenario.session(Role::Bot);
        let sender = Sender::Party { role: Role::Bot, session: session.as_ref() };
        scenario.try_event(sender, &event, false).unwrap()
    };
    let older = ChoiceSource { event: EventId::from_parts(&["older"]), ..source.clone() };
    let of_older = clicked(&mut scenario, &older);
    assert_eq!(of_older.choice_source, None, "the event's own source stays");
    assert!(!of_older.conversation.offer.unwrap().used);
    let at_bot = clicked(&mut scenario, &source);
    assert_eq!((at_bot.disposition, addressed_roles(&at_bot)), (Disposition::RecordedOnly, vec![]));
    assert!(at_bot.targets.iter().any(|target| target.role == Role::Observer && target.copy));
    assert_eq!(at_bot.choice_source.as_ref(), Some(&source));
    assert!(at_bot.conversation.offer.unwrap().used, "the offer is used on every channel");
    scenario.send(Role::Bot, handover());
    let at_desk = clicked(&mut scenario, &source);
    assert_eq!(
        (at_desk.disposition, addressed_roles(&at_desk)),
        (Disposition::Routed, vec![Role::Desk])
    );
    assert_eq!(scenario.conversation.as_ref().unwrap().offer, None, "forgotten at the handover");
    assert!(
        matches!(scenario.try_send(Role::Bot, refund(None)), Err(Refusal::UnexpectedEvent { .. })),
        "a bot itself selects nothing"
    );
}

#[test]
fn the_last_part_of_the_message_has_the_choices() {
    let (scenario, mut source) = asked(PLAIN, false);
    let key = &scenario.conversation.as_ref().unwrap().key;
    let archive: ConnectionId = "archive".parse().unwrap();
    let delivery = |source: &ChoiceSource| source.delivery_to(&archive, key);
    let whole = delivery(&source);
    assert_eq!(whole.1, 0);
    source.parts.insert(archive.clone(), 3);
    assert_eq!(delivery(&source).1, 2);
    assert_ne!(delivery(&source).0, whole.0);
}
