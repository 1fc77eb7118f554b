use super::*;
use crate::model::{Breaker, OnClose, Timer};

fn no_activity() -> Activity {
    Activity::default()
}

#[test]
fn accept_timer_fires_without_acceptance() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    let handed = scenario.send(Role::Bot, handover());
    let due = &handed.timers[0];
    assert_eq!(due.at, at(scenario.seconds + 60));
    let conversation = scenario.conversation.clone().unwrap();
    let policy = full_route().handover_policy;
    assert_eq!(
        evaluate(&due.timer, &conversation, &policy, no_activity(), at(scenario.seconds + 59)),
        TimerOutcome::Reschedule(due.at)
    );
    let TimerOutcome::Fire(body) =
        evaluate(&due.timer, &conversation, &policy, no_activity(), due.at)
    else {
        panic!()
    };
    assert_eq!(body.kind(), "handback");
    let close = HandoverPolicy { if_unanswered: OnClose::Close, ..policy.clone() };
    let TimerOutcome::Fire(closes) =
        evaluate(&due.timer, &conversation, &close, no_activity(), due.at)
    else {
        panic!()
    };
    assert_eq!(closes.kind(), "close");

    // An agent accepts at the same time: the timer no longer applies.
    let timer = due.timer.clone();
    let mut accepted = scenario.clone();
    accepted.send(Role::Desk, EventBody::Accept);
    let event = event(accepted.seconds + 10, AuthorRole::System, *body.clone());
    let cause = Sender::System(SystemTrigger::Timer(&timer));
    assert_eq!(accepted.try_event(cause, &event, false), Err(Refusal::NoChange));
    let conversation = accepted.conversation.unwrap();
    assert_eq!(
        evaluate(&timer, &conversation, &policy, no_activity(), at(10_000)),
        TimerOutcome::Obsolete
    );

    let back = scenario.try_event(cause, &event, false).unwrap();
    assert_eq!(
        (addressed_roles(&back), customer_notices(&back)),
        (vec![Role::Bot], vec!["No agent is available."])
    );
    assert_eq!((back.preceding[0].body.kind(), scenario.owner()), ("close", Owner::Bot));
}

#[test]
fn idle_timer_fires_when_the_agent_does_not_answer() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("agent"));
    let accepted = scenario.send(Role::Desk, EventBody::Accept);
    let (timer, since) = (accepted.timers[0].timer.clone(), at(scenario.seconds));
    let conversation = scenario.conversation.clone().unwrap();
    let evaluate_at = |activity, now| {
        evaluate(&timer, &conversation, &full_route().handover_policy, activity, now)
    };
    assert_eq!(
        evaluate_at(no_activity(), since),
        TimerOutcome::Reschedule(at(scenario.seconds + 120))
    );
    assert!(matches!(
        evaluate_at(no_activity(), at(scenario.seconds + 120)),
        TimerOutcome::Fire(_)
    ));
    let answered = Activity { last_desk_message_at: Some(at(500)), ..no_activity() };
    assert_eq!(
        evaluate_at(answered, at(1_000)),
        TimerOutcome::Reschedule(at(1_120)),
        "the customer has not replied"
    );
    let asked = Activity { first_unanswered_at: Some(at(900)), ..answered };
    assert_eq!(evaluate_at(asked, at(1_000)), TimerOutcome::Reschedule(at(1_020)));
    assert!(matches!(evaluate_at(asked, at(1_020)), TimerOutcome::Fire(_)));
}

#[test]
fn session_ttl_closes_conversation() {
    let mut scenario = Scenario::new(RICH, full_route());
    let first = scenario.send(Role::Channel, message("hi"));
    let (timer, conversation) =
        (first.timers[0].timer.clone(), scenario.conversation.clone().unwrap());
    let evaluate_at = |activity, now| {
        evaluate(&timer, &conversation, &full_route().handover_policy, activity, now)
    };
    assert_eq!(
        evaluate_at(no_activity(), at(100)),
        TimerOutcome::Reschedule(at(scenario.seconds + 3_600))
    );
    let spoke = Activity { last_message_at: Some(at(2_000)), ..no_activity() };
    assert_eq!(evaluate_at(spoke, at(4_000)), TimerOutcome::Reschedule(at(5_600)));
    let TimerOutcome::Fire(body) = evaluate_at(spoke, at(5_600)) else { panic!() };
    let over = event(5_600, AuthorRole::System, *body);
    let cause = Sender::System(SystemTrigger::Timer(&timer));
    let over = scenario.try_event(cause, &over, false).unwrap();
    assert_eq!(
        (addressed_roles(&over), over.conversation.phase),
        (vec![Role::Bot, Role::Channel], Phase::Closed)
    );
    assert_ne!(scenario.send(Role::Channel, message("hi")).conversation.id, over.conversation.id);
    let of_another = Timer::SessionTtl { conversation: over.conversation.id };
    let conversation = scenario.conversation.unwrap();
    let moot = super::evaluate(
        &of_another,
        &conversation,
        &full_route().handover_policy,
        no_activity(),
        at(99_999),
    );
    assert_eq!(moot, TimerOutcome::Obsolete);
}

#[test]
fn bot_outage_hands_over_after_bot_down_after() {
    let mut scenario = Scenario::new(RICH, full_route());
    scenario.send(Role::Channel, message("hi"));
    let conversation = scenario.conversation.clone().unwrap();
    let policy = HandoverPolicy { bot_down_after: Some(60), ..full_route().handover_policy };
    let down = Breaker { failures: 5, opened_at: Some(at(100)), probed_at: None };
    let shaky = Breaker { failures: 4, ..Breaker::default() };
    let evaluate_at = |breaker: &Breaker, waiting, now| {
        evaluate_bot_outage(&conversation, &policy, breaker, waiting, at(now))
    };
    assert_eq!(
        evaluate_at(&shaky, true, 1_000),
        TimerOutcome::Reschedule(at(1_060)),
        "the breaker is closed"
    );
    assert_eq!(evaluate_at(&down, true, 159), TimerOutcome::Reschedule(at(160)));
    assert!(matches!(
        evaluate_at(&down, true, 160),
        TimerOutcome::Fire(body) if matches!(*body, EventBody::Handover { .. })
    ));
    assert_eq!(evaluate_at(&down, false, 160), TimerOutcome::Obsolete, "no delivery is waiting");
    let never = full_route().handover_policy;
    assert_eq!(
        evaluate_bot_outage(&conversation, &never, &down, true, at(9_999)),
        TimerOutcome::Obsolete
    );
    scenario.send(Role::Bot, handover());
    let conversation = scenario.conversation.unwrap();
    assert_eq!(
        evaluate_bot_outage(&conversation, &policy, &down, true, at(200)),
        TimerOutcome::Reschedule(at(260))
    );
}
