//! Dialogs with the bot itself, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use common::{Leg, OURS, events, plain_http, text};
use serde_json::{Value, json};
use trunkline_shared::model::{EventBody, Verdict};
use trunkline_stand_ins::twin::{BOT, EMAIL, PASSWORD, Twin24};

async fn twin_and_leg(answers: &str) -> (Twin24, Leg) {
    let twin = Twin24::start(plain_http()).await;
    let settings =
        json!({"mode": "dialogs", "bot_id": BOT, "answers": answers, "messenger_type": "TELEGRAM"});
    let mut leg = Leg::new("bot", &twin.settings(&settings));
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
    (twin, leg)
}

/// What TWIN calls: remembers what it is told.
async fn our_side() -> (String, Arc<Mutex<Vec<Bytes>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in/twin/assistant/key", listener.local_addr().unwrap());
    let memory = Arc::clone(&heard);
    let hear = move |body: Bytes| async move { memory.lock().unwrap().push(body) };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(hear)).await });
    (url, heard)
}

#[tokio::test]
async fn a_dialog_answers_in_the_response() {
    let (twin, mut leg) = twin_and_leg("response").await;
    twin.will_say(json!([{"body": "Hi", "answers": ["Order"]}]));
    let attempt = leg.say("Hello").await;
    assert_eq!(text(&attempt.said[0]), "Hi");
    let expected: Value =
        serde_json::from_str(include_str!("../fixtures/dialog-start.json")).unwrap();
    let sent = &twin.accepted()[0].body;
    for field in
        ["botId", "ttl", "message", "communicationType", "messengerType", "messengerUserId"]
    {
        assert_eq!(sent[field], expected[field], "{field}");
    }
    twin.will_say(json!([{"body": "On its way"}]));
    assert_eq!(text(&leg.say("Where is my order?").await.said[0]), "On its way");
    assert_eq!(twin.accepted()[1].what, "dialog message");
    let close = leg.send(EventBody::Close { reason: None }).await;
    assert_eq!(close.meaning.verdict, Verdict::Delivered);
    let again = leg.say("Hello again").await;
    assert_eq!(again.meaning.verdict, Verdict::Delivered, "a dialog that is over is started anew");
    assert_eq!(twin.accepted()[3].what, "dialog");
    assert_eq!(twin.logins(), 1);
}

#[tokio::test]
async fn a_dialog_answers_by_callback_with_what_it_was_given() {
    let (twin, mut leg) = twin_and_leg("callback").await;
    let (url, heard) = our_side().await;
    leg.secret("callback_url", &url);
    twin.will_say(json!([{"body": "all good then"}]));
    let attempt = leg.say("Hello").await;
    assert_eq!(attempt.said.len(), 0);
    let dialog = leg.external_id().to_owned();
    twin.dialog_says(&dialog, json!([{"body": "bye"}]), "STOP").await;
    while heard.lock().unwrap().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let heard = heard.lock().unwrap().clone();
    for body in &heard {
        let read = events(&json!({}), "callback", body);
        assert_eq!((read.len(), read[0].conversation.as_str()), (1, OURS));
    }
    // The fact sheet's example has the same members.
    let example: Value =
        serde_json::from_str(include_str!("../fixtures/dialog-callback.json")).unwrap();
    let told: Value = serde_json::from_slice(&heard[0]).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&told), names(&example));
}

#[tokio::test]
async fn who_cannot_log_in_has_no_dialogs() {
    let (twin, mut leg) = twin_and_leg("response").await;
    leg.secret("password", "wrong");
    assert_eq!(leg.say("Hello").await.meaning.verdict, Verdict::Permanent);
    leg.secrets = trunkline_shared::secrets::SecretBag::default();
    let attempt = leg.say("Hello").await;
    assert_eq!(attempt.meaning.verdict, Verdict::Permanent);
    assert!(attempt.meaning.reason.unwrap().contains("email"));
    let mut nameless = Leg::new("bot", &twin.settings(&json!({"mode": "dialogs"})));
    assert_eq!(nameless.say("Hello").await.meaning.verdict, Verdict::Permanent);
}
