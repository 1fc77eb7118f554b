//! The transcript that a desk or bot receives with a conversation, and the watch on a bot that is down.

use jiff::SignedDuration;
use trunkline_core::model::{
    Choice, Content, EventBody, HandoverPolicy, Media, Owner, Role, TranscriptEntry,
    TranscriptStart,
};
use trunkline_testkit::{Reply, TestStack, choice, close, message};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

async fn with_desk(policy: impl FnOnce(&mut HandoverPolicy)) -> TestStack {
    TestStack::with_desk(policy).await
}

/// Sends messages of a customer with these texts.
async fn say(stack: &TestStack, customer: &str, texts: &[&str]) {
    for text in texts {
        let id = format!("{customer} {}", text.chars().take(20).collect::<String>());
        stack.send("channel", customer, &id, message(text)).await;
    }
}

/// Returns the transcript in the last handover or hand-back that a connection received.
fn transcript(stack: &TestStack, connection: &str) -> Vec<TranscriptEntry> {
    let calls = stack.toy.taken(connection).into_iter().rev();
    let mut found = calls.filter_map(|call| call.delivery.event.body.transcript().cloned());
    found.next().unwrap().entries
}

fn texts(entries: &[TranscriptEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.content.text.as_deref().unwrap_or("-")).collect()
}

#[tokio::test(start_paused = true)]
async fn transcript_has_as_many_messages_as_the_route_asks_for() {
    let stack = with_desk(|policy| policy.transcript = 2).await;
    say(&stack, "c-1", &["one", "two", "three", "agent"]).await;
    assert_eq!(texts(&transcript(&stack, "desk")), ["two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn route_without_a_transcript_passes_on_none() {
    let stack = with_desk(|policy| policy.transcript = 0).await;
    say(&stack, "c-1", &["one", "agent"]).await;
    assert_eq!(stack.toy.heard("desk"), ["<handover>", "agent"]);
    assert!(transcript(&stack, "desk").is_empty());
}

/// Hands over, back, and over again. Returns the texts of the second transcript for the desk.
async fn second_transcript(since: TranscriptStart) -> Vec<String> {
    let stack = with_desk(|policy| policy.transcript_since = since).await;
    say(&stack, "c-1", &["before", "agent"]).await;
    stack.send("desk", &stack.toy.conversation("desk"), "d-1", message("Hello.")).await;
    stack.send("desk", &stack.toy.conversation("desk"), "d-2", close("solved")).await;
    stack.send("channel", "c-1", "c-3", message("after")).await;
    stack.send("channel", "c-1", "c-4", message("agent")).await;
    texts(&transcript(&stack, "desk")).into_iter().map(ToOwned::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn transcript_starts_with_the_conversation_or_with_the_last_hand_back() {
    assert_eq!(
        second_transcript(TranscriptStart::Start).await,
        ["before", "agent", "Hello.", "after"]
    );
    assert_eq!(second_transcript(TranscriptStart::Handback).await, ["after"]);
}

#[tokio::test(start_paused = true)]
async fn transcript_has_no_messages_of_an_earlier_conversation() {
    let stack = with_desk(|_| ()).await;
    say(&stack, "c-1", &["old"]).await;
    stack.send("channel", "c-1", "c-2", close("done")).await;
    say(&stack, "c-2", &["of another customer"]).await;
    say(&stack, "c-1", &["new", "agent"]).await;
    assert_eq!(texts(&transcript(&stack, "desk")), ["new"]);
}

#[tokio::test(start_paused = true)]
async fn transcript_is_limited_to_the_newest_64_kib_of_text() {
    let stack = with_desk(|_| ()).await;
    let long = |c: &str| c.repeat(30 * 1024);
    let (a, b, c) = (long("a"), long("b"), long("c"));
    say(&stack, "c-1", &[&a, &b, &c, "agent"]).await;
    assert_eq!(texts(&transcript(&stack, "desk")), [b.as_str(), &c]);
}

#[tokio::test(start_paused = true)]
async fn copy_of_a_handover_has_no_transcript() {
    let stack = with_desk(|_| ()).await;
    stack.connect("bot", Role::Bot, |bot| bot.copies = true).await;
    say(&stack, "c-1", &["one", "agent"]).await;
    let heard = stack.toy.heard("bot");
    assert!(heard.contains(&"<handover> (copy)".to_owned()), "{heard:?}");
    assert!(transcript(&stack, "bot").is_empty());
    assert_eq!(texts(&transcript(&stack, "desk")), ["one"]);
}

/// Sends a message of the bot with choices.
async fn ask(stack: &TestStack, id: &str, choices: &[(&str, &str)]) {
    let choices = choices
        .iter()
        .map(|(id, title)| Choice { id: (*id).to_owned(), title: (*title).to_owned() });
    let content = Content { choices: choices.collect(), ..Content::text(id) };
    let body = EventBody::Message { content, metadata: serde_json::Map::new() };
    stack.send("bot", &stack.toy.conversation("bot"), id, body).await;
}

#[tokio::test(start_paused = true)]
async fn choice_has_the_title_that_was_offered_last_before_it() {
    let stack = with_desk(|_| ()).await;
    say(&stack, "c-1", &["hi"]).await;
    ask(&stack, "b-1", &[("1", "Parcel"), ("2", "Bill")]).await;
    stack.send("channel", "c-1", "x-1", choice("1")).await;
    ask(&stack, "b-2", &[("1", "Yes"), ("2", "No")]).await;
    stack.send("channel", "c-1", "x-2", choice("1")).await;
    stack.send("channel", "c-1", "x-3", choice("unknown")).await;
    say(&stack, "c-1", &["agent"]).await;
    assert_eq!(
        texts(&transcript(&stack, "desk")),
        ["hi", "b-1", "Parcel", "b-2", "Yes", "unknown"]
    );
}

#[tokio::test(start_paused = true)]
async fn transcript_has_media_and_no_typing_or_receipts() {
    let stack = with_desk(|_| ()).await;
    let media = vec![Media {
        url: "https://example.com/a.png".into(),
        mime_type: None,
        name: None,
        ..Media::default()
    }];
    let content = Content { media: media.clone(), ..Content::default() };
    let picture = EventBody::Message { content, metadata: serde_json::Map::new() };
    stack.send("channel", "c-1", "c-1", picture).await;
    stack.send("channel", "c-1", "c-2", EventBody::Typing { active: true }).await;
    say(&stack, "c-1", &["agent"]).await;
    let entries = transcript(&stack, "desk");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].content.media, media);
}

/// Returns whether a scheduled task checks on the bot.
fn is_watched(stack: &TestStack) -> bool {
    stack.sqs.messages("test-tasks").iter().any(|task| task.body.contains("check_bot_down"))
}

#[tokio::test(start_paused = true)]
async fn bot_is_watched_only_if_its_route_asks_for_it() {
    for (bot_down_after, expected) in [(None, false), (Some(30), true)] {
        let stack = with_desk(|policy| policy.bot_down_after = bot_down_after).await;
        stack.toy.always("bot", Reply::Status(503));
        say(&stack, "c-1", &["hi"]).await;
        assert_eq!(stack.parked("bot").await.len(), 1);
        assert_eq!(is_watched(&stack), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn bot_that_only_misses_copies_is_not_watched() {
    let stack = with_desk(|policy| policy.bot_down_after = Some(30)).await;
    stack.connect("bot", Role::Bot, |bot| bot.copies = true).await;
    say(&stack, "c-1", &["agent"]).await;
    stack.toy.always("bot", Reply::Status(503));
    say(&stack, "c-1", &["for the desk"]).await;
    assert!(stack.parked("bot").await[0].delivery.to.copy);
    assert!(!is_watched(&stack));
}

#[tokio::test(start_paused = true)]
async fn bot_that_recovers_in_time_keeps_its_conversations() {
    let stack = with_desk(|policy| policy.bot_down_after = Some(30)).await;
    stack.toy.always("bot", Reply::Status(503));
    say(&stack, "c-1", &["hi"]).await;
    stack.advance(seconds(10)).await;
    assert!(stack.breaker("bot").await.is_open());
    stack.toy.always("bot", None);
    stack.advance(seconds(120)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
    assert!(stack.toy.calls("desk").is_empty());
    assert_eq!(stack.conversation("channel", "c-1").await.owner(), Owner::Bot);
    assert!(!is_watched(&stack), "the watch ends");
}
