//! Handover from the bot to the desk, and back.

use trunkline_core::model::Event;
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, EventBody, HandoverMode, Owner, Participation, Role,
    Transcript,
};
use trunkline_testkit::{TestStack, choice, close, handback, handover, message};

async fn with_desk() -> TestStack {
    TestStack::with_desk(|_| ()).await
}

/// Sends an event of the agent Ann.
async fn ann(stack: &TestStack, conversation: &str, id: &str, body: EventBody) {
    let author = Author { role: AuthorRole::Agent, name: Some("Ann".into()) };
    let event = Event { author, ..stack.event("desk", conversation, id, body) };
    let answer = stack.post("desk", &[event]).await;
    assert!(answer.is_success(), "{id}: {answer:?}");
    stack.run_until_idle().await;
}

/// Returns the lines of the transcript in call number `index` of a connection.
fn lines(stack: &TestStack, connection: &str, index: usize) -> Vec<(AuthorRole, String)> {
    let call = stack.toy.taken(connection).remove(index);
    let transcript = call.delivery.event.body.transcript().unwrap().clone();
    let line = |entry: trunkline_core::model::TranscriptEntry| {
        (entry.author.role, entry.content.text.unwrap_or_default())
    };
    transcript.entries.into_iter().map(line).collect()
}

fn line(role: AuthorRole, text: &str) -> (AuthorRole, String) {
    (role, text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn desk_gets_the_transcript_and_then_the_message_that_asked_for_it() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("Where is my parcel?")).await;
    let bot = stack.toy.conversation("bot");
    stack.send("bot", &bot, "b-1", message("Which one?")).await;
    stack.send("channel", "c-1", "c-2", message("Agent!")).await;
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "Agent!"]);
    assert_eq!(
        lines(&stack, "desk", 0),
        [line(AuthorRole::Customer, "Where is my parcel?"), line(AuthorRole::Bot, "Which one?")]
    );
    assert_ne!(stack.toy.conversation("desk"), bot);
}

#[tokio::test(start_paused = true)]
async fn bot_gets_the_conversation_back_with_what_the_agents_said() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    stack.send("channel", "c-1", "c-2", message("agent")).await;
    let desk = stack.toy.conversation("desk");
    ann(&stack, &desk, "d-1", message("Hello, I am Ann.")).await;
    ann(&stack, &desk, "d-2", message("It comes today.")).await;
    ann(&stack, &desk, "d-3", close("solved")).await;
    assert_eq!(
        stack.toy.heard("channel"),
        [
            "We look for somebody.",
            "Ann is here.",
            "Ann: Hello, I am Ann.",
            "Ann: It comes today.",
            "Ann has left.",
        ]
    );
    assert_eq!(stack.toy.heard("bot"), ["hi", "<handback>"]);
    assert_eq!(
        lines(&stack, "bot", 1),
        [
            line(AuthorRole::Customer, "agent"),
            line(AuthorRole::Agent, "Hello, I am Ann."),
            line(AuthorRole::Agent, "It comes today.")
        ]
    );
    assert_eq!(stack.toy.conversation("bot"), bot, "the bot's id of it stays the same");
}

#[tokio::test(start_paused = true)]
async fn second_handover_has_a_new_session_at_the_desk() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    stack.send("bot", &bot, "b-1", handover("asked")).await;
    let first = stack.toy.conversation("desk");
    ann(&stack, &first, "d-1", close("solved")).await;
    let pass = EventBody::Handover {
        mode: HandoverMode::Pass,
        reason: Some("again".into()),
        context: [("order".to_owned(), 7.into())].into_iter().collect(),
        transcript: Transcript::default(),
    };
    stack.send("bot", &bot, "b-2", pass).await;
    assert_ne!(stack.toy.conversation("desk"), first);
    let conversation = stack.conversation("channel", "c-1").await;
    assert_eq!(conversation.participation(Owner::Desk), Participation::Active, "a pass");
    assert_eq!(conversation.participation(Owner::Bot), Participation::Standby);
    let late = stack.try_send("desk", &first, "d-2", message("Old news")).await;
    assert_eq!((late.status, late.code()), (409, "not_owner"));
}

#[tokio::test(start_paused = true)]
async fn messages_while_pending_reach_the_desk_only() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", handover("asked")).await;
    for i in 2..6 {
        let text = format!("waiting {i}");
        stack.send("channel", "c-1", &format!("c-{i}"), message(&text)).await;
    }
    let expected = ["<handover>", "waiting 2", "waiting 3", "waiting 4", "waiting 5"];
    assert_eq!(stack.toy.heard("desk"), expected);
    let conversation = stack.conversation("channel", "c-1").await;
    assert_eq!(conversation.participation(Owner::Desk), Participation::Pending);
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
    assert_eq!(stack.toy.heard("channel"), ["We look for somebody."]);
    ann(&stack, &stack.toy.conversation("desk"), "d-1", EventBody::Accept).await;
    assert_eq!(stack.toy.heard("channel")[1], "Ann is here.");
}

#[tokio::test(start_paused = true)]
async fn late_reply_of_the_bot_is_recorded_and_not_delivered() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    stack.send("channel", "c-1", "c-2", message("agent")).await;
    for _ in 0..2 {
        let refused = stack.try_send("bot", &bot, "b-1", message("Still me!")).await;
        assert_eq!((refused.status, refused.code()), (409, "not_owner"), "also a duplicate");
    }
    assert_eq!(stack.toy.heard("channel"), ["We look for somebody."]);
    let transcript = stack.transcript("channel", "c-1").await;
    let late = transcript.iter().find(|one| one.event.body == message("Still me!"));
    assert!(late.is_some_and(|late| late.targets.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn close_before_an_agent_accepted_returns_to_the_bot() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("agent")).await;
    stack.send("desk", &stack.toy.conversation("desk"), "d-1", close("")).await;
    stack.send("channel", "c-1", "c-2", message("thanks")).await;
    assert_eq!(stack.toy.heard("bot"), ["<handback>", "thanks"]);
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", message("Bye.")).await;
    assert_eq!(stack.toy.heard("channel")[1..], ["No agent is available.", "Bye."]);
    assert_eq!(stack.toy.heard("desk").len(), 2, "nothing after the close");
}

#[tokio::test(start_paused = true)]
async fn keywords_of_the_customer_switch_the_owner_with_texts_in_their_language() {
    let stack = with_desk().await;
    let event = stack.event("channel", "c-1", "c-1", message("agent"));
    let event = Event { language: Some("nl-BE".into()), ..event };
    assert!(stack.post("channel", &[event]).await.is_success());
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("channel"), ["We zoeken iemand."]);
    stack.send("channel", "c-1", "c-2", message("Robot")).await;
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "agent", "<close>"]);
    assert_eq!(stack.toy.heard("bot"), ["<handback>", "Robot"]);
}

/// Returns an offered handover with this context.
fn offer(context: [(String, serde_json::Value); 1]) -> EventBody {
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context: context.into_iter().collect(),
        transcript: Transcript::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn parties_are_refused_what_they_may_not_send() {
    let stack = with_desk().await;
    let refusal = async |from: &str, conversation: &str, id: &str, body: EventBody| {
        let answer = stack.try_send(from, conversation, id, body).await;
        (answer.status, answer.code().to_owned())
    };
    let expected = |status: u16, code: &str| (status, code.to_owned());
    let unknown = refusal("desk", "nowhere", "d-0", message("hi")).await;
    assert_eq!(unknown, expected(404, "unknown_conversation"));
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    let unexpected = expected(422, "unexpected_event");
    let nested = offer([("a".to_owned(), serde_json::json!({"b": 1}))]);
    assert_eq!(refusal("bot", &bot, "b-1", nested).await, expected(422, "context_not_flat"));
    let large = offer([("a".to_owned(), "x".repeat(5_000).into())]);
    assert_eq!(refusal("bot", &bot, "b-2", large).await, expected(422, "context_too_large"));
    assert_eq!(refusal("bot", &bot, "b-3", handback("")).await, unexpected);
    assert_eq!(refusal("channel", "c-1", "c-2", EventBody::Accept).await, unexpected);
    stack.send("channel", "c-1", "c-3", message("agent")).await;
    let desk = stack.toy.conversation("desk");
    assert_eq!(refusal("desk", &desk, "d-1", choice("x")).await, unexpected);
    assert_eq!(refusal("desk", &desk, "d-2", handover("")).await, unexpected);
    let not_owner = expected(409, "not_owner");
    assert_eq!(refusal("bot", &bot, "b-4", message("x")).await, not_owner);
    assert_eq!(refusal("bot", &bot, "b-5", handover("")).await, not_owner);
    stack.send("channel", "c-1", "c-4", close("")).await;
    assert_eq!(stack.toy.heard("desk")[2], "<close>");
    for (from, conversation) in [("bot", &bot), ("desk", &desk)] {
        let closed = refusal(from, conversation, "late", message("x")).await;
        assert_eq!(closed, expected(409, "conversation_closed"));
    }
}

#[tokio::test(start_paused = true)]
async fn transcript_shows_the_title_of_a_choice() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let choices = [("opt-1", "A parcel"), ("opt-2", "A bill")];
    let choices = choices.map(|(id, title)| Choice { id: id.into(), title: title.into() });
    let content = Content { choices: choices.into(), ..Content::text("What about?") };
    let asks = EventBody::Message { content, metadata: serde_json::Map::new() };
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", asks).await;
    stack.send("channel", "c-1", "c-2", choice("opt-2")).await;
    stack.send("channel", "c-1", "c-3", message("agent")).await;
    let texts: Vec<_> = lines(&stack, "desk", 0).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["hi", "What about?", "A bill"]);
}

#[tokio::test(start_paused = true)]
async fn open_conversation_keeps_its_desk_when_the_route_changes() {
    let stack = with_desk().await;
    stack.send("channel", "c-1", "c-1", message("agent")).await;
    let desk = stack.toy.conversation("desk");
    stack.connect("bot-2", Role::Bot, |_| ()).await;
    stack.connect("desk-2", Role::Desk, |_| ()).await;
    let change = |route: &mut trunkline_core::model::Route| {
        route.bot = Some("bot-2".parse().unwrap());
        route.desk = Some("desk-2".parse().unwrap());
    };
    stack.route("main", change).await;
    stack.send("channel", "c-1", "c-2", message("still there?")).await;
    assert_eq!(stack.toy.heard("desk")[2], "still there?");
    ann(&stack, &desk, "d-1", message("Yes.")).await;
    assert!(stack.toy.calls("desk-2").is_empty());
    ann(&stack, &desk, "d-2", close("")).await;
    stack.send("channel", "c-1", "c-3", message("bye")).await;
    assert_eq!(
        stack.toy.heard("bot-2"),
        ["<handback>", "bye"],
        "the bot that serves the route now"
    );
    assert!(stack.toy.heard("bot").is_empty());
}

#[tokio::test(start_paused = true)]
async fn route_without_a_bot_starts_at_the_desk() {
    let stack = with_desk().await;
    stack.route("main", |route| route.bot = None).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "hi"]);
    let desk = stack.toy.conversation("desk");
    let back = stack.try_send("desk", &desk, "d-1", handback("")).await;
    assert_eq!((back.status, back.code()), (422, "no_bot"));
    stack.send("desk", &desk, "d-2", close("")).await;
    stack.send("channel", "c-1", "c-2", message("hi again")).await;
    assert_eq!(stack.toy.heard("desk")[2..], ["<handover>", "hi again"]);
    assert_ne!(stack.toy.conversation("desk"), desk);
}
