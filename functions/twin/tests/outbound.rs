//! Chats against the mock TWIN, over real HTTP.

use crate::common::{CONVERSATION, Leg, events, map, message, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, EarlierMessage, EventBody, EventId, HandoverMode, Media,
    MessageReference, ReceiptStatus, Transcript, TranscriptEntry, Verdict,
};
use trunkline_runtime::outbound::Attempt;
use trunkline_twin_mock::{Accepted, EMAIL, PASSWORD, Twin24, plain_http};

/// A mock TWIN, and a leg that reads answers in responses unless the settings say otherwise.
pub async fn twin_and_leg(mut settings: Value) -> (Twin24, Leg) {
    let twin = Twin24::start(plain_http()).await;
    settings["answers"] = settings.get("answers").cloned().unwrap_or(json!("response"));
    let leg = Leg::new("bot", &twin.settings(&settings));
    (twin, leg)
}

pub fn log_in(leg: &mut Leg) {
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
}

pub fn verdict(attempt: &Attempt) -> Verdict {
    attempt.classification.verdict
}

/// Shows T2, T3, T4, T9, T10, T12, T14, T20, T21, T22.
#[tokio::test]
async fn the_first_message_starts_a_session_and_gets_answers_in_the_response() {
    let settings = json!({"messenger_type": "TELEGRAM", "bot_id": trunkline_twin_mock::BOT});
    let (twin, mut leg) = twin_and_leg(settings).await;
    twin.queue_reply(
        json!([{"body": "Hi! Choose:", "answers": ["Order", "Refund"]}, {"body": "?"}]),
    );
    let attempt = leg.say("Hello").await;
    assert_eq!(verdict(&attempt), Verdict::Delivered, "{attempt:?}");
    let session = leg.session.clone().unwrap();
    assert_eq!(session.external_conversation_id.as_str(), twin.sessions()[0]);
    assert_eq!(session.id, CONVERSATION);
    assert!(session.platform_data.contains_key("client") && !session.needs_listener);
    assert!(
        attempt.classification.external_message_id.is_some(),
        "the message's id, if TWIN returns one"
    );

    assert_eq!(attempt.reply_events.len(), 2);
    assert_eq!(text(&attempt.reply_events[0]), "Hi! Choose:");
    assert_eq!(attempt.reply_events[0].external_conversation_id, session.external_conversation_id);
    assert_eq!(attempt.reply_events[0].author.role, AuthorRole::Bot);
    assert_ne!(attempt.reply_events[0].id, attempt.reply_events[1].id);

    // Field by field as in the fact sheet's example; the other members are Trunkline's.
    let expected: Value = serde_json::from_str(include_str!("../fixtures/start.json")).unwrap();
    let sent = &twin.accepted()[0].body;
    for field in
        ["sessionTtl", "messengerType", "messengerUserId", "messageBody", "clientNameForOperator"]
    {
        assert_eq!(sent[field], expected[field], "{field}");
    }
    assert_eq!(sent["name"], CONVERSATION);
    assert_eq!(sent["clientExternalId"], "shop:hub-user-4711");
    assert_eq!(sent["clientMetadata"], json!({"channel": "shop", "language": "en"}));
    assert_eq!(sent["botId"], trunkline_twin_mock::BOT);
    assert_eq!(sent["returnAnswerAsync"], false);
}

/// Shows T27, T28.
#[tokio::test]
async fn a_reply_names_the_message_that_it_answers() {
    let (twin, mut leg) = twin_and_leg(json!({"answers": "socket"})).await;
    leg.say("Hello").await;
    let operators = twin.operator_says(leg.external_id(), "Olga", "Which one?").await;
    let mut earlier = EarlierMessage::new("m-1", EventId::from_parts(&["m", "1"]));
    let connection = leg.connection.id.clone();
    earlier.known_as.push(MessageReference { connection, message: operators.as_str().into() });
    let content = Content { reply_to: Some(Box::new(earlier)), ..Content::text("That one") };
    leg.send(EventBody::Message { content, metadata: map(json!({})) }).await;
    assert_eq!(twin.accepted()[1].body["replyToMessageId"], operators);
}

/// Shows T28.
#[tokio::test]
async fn a_read_receipt_marks_the_operators_message_as_read() {
    let (twin, mut leg) = twin_and_leg(json!({"answers": "socket"})).await;
    leg.say("Hello").await;
    let message = twin.operator_says(leg.external_id(), "Olga", "Hi").await;
    let read = |connection: &str, status| {
        let connection = connection.parse().unwrap();
        let target = Some(MessageReference { connection, message: message.as_str().into() });
        EventBody::Receipt { message: "w-1".into(), target, status, reason: None }
    };
    let own = leg.connection.id.to_string();
    let without_login = leg.send(read(&own, ReceiptStatus::Read)).await;
    assert_eq!(verdict(&without_login), Verdict::Skipped);
    log_in(&mut leg);
    assert_eq!(verdict(&leg.send(read(&own, ReceiptStatus::Read)).await), Verdict::Delivered);
    assert_eq!(twin.accepted()[1].what, "read");
    assert_ne!(twin.messages(leg.external_id())[1]["readAt"], Value::Null);
    for other in [read("shop", ReceiptStatus::Read), read(&own, ReceiptStatus::Delivered)] {
        assert_eq!(verdict(&leg.send(other).await), Verdict::Skipped);
    }
}

/// Shows input 8, input 10.
#[tokio::test]
async fn responses_may_begin_with_a_byte_order_mark() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    log_in(&mut leg);
    twin.send_byte_order_marks();
    twin.queue_reply(json!([{"body": "Hi"}]));
    let attempt = leg.say("Hello").await;
    assert_eq!((verdict(&attempt), text(&attempt.reply_events[0])), (Verdict::Delivered, "Hi"));
    let source = serve_file(vec![7; 10]).await;
    let media = vec![Media { url: source, ..Media::default() }];
    let content = Content { media, ..Content::text("Look") };
    leg.send(EventBody::Message { content, metadata: map(json!({})) }).await;
    assert_eq!(twin.accepted()[2].body["messageAttachments"], json!([twin.accepted()[1].session]));
    let posted =
        serve_json(r#"{"id":"s-1","clientId":"c","ttl":600,"messages":[{"body":"Great \ud83d"}]}"#);
    let (settings, answers) = (json!({"chat_id": "c", "chats_url": posted.await}), "response");
    let mut leg = Leg::new("bot", &settings);
    leg.connection.settings.insert("answers".into(), answers.into());
    let attempt = leg.say("Hello").await;
    assert_eq!(text(&attempt.reply_events[0]), "Great \u{fffd}");
}

/// Serves a text on a local port.
async fn serve_json(body: &str) -> String {
    serve_file(body.as_bytes().to_vec()).await
}

#[tokio::test]
async fn repeating_a_delivery_yields_the_same_events() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    twin.queue_reply(json!([{"body": "Hi"}]));
    twin.queue_reply(json!([{"body": "Hi again"}]));
    let first = leg.say("Hello").await;
    leg.count -= 1;
    leg.session = None;
    let repeat = leg.say("Hello").await;
    assert_eq!(first.reply_events[0].id, repeat.reply_events[0].id);
}

/// Shows T20, T29.
#[tokio::test]
async fn a_callback_before_the_response_finds_its_conversation() {
    let (twin, mut leg) = twin_and_leg(json!({"answers": "callback"})).await;
    leg.secret("callback_url", "http://127.0.0.1:9/in/twin/assistant/key");
    let attempt = leg.say("Hello").await;
    assert_eq!(verdict(&attempt), Verdict::Delivered);
    assert_eq!((leg.external_id(), attempt.reply_events.len()), (twin.sessions()[0].as_str(), 0));
    let sent = &twin.accepted()[0].body;
    assert_eq!(sent["eventCallbackUrl"], "http://127.0.0.1:9/in/twin/assistant/key/events");
    assert_eq!(sent["notifyOnEvents"], json!(["chatMessageCreated"]));
    assert_eq!(sent["returnAnswerAsync"], true);
    // The callback data names the conversation's id, under which the leg was opened.
    let callback = json!({"event": "chatMessageCreated", "eventCallbackData": sent["eventCallbackData"],
                      "data": {"id": "m-1", "sessionId": "not known yet", "body": "Hi"}});
    assert_eq!(
        events(&json!({}), "events", callback.to_string().as_bytes())[0].external_conversation_id,
        CONVERSATION
    );

    let second = leg.say("Where?").await;
    assert_eq!(twin.accepted()[1].what, "message");
    assert!(second.classification.external_message_id.is_some(), "the id from the 201 response");
}

#[tokio::test]
async fn fails_without_a_callback_url() {
    let (twin, mut leg) = twin_and_leg(json!({"answers": "callback"})).await;
    let attempt = leg.say("Hello").await;
    assert_eq!(verdict(&attempt), Verdict::Permanent);
    assert!(attempt.classification.reason.unwrap().contains("callback_url"));
    assert_eq!(twin.accepted().len(), 0);
    let mut without_chat = Leg::new("bot", &twin.settings(&json!({"chat_id": ""})));
    assert_eq!(verdict(&without_chat.say("Hello").await), Verdict::Permanent);
}

/// Shows T1, T20, T25.
#[tokio::test]
async fn with_sockets_the_first_answers_are_in_the_response_unless_the_history_is_readable() {
    let (twin, mut leg) = twin_and_leg(json!({"answers": "socket"})).await;
    twin.queue_reply(json!([{"body": "Hi"}]));
    let attempt = leg.say("Hello").await;
    assert_eq!(attempt.reply_events.len(), 1);
    assert!(leg.session.as_ref().unwrap().needs_listener, "the session needs a listener");
    leg.say("Where?").await;
    assert_eq!(twin.accepted()[1].what, "message");

    let mut leg = Leg::new("bot", &twin.settings(&json!({"answers": "socket"})));
    log_in(&mut leg);
    twin.queue_reply(json!([{"body": "Hi"}]));
    assert_eq!(leg.say("Hello").await.reply_events.len(), 0);
    assert_eq!(twin.accepted()[2].body["returnAnswerAsync"], true);
}

/// Shows T23.
#[tokio::test]
async fn sends_a_choice_as_its_title_or_id() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    leg.send(EventBody::Choice { id: "Refund".into(), title: None, typed: None }).await;
    let title = Some("Refund, please".into());
    leg.send(EventBody::Choice { id: "2".into(), title, typed: Some("2".into()) }).await;
    let texts: Vec<_> = twin.accepted().iter().map(Accepted::text).collect();
    assert_eq!(texts, ["Refund", "Refund, please"]);
    let (twin, mut leg) = twin_and_leg(json!({"choice_reply": "id"})).await;
    let title = Some("Track".into());
    leg.send(EventBody::Choice { id: "7".into(), title, typed: None }).await;
    assert_eq!(twin.accepted()[0].text(), "7", "the value of a button in `keyboard`");
}

#[tokio::test]
async fn renders_choices_as_numbered_text() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    let choices = vec![Choice { id: "a".into(), title: "Red".into() }];
    let content = Content { choices, ..Content::text("Which?") };
    leg.send(EventBody::Message { content, metadata: map(json!({})) }).await;
    assert_eq!(twin.accepted()[0].text(), "Which?\n1. Red");
}

#[tokio::test]
async fn skips_unsupported_events() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    let transcript = Transcript::default();
    let handback = EventBody::Handback { reason: None, context: map(json!({})), transcript };
    let close = || EventBody::Close { reason: None };
    for body in [handback, EventBody::Accept, EventBody::Typing { active: true }, close()] {
        assert_eq!(verdict(&leg.send(body).await), Verdict::Skipped);
    }
    leg.copy = true;
    assert_eq!(verdict(&leg.say("a copy").await), Verdict::Skipped, "the bot would answer a copy");
    leg.copy = false;
    leg.say("Hello").await;
    assert_eq!(
        verdict(&leg.send(close()).await),
        Verdict::Skipped,
        "ending a session needs a login"
    );
    assert_eq!(twin.accepted().len(), 1);
}

#[tokio::test]
async fn a_close_ends_the_session_with_a_login() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    log_in(&mut leg);
    leg.say("Hello").await;
    let close = || EventBody::Close { reason: Some("done".into()) };
    assert_eq!(verdict(&leg.send(close()).await), Verdict::Delivered);
    assert!(twin.is_ended(&twin.sessions()[0]));
    assert_eq!(twin.accepted()[1].body, json!({"result": "done"}));
    assert_eq!(
        verdict(&leg.send(close()).await),
        Verdict::Delivered,
        "the session has ended already"
    );
}

#[tokio::test]
async fn caches_a_token_and_renews_a_refused_one() {
    let (twin, mut leg) = twin_and_leg(json!({"start": "continue"})).await;
    log_in(&mut leg);
    leg.say("One").await;
    leg.say("Two").await;
    assert_eq!(twin.logins(), 1);
    twin.revoke_tokens();
    assert_eq!(verdict(&leg.say("Three").await), Verdict::Delivered);
    assert_eq!(twin.logins(), 2);
    leg.now += SignedDuration::from_hours(11) + SignedDuration::from_mins(46);
    leg.session = None;
    leg.say("Four").await;
    assert_eq!(twin.logins(), 3, "15 minutes before it expires");
}

#[tokio::test]
async fn a_failed_login_fails_the_delivery() {
    let (_twin, mut leg) = twin_and_leg(json!({"start": "continue"})).await;
    leg.secret("email", EMAIL);
    leg.secret("password", "wrong");
    let attempt = leg.say("Hello").await;
    assert_eq!((verdict(&attempt), attempt.status), (Verdict::Permanent, Some(401)));
    let reason = attempt.classification.reason.unwrap();
    assert!(reason.contains("login") && !reason.contains("wrong"), "{reason}");
}

/// Shows T11, T27.
#[tokio::test]
async fn uploads_files_or_sends_links() {
    let (twin, mut leg) = twin_and_leg(json!({})).await;
    let media = |url: &str| Media {
        url: url.into(),
        mime_type: Some("image/png".into()),
        name: Some("map.png".into()),
        ..Media::default()
    };
    let message_with = |text: Option<&str>, url: &str| EventBody::Message {
        content: Content {
            text: text.map(Into::into),
            media: vec![media(url)],
            ..Content::default()
        },
        metadata: map(json!({})),
    };
    leg.send(message_with(Some("Look"), "https://m.example/map.png")).await;
    assert_eq!(twin.accepted()[0].text(), "Look\nmap.png: https://m.example/map.png");

    log_in(&mut leg);
    // An unreachable file is sent as a link.
    leg.send(message_with(None, "http://127.0.0.1:1/unreachable.png")).await;
    assert_eq!(
        twin.accepted()[1].text(),
        "map.png: http://127.0.0.1:1/unreachable.png",
        "a link instead of an upload"
    );
    let source = serve_file(vec![7; 100_000]).await;
    leg.send(message_with(None, &source)).await;
    let accepted = twin.accepted();
    assert_eq!(twin.files(), [("map.png".to_owned(), vec![7; 100_000])]);
    assert_eq!(accepted[3].body["messageAttachments"], json!([accepted[2].session]));
    assert_eq!(accepted[3].text(), "map.png", "a message needs a text");
}

/// Serves a file on a local port.
async fn serve_file(content: Vec<u8>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/map.png", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(move || async move { content });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn a_desk_gets_the_transcript() {
    let twin = Twin24::start(plain_http()).await;
    let mut leg = Leg::new("desk", &twin.settings(&json!({"answers": "socket"})));
    let line = |role, name: Option<&str>, text: &str| TranscriptEntry {
        at: Timestamp::UNIX_EPOCH,
        author: Author { role, name: name.map(Into::into) },
        content: Content::text(text),
    };
    let lines = vec![
        line(AuthorRole::Customer, Some("Ada"), "A person, please"),
        line(AuthorRole::Bot, None, "One moment"),
    ];
    let handover = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("asked".into()),
        context: map(json!({"order": "17"})),
        transcript: Transcript { entries: lines, ..Transcript::default() },
    };
    leg.send(handover).await;
    leg.say("Where is my order?").await;
    let accepted = twin.accepted();
    assert_eq!(accepted[0].text(), "Ada: A person, please\nbot: One moment");
    assert_eq!(accepted[0].body["clientMetadata"]["reason"], "asked");
    assert_eq!(accepted[0].body["clientMetadata"]["order"], "17");
    assert_eq!(accepted[1].text(), "Where is my order?");
    let silent = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context: map(json!({})),
        transcript: Transcript::default(),
    };
    leg.session = None;
    assert_eq!(verdict(&leg.send(silent).await), Verdict::Delivered, "a session without a message");
    assert_eq!(twin.accepted()[2].body.get("messageBody"), None);
}

#[tokio::test]
async fn classifies_failures() {
    use Verdict::{Delivered, Permanent, Retryable};
    let (twin, mut leg) = twin_and_leg(json!({"answers": "socket"})).await;
    for (status, expected) in
        [(503, Retryable), (500, Retryable), (429, Retryable), (400, Permanent), (404, Permanent)]
    {
        twin.fail_next_call(status);
        assert_eq!(verdict(&leg.say("Hello").await), expected, "{status}");
        assert_eq!(leg.session, None);
    }
    leg.say("Hello").await;
    for (status, expected) in
        [(503, Retryable), (429, Retryable), (413, Permanent), (410, Delivered), (422, Delivered)]
    {
        twin.fail_next_call(status);
        assert_eq!(
            verdict(&leg.say("Hello").await),
            expected,
            "{status}: starts a new session or not"
        );
    }
    let mut unreachable =
        Leg::new("bot", &json!({"chat_id": "c", "chats_url": "http://127.0.0.1:1"}));
    assert_eq!(verdict(&unreachable.say("Hello").await), Retryable);
    let broken = serve_file(b"<html>".to_vec()).await;
    let mut broken = Leg::new("bot", &json!({"chat_id": "c", "chats_url": broken}));
    let attempt = broken.say("Hello").await;
    assert_eq!(verdict(&attempt), Permanent, "accepted, but without a session id");
    assert_eq!(broken.session, None);
}

#[tokio::test]
async fn errors_never_contain_the_session_id() {
    let (twin, mut leg) = twin_and_leg(json!({"follow": "messages"})).await;
    leg.say("Hello").await;
    twin.fail_next_call(503);
    let attempt = leg.send(message("again")).await;
    assert!(!attempt.classification.reason.unwrap().contains(&twin.sessions()[0]));
}
