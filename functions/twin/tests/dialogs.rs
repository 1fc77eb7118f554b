//! Dialogs (Bot API) against the mock TWIN, over real HTTP.

use std::sync::{Arc, Mutex};

use crate::common::{CONVERSATION, Leg, events, text};
use axum::body::Bytes;
use serde_json::{Value, json};
use trunkline_core::model::{EventBody, Verdict};
use trunkline_twin_mock::{BOT, EMAIL, PASSWORD, Twin24, plain_http};

async fn twin_and_leg(answers: &str) -> (Twin24, Leg) {
    let twin = Twin24::start(plain_http()).await;
    let settings =
        json!({"mode": "dialogs", "bot_id": BOT, "answers": answers, "messenger_type": "TELEGRAM"});
    let mut leg = Leg::new("bot", &twin.settings(&settings));
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
    (twin, leg)
}

/// A callback endpoint that records the bodies it receives.
async fn callback_endpoint() -> (String, Arc<Mutex<Vec<Bytes>>>) {
    let received = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in/twin/assistant/key", listener.local_addr().unwrap());
    let memory = Arc::clone(&received);
    let handler = move |body: Bytes| async move { memory.lock().unwrap().push(body) };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(handler)).await });
    (url, received)
}

#[tokio::test]
async fn reads_a_dialogs_answers_from_the_response() {
    let (twin, mut leg) = twin_and_leg("response").await;
    twin.queue_reply(json!([{"body": "Hi", "answers": ["Order"]}]));
    let attempt = leg.say("Hello").await;
    assert_eq!(text(&attempt.reply_events[0]), "Hi");
    let expected: Value =
        serde_json::from_str(include_str!("../fixtures/dialog-start.json")).unwrap();
    let sent = &twin.accepted()[0].body;
    for field in
        ["botId", "ttl", "message", "communicationType", "messengerType", "messengerUserId"]
    {
        assert_eq!(sent[field], expected[field], "{field}");
    }
    assert_eq!(sent["clientName"], "Ada Lovelace");
    assert_eq!(sent["clientMetadata"], json!({"channel": "shop", "language": "en"}));
    twin.queue_reply(json!([{"body": "On its way"}]));
    assert_eq!(text(&leg.say("Where is my order?").await.reply_events[0]), "On its way");
    assert_eq!(twin.accepted()[1].what, "dialog message");
    let close = leg.send(EventBody::Close { reason: None }).await;
    assert_eq!(close.classification.verdict, Verdict::Delivered);
    let again = leg.say("Hello again").await;
    assert_eq!(
        again.classification.verdict,
        Verdict::Delivered,
        "a finished dialog is replaced by a new one"
    );
    assert_eq!(twin.accepted()[3].what, "dialog");
    assert_eq!(twin.logins(), 1);
}

#[tokio::test]
async fn dialog_callbacks_return_the_callback_data() {
    let (twin, mut leg) = twin_and_leg("callback").await;
    let (url, received) = callback_endpoint().await;
    leg.secret("callback_url", &url);
    twin.queue_reply(json!([{"body": "all good then"}]));
    let attempt = leg.say("Hello").await;
    assert_eq!(attempt.reply_events.len(), 0);
    let dialog = leg.external_id().to_owned();
    twin.dialog_says(&dialog, json!([{"body": "bye"}]), "STOP").await;
    while received.lock().unwrap().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let received = received.lock().unwrap().clone();
    for body in &received {
        let read = events(&json!({}), "callback", body);
        assert_eq!((read.len(), read[0].external_conversation_id.as_str()), (1, CONVERSATION));
    }
    // The members are the same as in the fact sheet's example.
    let example: Value =
        serde_json::from_str(include_str!("../fixtures/dialog-callback.json")).unwrap();
    let sent: Value = serde_json::from_slice(&received[0]).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sent), names(&example));
}

#[tokio::test]
async fn dialogs_need_a_login() {
    let (twin, mut leg) = twin_and_leg("response").await;
    leg.secret("password", "wrong");
    assert_eq!(leg.say("Hello").await.classification.verdict, Verdict::Permanent);
    leg.secrets = trunkline_runtime::secrets::SecretBag::default();
    let attempt = leg.say("Hello").await;
    assert_eq!(attempt.classification.verdict, Verdict::Permanent);
    assert!(attempt.classification.reason.unwrap().contains("email"));
    let mut without_bot = Leg::new("bot", &twin.settings(&json!({"mode": "dialogs"})));
    assert_eq!(without_bot.say("Hello").await.classification.verdict, Verdict::Permanent);
}
