//! Loops: Trunkline's own messages are never processed as new ones, and repeated events change nothing.

use trunkline_core::model::{Author, AuthorRole, Event, EventBody, Role};
use trunkline_testkit::{TestStack, ToyCall, close, handback, handover, message};

/// Returns the event with which a platform reports a message that it received from Trunkline.
fn echo(stack: &TestStack, connection: &str, conversation: &str, received: &ToyCall) -> Event {
    let id = received.delivery.id.as_str();
    let event = stack.event(connection, conversation, id, received.delivery.event.body.clone());
    Event { author: received.delivery.event.author.clone(), ..event }
}

async fn post(stack: &TestStack, connection: &str, event: Event) {
    let answer = stack.post(connection, &[event]).await;
    assert!(answer.is_success(), "{answer:?}");
    stack.run_until_idle().await;
}

#[tokio::test(start_paused = true)]
async fn echoed_notice_is_not_forwarded() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.send("channel", "c-1", "c-1", message("agent")).await;
    let notice = stack.toy.taken("channel").remove(0);
    assert_eq!(notice.summary(), "We look for somebody.");
    assert_eq!(notice.delivery.event.author.role, AuthorRole::System);
    // The channel reports the notice as a customer's message, and under an id of its own.
    let by_customer = Event {
        author: Author::nameless(AuthorRole::Customer),
        ..echo(&stack, "channel", "c-1", &notice)
    };
    let other_id = stack.event("channel", "c-1", "their-own-1", notice.delivery.event.body.clone());
    let other_id = Event { author: notice.delivery.event.author.clone(), ..other_id };
    for event in [by_customer, other_id] {
        post(&stack, "channel", event).await;
    }
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "agent"]);
    assert!(stack.toy.calls("bot").is_empty());
    assert_eq!(stack.toy.calls("channel").len(), 1, "no notice about the notice");
}

#[tokio::test(start_paused = true)]
async fn channels_that_copy_each_other_do_not_loop() {
    let stack = TestStack::with_bot().await;
    let route = Some("main".parse().unwrap());
    stack.connect("double", Role::Channel, |channel| channel.route = route).await;
    stack.send("channel", "thread", "a-1", message("hello")).await;
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", message("Hello to you.")).await;
    let shown = stack.toy.taken("channel").remove(0);
    // Each link copies a message of one channel to the other, as a customer's or under its own id.
    for connection in ["double", "channel"] {
        let event = echo(&stack, connection, "thread", &shown);
        let as_customer = Event { author: Author::nameless(AuthorRole::Customer), ..event.clone() };
        let id = format!("link-{connection}");
        let renamed = stack.event(connection, "thread", &id, event.body.clone());
        let renamed = Event { author: event.author.clone(), ..renamed };
        post(&stack, connection, as_customer).await;
        post(&stack, connection, renamed).await;
    }
    assert_eq!(stack.toy.heard("bot"), ["hello"]);
    assert_eq!(stack.toy.calls("channel").len(), 1);
    assert!(stack.toy.calls("double").is_empty());
}

/// Plays a conversation in which each event is sent `times` times, with an older event after each.
async fn conversation(times: usize) -> [Vec<String>; 3] {
    let stack = TestStack::with_desk(|_| ()).await;
    let steps: [(&str, EventBody); 14] = [
        ("channel", message("hello")),
        ("bot", message("hi")),
        ("channel", message("one")),
        ("bot", handover("asked")),
        ("channel", message("two")),
        ("desk", message("I am Ann")),
        ("bot", message("still me")),
        ("channel", message("three")),
        ("desk", handback("solved")),
        ("channel", message("four")),
        ("bot", handover("again")),
        ("desk", close("done")),
        ("channel", message("five")),
        ("bot", message("bye")),
    ];
    let mut sent: Vec<(&str, Event)> = Vec::new();
    for (i, (from, body)) in steps.into_iter().enumerate() {
        let conversation =
            if from == "channel" { "c-1".to_owned() } else { stack.toy.conversation(from) };
        sent.push((from, stack.event(from, &conversation, &format!("e-{i}"), body)));
        for round in 0..times {
            let older = &sent[(i * 7 + round) % sent.len()];
            let now = [sent.last(), Some(older).filter(|_| times > 1)];
            for (from, event) in now.into_iter().flatten() {
                stack.post(from, std::slice::from_ref(event)).await;
                stack.run_until_idle().await;
            }
        }
    }
    ["channel", "bot", "desk"].map(|connection| {
        let repeated = stack.toy.calls(connection).len() - stack.toy.taken(connection).len();
        assert_eq!(repeated, 0, "{connection} got a repeat");
        stack.toy.heard(connection)
    })
}

#[tokio::test(start_paused = true)]
async fn repeating_every_event_changes_nothing() {
    let once = conversation(1).await;
    assert_eq!(once[2], ["<handover>", "two", "three", "<handover>"]);
    assert_eq!(conversation(3).await, once);
}
