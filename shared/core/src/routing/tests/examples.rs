use serde_json::{Value, json};

use super::*;
use crate::model::{
    AgentLocation, Card, CardAction, Choice, EarlierMessage, HandoverTrigger, MessageReference,
    Participation, ReceiptStatus,
};

#[test]
fn bot_hands_over_desk_accepts_and_closes() {
    let mut scenario = Scenario::new(RICH, full_route());
    let first = scenario.send(Role::Channel, message("where is it?"));
    assert_eq!(addressed_roles(&first), [Role::Bot]);
    assert_eq!((first.conversation.version, first.timers.len()), (1, 1));
    assert!(
        !scenario.send(Role::Channel, message("hello?")).changed,
        "the conversation is not written"
    );
    assert_eq!(addressed_roles(&scenario.send(Role::Bot, message("which?"))), [Role::Channel]);

    let handed = scenario.send(Role::Bot, handover());
    let id = handed.conversation.handover.as_ref().unwrap().id.clone();
    assert_eq!(handed.targets[0].session_id.as_ref(), Some(id.as_session_id()));
    assert_eq!(addressed_roles(&handed), [Role::Desk]);
    assert_eq!(customer_notices(&handed), ["One moment."]);
    let Some(EventBody::Handover { transcript: recall, .. }) = &handed.rewritten_body else {
        panic!()
    };
    assert_eq!((recall.limit, recall.since), (20, Some(first.conversation.started_at)));
    assert_eq!(handed.conversation.participation(Owner::Desk), Participation::Pending);
    assert_eq!(handed.conversation.participation(Owner::Bot), Participation::Standby);

    let pending = scenario.send(Role::Channel, message("still there?"));
    assert_eq!(addressed_roles(&pending), [Role::Desk]);
    let mut hello = event(scenario.seconds + 10, AuthorRole::Agent, message("hi, I am Ann"));
    hello.author.name = Some("Ann".into());
    let session = scenario.session(Role::Desk);
    let sender = Sender::Party { role: Role::Desk, session: session.as_ref() };
    let accepted = scenario.try_event(sender, &hello, false).unwrap();
    assert_eq!((customer_notices(&accepted), accepted.preceding.len()), (vec!["Ann is here."], 1));
    assert_eq!(accepted.conversation.participation(Owner::Desk), Participation::Active);
    assert_eq!(
        customer_notices(&scenario.send(Role::Desk, message("look"))),
        Vec::<&str>::new(),
        "the customer is notified once"
    );

    let closed = scenario.send(Role::Desk, close());
    assert_eq!(customer_notices(&closed), ["Ann has left."]);
    assert_eq!(closed.preceding[0].body.kind(), "handback");
    assert_eq!(closed.preceding[0].targets[0].role, Role::Bot);
    assert_eq!(addressed_roles(&scenario.send(Role::Channel, message("thanks"))), [Role::Bot]);

    let second = scenario.send(Role::Bot, handover());
    assert_ne!(second.conversation.handover.unwrap().id, id, "each handover has a new id");
    let (sender, late) =
        (Sender::Party { role: Role::Desk, session: Some(id.as_session_id()) }, message("old"));
    let late = event(scenario.seconds + 10, AuthorRole::Agent, late);
    let late = scenario.try_event(sender, &late, false).unwrap();
    assert_eq!(
        (late.disposition, addressed_roles(&late)),
        (Disposition::NotOwner, vec![]),
        "in the earlier handover"
    );
}

#[test]
fn customer_is_notified_only_after_an_agent_accepts() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("agent"));
    let machine = event(scenario.seconds + 10, AuthorRole::System, message("You are in a queue."));
    let session = scenario.session(Role::Desk);
    let sender = Sender::Party { role: Role::Desk, session: session.as_ref() };
    let queue = scenario.try_event(sender, &machine, false).unwrap();
    assert_eq!((customer_notices(&queue), addressed_roles(&queue)), (vec![], vec![Role::Channel]));
    assert_eq!(
        customer_notices(&scenario.send(Role::Desk, EventBody::Accept)),
        ["an agent is here."]
    );
    assert_eq!(
        scenario.send(Role::Desk, EventBody::Accept).disposition,
        Disposition::RecordedOnly,
        "only the first counts"
    );
}

#[test]
fn keyword_hands_over_before_its_message_is_delivered() {
    let mut scenario = Scenario::new(PLAIN, full_route());
    scenario.send(Role::Channel, message("hi"));
    let asked = scenario.send(Role::Channel, message("Agent!"));
    assert_eq!(asked.preceding[0].body.kind(), "handover");
    assert_eq!(addressed_roles(&asked), [Role::Desk]);
    assert_eq!(asked.conversation.handover.as_ref().unwrap().trigger, HandoverTrigger::Keyword);
    let back = scenario.send(Role::Channel, message("robot"));
    let kinds: Vec<_> = back.preceding.iter().map(|said| said.body.kind()).collect();
    assert_eq!(kinds, ["close", "handback"], "the desk and the bot are informed");
    assert_eq!(
        (addressed_roles(&back), customer_notices(&back)),
        (vec![Role::Bot], vec!["No agent is available."])
    );
}

#[test]
fn route_without_a_bot_starts_and_ends_at_the_desk() {
    let mut scenario = Scenario::new(RICH, route_without_bot());
    let first = scenario.send(Role::Channel, message("hi"));
    assert_eq!(
        (first.preceding[0].body.kind(), addressed_roles(&first)),
        ("handover", vec![Role::Desk])
    );
    assert_eq!(scenario.try_send(Role::Desk, handback()), Err(Refusal::NoBot));
    scenario.send(Role::Desk, close());
    assert_eq!(scenario.conversation.as_ref().unwrap().phase, Phase::Closed);
    assert_eq!(
        scenario.send(Role::Channel, message("again")).preceding.len(),
        1,
        "a new conversation starts"
    );
}

#[test]
fn without_a_desk_the_channels_own_agents_take_over() {
    let mut scenario = Scenario::new(PLAIN, route_without_desk());
    let mut first = event(10, AuthorRole::Customer, message("hi"));
    first.claimed_owner = Some(Owner::Bot);
    let channel = Sender::Party { role: Role::Channel, session: None };
    scenario.try_event(channel, &first, false).unwrap();
    let handed = scenario.send(Role::Bot, handover());
    assert_eq!(
        (addressed_roles(&handed), customer_notices(&handed)),
        (vec![Role::Channel], vec![])
    );
    assert_eq!(handed.conversation.handover.unwrap().location, AgentLocation::Channel);
    // The message is older than the handover, so the bot must not receive it.
    let mut old = event(15, AuthorRole::Customer, message("hello?"));
    old.claimed_owner = Some(Owner::Bot);
    let old = scenario.try_event(channel, &old, false).unwrap();
    assert_eq!((old.disposition, addressed_roles(&old)), (Disposition::RecordedOnly, vec![]));
    let mut young = event(60, AuthorRole::Customer, message("thanks"));
    young.claimed_owner = Some(Owner::Bot);
    let young = scenario.try_event(channel, &young, false).unwrap();
    assert_eq!((addressed_roles(&young), scenario.owner()), (vec![Role::Bot], Owner::Bot));
    let mut agents = event(70, AuthorRole::Unknown, message("I am Ann"));
    agents.claimed_owner = Some(Owner::Desk);
    let agents = scenario.try_event(channel, &agents, false).unwrap();
    assert!(
        agents.targets.iter().all(|target| target.copy),
        "a message of an agent is only copied"
    );
}

#[test]
fn configuration_change_takes_effect_at_the_next_change_of_owner() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    scenario.send(Role::Bot, handover());
    scenario.route.desk = Some(party("desk-2", RICH, false));
    scenario.route.bot = Some(party("bot-2", RICH, false));
    let to = |decision: &Decision| decision.targets[0].connection.to_string();
    assert_eq!(
        to(&scenario.send(Role::Channel, message("there?"))),
        "desk",
        "the open handover keeps its desk"
    );
    assert_eq!(to(&scenario.send(Role::Desk, handback())), "bot-2");
    assert_eq!(to(&scenario.send(Role::Bot, handover())), "desk-2");
}

#[test]
fn events_of_a_non_owner_are_recorded_and_unexpected_events_are_rejected() {
    let mut scenario = Scenario::new(RICH, full_route());
    assert_eq!(scenario.try_send(Role::Bot, message("hi")), Err(Refusal::UnknownConversation));
    assert_eq!(scenario.try_send(Role::Observer, message("hi")), Err(Refusal::ObserverCannotSend));
    scenario.send(Role::Channel, message("hi"));
    assert_eq!(scenario.send(Role::Desk, message("hi")).disposition, Disposition::NotOwner);
    scenario.send(Role::Bot, handover());
    for body in [message("still me"), handover(), close()] {
        let late = scenario.send(Role::Bot, body);
        assert_eq!((late.disposition, addressed_roles(&late)), (Disposition::NotOwner, vec![]));
    }
    assert!(matches!(
        scenario.try_send(Role::Bot, handback()),
        Err(Refusal::UnexpectedEvent { .. })
    ));
    scenario.send(Role::Channel, close());
    assert_eq!(scenario.try_send(Role::Bot, message("hi")), Err(Refusal::Closed));
    assert_eq!(scenario.try_send(Role::Desk, message("hi")), Err(Refusal::Closed));
    let mut plain = Scenario::new(RICH, ResolvedRoute { bot: None, desk: None, ..full_route() });
    assert_eq!(plain.try_send(Role::Channel, message("hi")), Err(Refusal::NoRoute));
}

#[test]
fn context_must_be_flat_and_small() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    let with = |key: &str, value: Value| EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context: Map::from_iter([(key.to_owned(), value)]),
        transcript: Transcript::default(),
    };
    let nested = scenario.try_send(Role::Bot, with("a", json!({"b": 1})));
    assert_eq!(nested, Err(Refusal::ContextNotFlat));
    let large = scenario.try_send(Role::Bot, with("a", json!("x".repeat(5_000))));
    assert!(matches!(large, Err(Refusal::ContextTooLarge(5_008))), "{large:?}");
    scenario.send(Role::Bot, with("a", json!(true)));
}

#[test]
fn typed_number_selects_a_choice_until_the_next_message() {
    let mut scenario = Scenario::new(PLAIN, full_route());
    scenario.send(Role::Channel, message("hi"));
    let red = Choice { id: "r".into(), title: "Red".into() };
    let content = Content { choices: vec![red.clone()], ..Content::text("Which?") };
    scenario.send(Role::Bot, EventBody::Message { content: content.clone(), metadata: Map::new() });
    let typed = scenario.send(Role::Channel, message(" 1 "));
    let (title, said) = (Some("Red".to_owned()), Some(" 1 ".to_owned()));
    assert_eq!(
        typed.rewritten_body,
        Some(EventBody::Choice { id: "r".into(), title, typed: said })
    );
    scenario.send(Role::Bot, message("How many?"));
    assert_eq!(
        scenario.send(Role::Channel, message("1")).rewritten_body,
        None,
        "no choices are on offer"
    );
    let mut able = Scenario::new(RICH, full_route());
    able.send(Role::Channel, message("hi"));
    able.send(Role::Bot, EventBody::Message { content, metadata: Map::new() });
    assert_eq!(
        able.send(Role::Channel, message("1")).rewritten_body,
        None,
        "the channel shows buttons without numbers"
    );
    let typed = able.send(Role::Channel, message("RED!")).rewritten_body;
    assert!(matches!(typed, Some(EventBody::Choice { id, .. }) if id == "r"));
}

#[test]
fn a_choice_of_a_card_can_be_typed() {
    let mut scenario = Scenario::new(PLAIN, full_route());
    scenario.send(Role::Channel, message("hi"));
    let reply = |id: &str| CardAction::Reply(Choice { id: id.into(), title: format!("Buy {id}") });
    let card = |id: &str| Card { actions: vec![reply(id)], ..Card::default() };
    let cards = vec![card("one"), card("two")];
    let choices = vec![Choice { id: "other".into(), title: "Other".into() }];
    let content = Content { cards, choices, ..Content::text("Pick") };
    scenario.send(Role::Bot, EventBody::Message { content, metadata: Map::new() });
    for (text, selected) in [("2", "two"), ("buy one", "one"), ("3", "other")] {
        let body = scenario.clone().send(Role::Channel, message(text)).rewritten_body;
        assert!(matches!(body, Some(EventBody::Choice { id, .. }) if id == selected), "{text}");
    }
}

fn changes() -> [EventBody; 4] {
    let earlier = || EarlierMessage::new("m", EventId::from_parts(&["e", "m"]));
    let content = Box::new(Content::text("new"));
    let reaction =
        |removed| EventBody::Reaction { earlier: earlier(), emoji: "👍".into(), removed };
    [
        EventBody::Edit { earlier: earlier(), content, notice: None },
        EventBody::Delete { earlier: earlier(), notice: None },
        reaction(false),
        reaction(true),
    ]
}

#[test]
fn changes_go_where_messages_go() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    for body in changes() {
        assert_eq!(addressed_roles(&scenario.send(Role::Channel, body.clone())), [Role::Bot]);
        assert_eq!(addressed_roles(&scenario.send(Role::Bot, body.clone())), [Role::Channel]);
    }
    scenario.send(Role::Bot, handover());
    for body in changes() {
        assert_eq!(addressed_roles(&scenario.send(Role::Channel, body.clone())), [Role::Desk]);
        assert_eq!(addressed_roles(&scenario.send(Role::Desk, body.clone())), [Role::Channel]);
        let bots = scenario.send(Role::Bot, body);
        assert_eq!((bots.disposition, addressed_roles(&bots)), (Disposition::RecordedOnly, vec![]));
    }
    scenario.send(Role::Channel, close());
    let late = scenario.send(Role::Channel, changes()[0].clone());
    assert_eq!((late.disposition, addressed_roles(&late)), (Disposition::RecordedOnly, vec![]));
}

#[test]
fn changes_that_the_receiver_cannot_show_are_announced_or_reported() {
    let route = ResolvedRoute {
        bot: Some(Party {
            presentation: party("bot", PLAIN, false).presentation,
            ..party("bot", RICH, false)
        }),
        ..full_route()
    };
    let mut scenario = Scenario::new(RICH, route);
    scenario.send(Role::Channel, message("hi"));
    let outcome = |scenario: &mut Scenario, from: Role, body: EventBody| {
        let decision = scenario.send(from, body);
        let reported = decision.following.iter().any(|said| said.name == "unsupported");
        let notice = match decision.rewritten_body.as_ref() {
            Some(EventBody::Edit { notice, .. } | EventBody::Delete { notice, .. }) => {
                notice.clone()
            }
            _ => None,
        };
        (addressed_roles(&decision), notice, reported)
    };
    let [edit, delete, reaction, removed] = changes();
    let corrected = Some("Correction: {text}".to_owned());
    assert_eq!(
        outcome(&mut scenario, Role::Channel, edit.clone()),
        (vec![Role::Bot], corrected.clone(), false)
    );
    assert_eq!(outcome(&mut scenario, Role::Channel, delete.clone()), (vec![], None, true));
    assert_eq!(
        outcome(&mut scenario, Role::Channel, reaction.clone()),
        (vec![Role::Bot], None, false)
    );
    assert_eq!(outcome(&mut scenario, Role::Channel, removed.clone()), (vec![], None, true));

    let mut plain = Scenario::new(PLAIN, full_route());
    plain.send(Role::Channel, message("hi"));
    let withdrawn = Some("This message was withdrawn.".to_owned());
    assert_eq!(outcome(&mut plain, Role::Bot, edit), (vec![Role::Channel], corrected, false));
    assert_eq!(
        outcome(&mut plain, Role::Bot, delete.clone()),
        (vec![Role::Channel], withdrawn, false)
    );
    assert_eq!(outcome(&mut plain, Role::Bot, reaction), (vec![Role::Channel], None, false));
    assert_eq!(outcome(&mut plain, Role::Bot, removed), (vec![], None, true));
    plain.route.handover_policy.texts.clear();
    assert_eq!(outcome(&mut plain, Role::Bot, delete), (vec![], None, true), "there is no text");
}

#[test]
fn receipts_go_to_the_sender_of_the_message() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    scenario.send(Role::Bot, handover());
    let receipt = |connection: &str| EventBody::Receipt {
        message: "m".into(),
        target: Some(MessageReference {
            connection: connection.parse().unwrap(),
            message: "b".into(),
        }),
        status: ReceiptStatus::Read,
        reason: None,
    };
    assert_eq!(addressed_roles(&scenario.send(Role::Channel, receipt("bot"))), [Role::Bot]);
    assert_eq!(addressed_roles(&scenario.send(Role::Channel, receipt("desk"))), [Role::Desk]);
    let system = scenario.send(Role::Channel, receipt("trunkline"));
    assert_eq!(addressed_roles(&system), [], "receipts of system messages are dropped");
    assert_eq!(addressed_roles(&scenario.send(Role::Desk, receipt("shop"))), [Role::Channel]);
}

#[test]
fn customer_is_notified_once_about_unsupported_content() {
    let mut scenario = Scenario::new(RICH, full_route());
    let sticker =
        || EventBody::Opaque { is_message: true, name: "sticker".into(), raw: Value::Null };
    assert_eq!(customer_notices(&scenario.send(Role::Channel, sticker())), ["We cannot see this."]);
    assert_eq!(customer_notices(&scenario.send(Role::Channel, sticker())), Vec::<&str>::new());
    let bots = scenario.send(Role::Bot, sticker());
    assert_eq!(
        (bots.following[0].body.kind(), bots.following[0].targets[0].role),
        ("receipt", Role::Bot)
    );
}

#[test]
fn echo_is_not_delivered() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    for role in [Role::Channel, Role::Bot] {
        let session = scenario.session(role);
        let ours = event(scenario.seconds + 10, AuthorRole::Customer, message("agent"));
        let sender = Sender::Party { role, session: session.as_ref() };
        let echo = scenario.try_event(sender, &ours, true).unwrap();
        assert_eq!(
            (echo.disposition, echo.targets, echo.preceding),
            (Disposition::Echo, vec![], vec![])
        );
        let theirs = event(scenario.seconds + 10, AuthorRole::System, message("Ann is here."));
        let notice = scenario.try_event(sender, &theirs, false).unwrap();
        if role == Role::Channel {
            assert!(notice.targets.iter().all(|target| target.role == Role::Observer));
        }
    }
}

#[test]
fn agent_can_start_a_conversation() {
    let mut scenario = Scenario::new(RICH, full_route());
    let desk = Sender::Party { role: Role::Desk, session: None };
    let begins = |scenario: &mut Scenario, body| {
        let event = event(scenario.seconds + 10, AuthorRole::Agent, body);
        scenario.try_agent_initiated(desk, &event, false, true)
    };
    let typing = begins(&mut scenario, EventBody::Typing { active: true });
    assert_eq!(typing, Err(Refusal::UnknownConversation), "only a message can start one");
    let first = begins(&mut scenario, message("Your parcel is here.")).unwrap();
    assert_eq!((addressed_roles(&first), customer_notices(&first)), (vec![Role::Channel], vec![]));
    let handover = first.conversation.handover.clone().unwrap();
    assert_eq!((handover.trigger, handover.accepted_at.is_some()), (HandoverTrigger::Desk, true));
    let second = begins(&mut scenario, message("Come and get it.")).unwrap();
    assert_eq!(second.conversation.handover, Some(handover), "the same conversation");
    assert_eq!(addressed_roles(&scenario.send(Role::Channel, message("thanks"))), [Role::Desk]);

    // A conversation that the bot owns moves to the desk immediately.
    let mut bots = Scenario::new(RICH, full_route());
    bots.send(Role::Channel, message("hi"));
    assert_eq!(addressed_roles(&begins(&mut bots, message("It is me.")).unwrap()), [Role::Channel]);
    assert_eq!(bots.owner(), Owner::Desk);
}
