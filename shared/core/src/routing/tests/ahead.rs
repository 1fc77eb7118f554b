//! A desk with copies has the conversation from its start, before any handover.

use super::*;
use crate::model::{Author, Target};

/// A scenario whose desk receives copies.
fn with_copies() -> Scenario {
    let desk = Some(party("desk", RICH, true));
    let mut scenario =
        Scenario::new(RICH, ResolvedRoute { desk, observers: Vec::new(), ..full_route() });
    scenario.route.bot = Some(party("bot", RICH, false));
    scenario
}

fn desks(targets: &[Target]) -> Vec<&Target> {
    targets.iter().filter(|target| target.role == Role::Desk).collect()
}

/// Sends a message of the desk in the session that copies opened.
fn send_ahead(scenario: &mut Scenario, role: AuthorRole, text: &str) -> Decision {
    let session = SessionId::from(&scenario.conversation.as_ref().unwrap().id);
    let mut event = event(scenario.seconds + 10, role, message(text));
    event.author = Author { role, name: Some("Ann".into()) };
    let sender = Sender::Party { role: Role::Desk, session: Some(&session) };
    scenario.try_event(sender, &event, false).unwrap()
}

/// Shows U13.
#[test]
fn the_desk_receives_copies_until_the_first_handover() {
    let mut scenario = with_copies();
    for _ in 0..2 {
        let decision = scenario.send(Role::Channel, message("Hello"));
        let copies = desks(&decision.targets);
        assert_eq!(copies.len(), 1);
        assert!(copies[0].copy && copies[0].session_id.is_none());
        assert_eq!(addressed_roles(&decision), [Role::Bot]);
    }
    scenario.send(Role::Bot, handover());
    let decision = scenario.send(Role::Channel, message("Hello?"));
    assert!(!desks(&decision.targets)[0].copy, "the desk is the owner");
    scenario.send(Role::Desk, handback());
    let decision = scenario.send(Role::Channel, message("Thanks"));
    assert!(desks(&decision.targets).is_empty(), "its conversation has ended");
}

/// Shows U13.
#[test]
fn an_agents_message_in_that_conversation_takes_it_over() {
    let mut scenario = with_copies();
    scenario.send(Role::Channel, message("Hello"));
    let decision = send_ahead(&mut scenario, AuthorRole::Agent, "I am here.");
    assert_eq!((scenario.owner(), addressed_roles(&decision)), (Owner::Desk, vec![Role::Channel]));
    assert_eq!(customer_notices(&decision), ["Ann is here."]);
    // Until the desk has opened its own session, its messages name the first one.
    let decision = send_ahead(&mut scenario, AuthorRole::Agent, "How can I help?");
    assert_eq!(addressed_roles(&decision), [Role::Channel]);
    let decision = scenario.send(Role::Channel, message("My order"));
    assert!(desks(&decision.targets)[0].session_id.is_some());
}

/// Shows U9, U13.
#[test]
fn only_people_at_the_desk_take_over_or_accept() {
    for role in [AuthorRole::Bot, AuthorRole::System, AuthorRole::Participant] {
        let mut scenario = with_copies();
        scenario.send(Role::Channel, message("Hello"));
        let decision = send_ahead(&mut scenario, role, "Hi");
        assert_eq!((scenario.owner(), decision.disposition), (Owner::Bot, Disposition::NotOwner));
    }
    let mut scenario = with_copies();
    scenario.send(Role::Channel, message("agent"));
    let session = scenario.session(Role::Desk);
    let sender = Sender::Party { role: Role::Desk, session: session.as_ref() };
    let other = event(20, AuthorRole::Participant, message("I am her brother"));
    let decision = scenario.try_event(sender, &other, false).unwrap();
    assert_eq!(addressed_roles(&decision), [Role::Channel], "the message is passed on");
    let handover = scenario.conversation.as_ref().unwrap().handover.as_ref().unwrap();
    assert_eq!(handover.accepted_at, None, "another visitor does not accept the handover");
}

/// Shows U13.
#[test]
fn the_end_of_a_conversation_without_handover_is_told_to_the_desk() {
    let mut scenario = with_copies();
    scenario.send(Role::Channel, message("Hello"));
    let decision = scenario.send(Role::Bot, close());
    let ended: Vec<_> =
        decision.following.iter().filter(|said| said.name == "closed_ahead").collect();
    assert_eq!(ended.len(), 1);
    assert!(desks(&ended[0].targets)[0].copy);
    let mut scenario = with_copies();
    scenario.send(Role::Channel, message("agent"));
    let decision = scenario.send(Role::Desk, close());
    assert!(decision.following.iter().all(|said| said.name != "closed_ahead"));
}
