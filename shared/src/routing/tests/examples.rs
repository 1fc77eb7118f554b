use serde_json::{Value, json};

use super::*;
use crate::model::{Choice, Floor, Place, ReceiptStatus, Reference, Trigger};

#[test]
fn the_whole_story() {
    let mut play = Play::on(Platform::Webhook, both());
    let first = play.does(Role::Channel, says("where is it?"));
    assert_eq!(addressed(&first), [Role::Bot]);
    assert_eq!((first.conversation.version, first.timers.len()), (1, 1));
    assert!(!play.does(Role::Channel, says("hello?")).changed, "no write of the conversation");
    assert_eq!(addressed(&play.does(Role::Bot, says("which?"))), [Role::Channel]);

    let handed = play.does(Role::Bot, handover());
    let id = handed.conversation.handover.as_ref().unwrap().id.clone();
    assert_eq!(handed.targets[0].conversation.as_deref(), Some(id.as_str()));
    assert_eq!(addressed(&handed), [Role::Desk]);
    assert_eq!(told(&handed), ["One moment."]);
    let Some(EventBody::Handover { recall, .. }) = &handed.meant else { panic!() };
    assert_eq!((recall.last, recall.since), (20, Some(first.conversation.started_at)));
    assert_eq!(handed.conversation.floor(Owner::Desk), Floor::Pending);
    assert_eq!(handed.conversation.floor(Owner::Bot), Floor::Standby);

    let pending = play.does(Role::Channel, says("still there?"));
    assert_eq!(addressed(&pending), [Role::Desk]);
    let mut hello = event(play.seconds + 10, AuthorRole::Agent, says("hi, I am Ann"));
    hello.author.name = Some("Ann".into());
    let leg = play.leg(Role::Desk);
    let sender = Sender::Party { role: Role::Desk, leg: leg.as_deref() };
    let accepted = play.try_event(sender, &hello, false).unwrap();
    assert_eq!((told(&accepted), accepted.before.len()), (vec!["Ann is here."], 1));
    assert_eq!(accepted.conversation.floor(Owner::Desk), Floor::Active);
    assert_eq!(told(&play.does(Role::Desk, says("look"))), Vec::<&str>::new(), "said once");

    let closed = play.does(Role::Desk, close());
    assert_eq!(told(&closed), ["Ann has left."]);
    assert_eq!(closed.before[0].body.kind(), "handback");
    assert_eq!(closed.before[0].targets[0].role, Role::Bot);
    assert_eq!(addressed(&play.does(Role::Channel, says("thanks"))), [Role::Bot]);

    let anew = play.does(Role::Bot, handover());
    assert_ne!(anew.conversation.handover.unwrap().id, id, "a new desk conversation each time");
    let (sender, late) = (Sender::Party { role: Role::Desk, leg: Some(&id) }, says("old"));
    let late = event(play.seconds + 10, AuthorRole::Agent, late);
    let late = play.try_event(sender, &late, false).unwrap();
    assert_eq!((late.standing, addressed(&late)), (Standing::Late, vec![]), "in the old one");
}

#[test]
fn nobody_is_told_that_they_are_connected_before_they_are() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("agent"));
    let machine = event(play.seconds + 10, AuthorRole::System, says("You are in a queue."));
    let leg = play.leg(Role::Desk);
    let sender = Sender::Party { role: Role::Desk, leg: leg.as_deref() };
    let queue = play.try_event(sender, &machine, false).unwrap();
    assert_eq!((told(&queue), addressed(&queue)), (vec![], vec![Role::Channel]));
    assert_eq!(told(&play.does(Role::Desk, EventBody::Accept)), ["somebody is here."]);
    assert_eq!(play.does(Role::Desk, EventBody::Accept).standing, Standing::Record, "once");
}

#[test]
fn a_keyword_hands_over_first_and_the_message_goes_to_the_desk() {
    let mut play = Play::on(Platform::Webex, both());
    play.does(Role::Channel, says("hi"));
    let asked = play.does(Role::Channel, says("Agent!"));
    assert_eq!(asked.before[0].body.kind(), "handover");
    assert_eq!(addressed(&asked), [Role::Desk]);
    assert_eq!(asked.conversation.handover.as_ref().unwrap().by, Trigger::Keyword);
    let back = play.does(Role::Channel, says("robot"));
    let kinds: Vec<_> = back.before.iter().map(|said| said.body.kind()).collect();
    assert_eq!(kinds, ["close", "handback"], "the desk is told, and the bot");
    assert_eq!((addressed(&back), told(&back)), (vec![Role::Bot], vec!["Nobody is there."]));
}

#[test]
fn a_route_without_a_bot_opens_at_the_desk_and_ends_there() {
    let mut play = Play::on(Platform::Webhook, desk_only());
    let first = play.does(Role::Channel, says("hi"));
    assert_eq!((first.before[0].body.kind(), addressed(&first)), ("handover", vec![Role::Desk]));
    assert_eq!(play.tried(Role::Desk, handback()), Err(Refusal::NoBot));
    play.does(Role::Desk, close());
    assert_eq!(play.held.as_ref().unwrap().phase, Phase::Closed);
    assert_eq!(play.does(Role::Channel, says("again")).before.len(), 1, "and starts anew");
}

#[test]
fn where_there_is_no_desk_the_channels_own_people_take_over_if_it_has_any() {
    let mut play = Play::on(Platform::Webex, bot_only());
    let mut first = event(10, AuthorRole::Customer, says("hi"));
    first.floor = Some(Owner::Bot);
    let channel = Sender::Party { role: Role::Channel, leg: None };
    play.try_event(channel, &first, false).unwrap();
    let handed = play.does(Role::Bot, handover());
    assert_eq!((addressed(&handed), told(&handed)), (vec![Role::Channel], vec![]));
    assert_eq!(handed.conversation.handover.unwrap().place, Place::Channel);
    // Older than the handover: it must not be answered by the bot.
    let mut old = event(15, AuthorRole::Customer, says("hello?"));
    old.floor = Some(Owner::Bot);
    let old = play.try_event(channel, &old, false).unwrap();
    assert_eq!((old.standing, addressed(&old)), (Standing::Record, vec![]));
    let mut young = event(60, AuthorRole::Customer, says("thanks"));
    young.floor = Some(Owner::Bot);
    let young = play.try_event(channel, &young, false).unwrap();
    assert_eq!((addressed(&young), play.owner()), (vec![Role::Bot], Owner::Bot));
    let mut agents = event(70, AuthorRole::Unknown, says("I am Ann"));
    agents.floor = Some(Owner::Desk);
    let agents = play.try_event(channel, &agents, false).unwrap();
    assert!(agents.targets.iter().all(|target| target.copy), "an agent is never answered");
}

#[test]
fn a_change_of_configuration_takes_effect_with_the_next_turn() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("hi"));
    play.does(Role::Bot, handover());
    play.serving.desk = Some(party("desk-2", Platform::Webhook, false));
    play.serving.bot = Some(party("bot-2", Platform::Webhook, false));
    let to = |decision: &Decision| decision.targets[0].connection.to_string();
    assert_eq!(to(&play.does(Role::Channel, says("there?"))), "desk", "it keeps its desk");
    assert_eq!(to(&play.does(Role::Desk, handback())), "bot-2");
    assert_eq!(to(&play.does(Role::Bot, handover())), "desk-2");
}

#[test]
fn what_the_sender_does_not_own_is_late_and_what_makes_no_sense_is_refused() {
    let mut play = Play::on(Platform::Webhook, both());
    assert_eq!(play.tried(Role::Bot, says("hi")), Err(Refusal::UnknownConversation));
    assert_eq!(play.tried(Role::Observer, says("hi")), Err(Refusal::OnlyListens));
    play.does(Role::Channel, says("hi"));
    assert_eq!(play.does(Role::Desk, says("hi")).standing, Standing::Late);
    play.does(Role::Bot, handover());
    for body in [says("still me"), handover(), close()] {
        let late = play.does(Role::Bot, body);
        assert_eq!((late.standing, addressed(&late)), (Standing::Late, vec![]));
    }
    assert!(matches!(play.tried(Role::Bot, handback()), Err(Refusal::OutOfPlace { .. })));
    play.does(Role::Channel, close());
    assert_eq!(play.tried(Role::Bot, says("hi")), Err(Refusal::Closed));
    assert_eq!(play.tried(Role::Desk, says("hi")), Err(Refusal::Closed));
    let mut plain = Play::on(Platform::Webhook, Serving { bot: None, desk: None, ..both() });
    assert_eq!(plain.tried(Role::Channel, says("hi")), Err(Refusal::NoRoute));
}

#[test]
fn a_context_is_flat_and_small() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("hi"));
    let with = |key: &str, value: Value| EventBody::Handover {
        mode: Mode::Offer,
        reason: None,
        context: Map::from_iter([(key.to_owned(), value)]),
        recall: Recall::default(),
    };
    let nested = play.tried(Role::Bot, with("a", json!({"b": 1})));
    assert_eq!(nested, Err(Refusal::ContextNotFlat));
    let large = play.tried(Role::Bot, with("a", json!("x".repeat(5_000))));
    assert!(matches!(large, Err(Refusal::ContextTooLarge(5_008))), "{large:?}");
    play.does(Role::Bot, with("a", json!(true)));
}

#[test]
fn a_number_typed_back_is_the_choice_until_something_else_is_asked() {
    let mut play = Play::on(Platform::Webex, both());
    play.does(Role::Channel, says("hi"));
    let red = Choice { id: "r".into(), title: "Red".into() };
    let content = Content { choices: vec![red.clone()], ..Content::text("Which?") };
    play.does(Role::Bot, EventBody::Message { content: content.clone(), metadata: Map::new() });
    let typed = play.does(Role::Channel, says(" 1 "));
    let (title, said) = (Some("Red".to_owned()), Some(" 1 ".to_owned()));
    assert_eq!(typed.meant, Some(EventBody::Choice { id: "r".into(), title, typed: said }));
    play.does(Role::Bot, says("How many?"));
    assert_eq!(play.does(Role::Channel, says("1")).meant, None, "now it is a number");
    let mut able = Play::on(Platform::Webhook, both());
    able.does(Role::Channel, says("hi"));
    able.does(Role::Bot, EventBody::Message { content, metadata: Map::new() });
    assert_eq!(able.does(Role::Channel, says("1")).meant, None, "it had buttons");
}

#[test]
fn receipts_go_to_whoever_sent_the_message() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("hi"));
    play.does(Role::Bot, handover());
    let receipt = |connection: &str| EventBody::Receipt {
        message: "m".into(),
        about: Some(Reference { connection: connection.parse().unwrap(), message: "b".into() }),
        status: ReceiptStatus::Read,
        reason: None,
    };
    assert_eq!(addressed(&play.does(Role::Channel, receipt("bot"))), [Role::Bot]);
    assert_eq!(addressed(&play.does(Role::Channel, receipt("desk"))), [Role::Desk]);
    let of_ours = play.does(Role::Channel, receipt("trunkline"));
    assert_eq!(addressed(&of_ours), [], "of our own notices nobody is told");
    assert_eq!(addressed(&play.does(Role::Desk, receipt("shop"))), [Role::Channel]);
}

#[test]
fn what_cannot_be_shown_is_told_once() {
    let mut play = Play::on(Platform::Webhook, both());
    let sticker = || EventBody::Opaque { said: true, name: "sticker".into(), raw: Value::Null };
    assert_eq!(told(&play.does(Role::Channel, sticker())), ["We cannot see this."]);
    assert_eq!(told(&play.does(Role::Channel, sticker())), Vec::<&str>::new());
    let bots = play.does(Role::Bot, sticker());
    assert_eq!((bots.after[0].body.kind(), bots.after[0].targets[0].role), ("receipt", Role::Bot));
}

#[test]
fn an_echo_goes_nowhere() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("hi"));
    for role in [Role::Channel, Role::Bot] {
        let leg = play.leg(role);
        let ours = event(play.seconds + 10, AuthorRole::Customer, says("agent"));
        let sender = Sender::Party { role, leg: leg.as_deref() };
        let echo = play.try_event(sender, &ours, true).unwrap();
        assert_eq!((echo.standing, echo.targets, echo.before), (Standing::Echo, vec![], vec![]));
        let theirs = event(play.seconds + 10, AuthorRole::System, says("Ann is here."));
        let notice = play.try_event(sender, &theirs, false).unwrap();
        if role == Role::Channel {
            assert!(notice.targets.iter().all(|target| target.role == Role::Observer));
        }
    }
}

#[test]
fn people_at_a_desk_can_begin_a_conversation() {
    let mut play = Play::on(Platform::Webhook, both());
    let desk = Sender::Party { role: Role::Desk, leg: None };
    let begins = |play: &mut Play, body| {
        let event = event(play.seconds + 10, AuthorRole::Agent, body);
        play.try_beginning(desk, &event, false, true)
    };
    let typing = begins(&mut play, EventBody::Typing { active: true });
    assert_eq!(typing, Err(Refusal::UnknownConversation), "only by saying something");
    let first = begins(&mut play, says("Your parcel is here.")).unwrap();
    assert_eq!((addressed(&first), told(&first)), (vec![Role::Channel], vec![]));
    let handover = first.conversation.handover.clone().unwrap();
    assert_eq!((handover.by, handover.accepted_at.is_some()), (Trigger::Desk, true));
    let second = begins(&mut play, says("Come and get it.")).unwrap();
    assert_eq!(second.conversation.handover, Some(handover), "the same conversation");
    assert_eq!(addressed(&play.does(Role::Channel, says("thanks"))), [Role::Desk]);

    // One that the bot has is theirs at once.
    let mut bots = Play::on(Platform::Webhook, both());
    bots.does(Role::Channel, says("hi"));
    assert_eq!(addressed(&begins(&mut bots, says("It is me.")).unwrap()), [Role::Channel]);
    assert_eq!(bots.owner(), Owner::Desk);
}
