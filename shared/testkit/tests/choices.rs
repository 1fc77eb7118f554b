//! Choices: what observers learn about the message that offered one.

use trunkline_core::model::{Author, AuthorRole, Choice, Content, Event, EventBody, Role};
use trunkline_testkit::{TestStack, choice, message};

/// A stack with an observer that receives long messages in parts, and the question of its bot.
async fn asked(single_use: bool) -> TestStack {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.connect("watch", Role::Observer, |watch| watch.presentation.text_limit = Some(20)).await;
    stack.route("main", |route| route.observers = vec!["watch".parse().unwrap()]).await;
    stack.send("channel", "c-1", "m-1", message("hi")).await;
    let choices = vec![Choice { id: "r".into(), title: "Refund".into() }];
    let text = "This is longer than the observer allows.";
    let content = Content { choices, single_use, ..Content::text(text) };
    let asks = EventBody::Message { content, metadata: serde_json::Map::new() };
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", asks).await;
    stack
}

/// Shows S11.
#[tokio::test(start_paused = true)]
async fn observers_learn_which_delivery_offered_a_choice() {
    let stack = asked(false).await;
    stack.send("channel", "c-1", "m-2", choice("r")).await;
    stack.send("channel", "c-1", "m-3", message("refund")).await;
    let mut taken = stack.toy.taken("watch");
    let picks = taken.split_off(taken.len() - 2);
    let question = taken.pop().unwrap().delivery;
    assert!(question.to.part > 0 && question.to.last_part, "{question:?}");
    for pick in picks {
        let pick = pick.delivery;
        let source = pick.event.choice_source.clone().unwrap();
        let offered = source.delivery_to(&pick.to.connection, &pick.key);
        assert_eq!(offered, (question.id.clone(), question.to.part));
        assert_eq!(source.at, question.event.at);
    }
}

/// Shows S24.
#[tokio::test(start_paused = true)]
async fn a_second_selection_of_a_single_use_offer_is_a_text() {
    let stack = asked(true).await;
    for id in ["m-2", "m-3"] {
        stack.send("channel", "c-1", id, choice("r")).await;
    }
    assert_eq!(stack.toy.heard("bot"), ["hi", "[r]", "Refund"]);
}

/// Shows S10.
#[tokio::test(start_paused = true)]
async fn a_choice_on_the_bots_platform_reaches_observers_and_the_transcript() {
    let stack = asked(false).await;
    let picked = EventBody::Choice { id: "r".into(), title: Some("Refund".into()), typed: None };
    let event = stack.event("bot", &stack.toy.conversation("bot"), "b-2", picked);
    let event = Event { author: Author::nameless(AuthorRole::Customer), ..event };
    assert!(stack.post("bot", &[event]).await.is_success());
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("watch").last().unwrap(), "[r] (copy)");
    assert_eq!(stack.toy.heard("bot"), ["hi"], "the bot has it already");
    stack.send("channel", "c-1", "m-4", message("agent")).await;
    let handover = stack.toy.taken("desk").remove(0).delivery.event.body;
    let last = handover.transcript().unwrap().entries.last().unwrap();
    assert_eq!(
        (last.author.role, last.content.text.as_deref()),
        (AuthorRole::Customer, Some("Refund"))
    );
}
