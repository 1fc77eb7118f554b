use super::*;
use crate::model::{Breaker, Then, Timer};

fn quiet() -> Activity {
    Activity::default()
}

#[test]
fn nobody_accepts() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("hi"));
    let handed = play.does(Role::Bot, handover());
    let due = &handed.timers[0];
    assert_eq!(due.at, at(play.seconds + 60));
    let held = play.held.clone().unwrap();
    let switching = both().switching;
    assert_eq!(
        look(&due.timer, &held, &switching, quiet(), at(play.seconds + 59)),
        Look::Later(due.at)
    );
    let Look::Due(body) = look(&due.timer, &held, &switching, quiet(), due.at) else { panic!() };
    assert_eq!(body.kind(), "handback");
    let close = Switching { if_nobody: Then::Close, ..switching.clone() };
    let Look::Due(closes) = look(&due.timer, &held, &close, quiet(), due.at) else { panic!() };
    assert_eq!(closes.kind(), "close");

    // Somebody accepts just then: it is not taken away any more.
    let timer = due.timer.clone();
    let mut accepted = play.clone();
    accepted.does(Role::Desk, EventBody::Accept);
    let event = event(accepted.seconds + 10, AuthorRole::System, body.clone());
    let cause = Sender::House(Cause::Timer(&timer));
    assert_eq!(accepted.try_event(cause, &event, false), Err(Refusal::Moot));
    let held = accepted.held.unwrap();
    assert_eq!(look(&timer, &held, &switching, quiet(), at(10_000)), Look::Moot);

    let back = play.try_event(cause, &event, false).unwrap();
    assert_eq!((addressed(&back), told(&back)), (vec![Role::Bot], vec!["Nobody is there."]));
    assert_eq!((back.before[0].body.kind(), play.owner()), ("close", Owner::Bot));
}

#[test]
fn the_agent_does_not_answer() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("agent"));
    let accepted = play.does(Role::Desk, EventBody::Accept);
    let (timer, since) = (accepted.timers[0].timer.clone(), at(play.seconds));
    let held = play.held.clone().unwrap();
    let look = |activity, now| look(&timer, &held, &both().switching, activity, now);
    assert_eq!(look(quiet(), since), Look::Later(at(play.seconds + 120)));
    assert!(matches!(look(quiet(), at(play.seconds + 120)), Look::Due(_)));
    let answered = Activity { desk: Some(at(500)), ..quiet() };
    assert_eq!(look(answered, at(1_000)), Look::Later(at(1_120)), "the customer's turn");
    let asked = Activity { unanswered: Some(at(900)), ..answered };
    assert_eq!(look(asked, at(1_000)), Look::Later(at(1_020)));
    assert!(matches!(look(asked, at(1_020)), Look::Due(_)));
}

#[test]
fn silence_ends_a_conversation() {
    let mut play = Play::on(Platform::Webhook, both());
    let first = play.does(Role::Channel, says("hi"));
    let (timer, held) = (first.timers[0].timer.clone(), play.held.clone().unwrap());
    let look = |activity, now| look(&timer, &held, &both().switching, activity, now);
    assert_eq!(look(quiet(), at(100)), Look::Later(at(play.seconds + 3_600)));
    let spoke = Activity { anybody: Some(at(2_000)), ..quiet() };
    assert_eq!(look(spoke, at(4_000)), Look::Later(at(5_600)));
    let Look::Due(body) = look(spoke, at(5_600)) else { panic!() };
    let over = event(5_600, AuthorRole::System, body);
    let cause = Sender::House(Cause::Timer(&timer));
    let over = play.try_event(cause, &over, false).unwrap();
    assert_eq!(
        (addressed(&over), over.conversation.phase),
        (vec![Role::Bot, Role::Channel], Phase::Closed)
    );
    assert_ne!(play.does(Role::Channel, says("hi")).conversation.id, over.conversation.id);
    let of_another = Timer::SessionTtl { conversation: over.conversation.id };
    let held = play.held.unwrap();
    let moot = super::look(&of_another, &held, &both().switching, quiet(), at(99_999));
    assert_eq!(moot, Look::Moot);
}

#[test]
fn only_a_bot_that_is_down_for_long_enough_is_left() {
    let mut play = Play::on(Platform::Webhook, both());
    play.does(Role::Channel, says("hi"));
    let held = play.held.clone().unwrap();
    let switching = Switching { bot_down_after: Some(60), ..both().switching };
    let down = Breaker { failures: 5, opened_at: Some(at(100)), probed_at: None };
    let shaky = Breaker { failures: 4, ..Breaker::default() };
    let look =
        |breaker: &Breaker, waiting, now| look_at_bot(&held, &switching, breaker, waiting, at(now));
    assert_eq!(look(&shaky, true, 1_000), Look::Later(at(1_060)), "failing is not down");
    assert_eq!(look(&down, true, 159), Look::Later(at(160)));
    assert!(matches!(look(&down, true, 160), Look::Due(EventBody::Handover { .. })));
    assert_eq!(look(&down, false, 160), Look::Moot, "nothing waits for it");
    let never = both().switching;
    assert_eq!(look_at_bot(&held, &never, &down, true, at(9_999)), Look::Moot);
    play.does(Role::Bot, handover());
    let held = play.held.unwrap();
    assert_eq!(look_at_bot(&held, &switching, &down, true, at(200)), Look::Later(at(260)));
}
