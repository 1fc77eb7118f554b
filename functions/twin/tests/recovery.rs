//! Recovery from frames and histories that cannot be read.

use std::fmt::Write;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::Instant;
use trunkline_core::model::AuthorRole;
use trunkline_runtime::http_client::HttpClient;
use trunkline_twin::{Api, Context, History, HistoryError, Tokens, history};
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24, plain_http};

use crate::common::{Leg, now, parse, text};
use crate::listener::{TestBackend, start, twin};

fn log_in(leg: &mut Leg) {
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
}

/// Reads the history of a leg's session.
async fn read(leg: &Leg) -> Result<History, HistoryError> {
    let settings = parse(&leg.connection.settings);
    let (tokens, http_client) = (Tokens::default(), HttpClient::new(true));
    let api = Api {
        tokens: &tokens,
        connection: &leg.connection,
        settings: &settings,
        secrets: &leg.secrets,
        http_client: &http_client,
        now: leg.now,
    };
    let context = Context {
        settings: &settings,
        conversation: None,
        default_role: AuthorRole::Bot,
        client_id: None,
        now: now(),
    };
    history(&api, leg.external_id(), None, &context).await
}

/// A mock TWIN with a session, and its leg with a login.
async fn session() -> (Twin24, Leg) {
    let twin = Twin24::start(plain_http()).await;
    let mut leg = Leg::new("bot", &twin.settings(&json!({})));
    log_in(&mut leg);
    leg.say("Hello").await;
    (twin, leg)
}

async fn wait_for_rejected(backend: &TestBackend, count: usize) -> Vec<(String, String)> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let rejected = backend.table().rejected.clone();
        if rejected.len() >= count {
            return rejected;
        }
        assert!(Instant::now() < end, "rejected {rejected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Shows input 9.
#[tokio::test]
async fn an_unreadable_frame_is_stored_and_its_message_is_read_from_the_history() {
    let (twin, sockets, mut leg) = twin().await;
    log_in(&mut leg);
    leg.say("Hello").await;
    let session = leg.external_id().to_owned();
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session(&session, SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    sockets.wait_for_joins(&session, 1).await;
    twin.bot_says(&session, json!({"body": "one"})).await;
    backend.wait_for_events(1).await;
    twin.record_message(&session, &json!({"body": "two"}));
    sockets.send_raw(&session, r#"2["chatMessageCreatedEmit",{"body":"tw"#).await;
    assert_eq!(backend.wait_for_events(2).await, ["one", "two"]);
    let rejected = backend.table().rejected.clone();
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert!(rejected[0].0.contains("socket frame") && rejected[0].1.contains("chatMessageCreated"));
    listening.abort();
}

/// Shows input 9.
#[tokio::test]
async fn without_a_login_an_unreadable_frame_is_stored_once() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session("one", SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    sockets.wait_for_joins("one", 1).await;
    for packet in ["2[", "2{}", "2["] {
        sockets.send_raw("one", packet).await;
    }
    let message = json!({"id": "m-1", "body": "still there"});
    sockets.emit("one", "chatMessageCreatedEmit", message).await;
    assert_eq!(backend.wait_for_events(1).await, ["still there"]);
    let bodies: Vec<_> = wait_for_rejected(&backend, 2).await.into_iter().map(|r| r.1).collect();
    assert_eq!(bodies, ["42[", "42{}"]);
    listening.abort();
}

/// Shows input 9.
#[tokio::test]
async fn one_bad_item_of_the_history_does_not_block_recovery() {
    let (twin, sockets, mut leg) = twin().await;
    log_in(&mut leg);
    leg.say("Hello").await;
    let session = leg.external_id().to_owned();
    let good = |id: &str, body: &str| {
        format!(
            r#"{{"id":"{id}","sessionId":"{session}","authorType":"BOT","body":"{body}","createdAt":"2026-01-01T00:00:06+00:00"}}"#
        )
    };
    let (first, half) = (good("m-1", "one"), good("m-2", r"two \ud83d"));
    let page = format!(
        r#"{{"count":4,"items":[{first},{{"id":"m-3","body":"\x"}},{half},{{"body":"no id"}}]}}"#
    );
    twin.set_raw_history(Some(page));
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session(&session, SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    assert_eq!(backend.wait_for_events(2).await, ["one", "two \u{fffd}"]);
    let reasons: Vec<_> = wait_for_rejected(&backend, 2).await.into_iter().map(|r| r.0).collect();
    assert!(reasons[0].contains("not JSON") && reasons[1].contains("id"), "{reasons:?}");

    // The next reading starts later and stores nothing again.
    twin.record_message(&session, &json!({"body": "three"}));
    twin.set_raw_history(None);
    sockets.drop(&session, true).await;
    assert_eq!(backend.wait_for_events(3).await[2], "three");
    assert_eq!(backend.table().rejected.len(), 2);
    listening.abort();
}

/// Shows input 9.
#[tokio::test]
async fn a_history_of_600_kb_is_read_whole() {
    let (twin, leg) = session().await;
    twin.ignore_paging();
    let cyrillic = "Ж".repeat(150);
    for _ in 0..600 {
        twin.record_message(leg.external_id(), &json!({"body": cyrillic}));
    }
    let found = read(&leg).await.unwrap();
    assert_eq!((found.events.len(), found.rejected), (600, vec![]));
    assert_eq!(text(&found.events[599]), cyrillic);

    // As PHP writes it: six bytes a letter.
    let items = Value::from(twin.messages(leg.external_id())).to_string();
    let items = items.replace('Ж', r"\u0416");
    assert!(items.len() > 600 * 1024);
    twin.set_raw_history(Some(format!(r#"{{"items":{items}}}"#)));
    let found = read(&leg).await.unwrap();
    assert_eq!((found.events.len(), found.rejected), (600, vec![]), "without a count as well");
}

/// Shows input 9.
#[tokio::test]
async fn a_history_that_is_too_large_raises_an_alarm() {
    let (twin, leg) = session().await;
    let mut items = String::new();
    for number in 0..10 {
        let body = "a".repeat(1_000_000);
        write!(items, r#"{{"id":"m-{number}","body":"{body}"}},"#).unwrap();
    }
    twin.set_raw_history(Some(format!(r#"{{"items":[{items}{{}}],"count":11}}"#)));
    let found = read(&leg).await.unwrap();
    assert_eq!(found.events.len(), 8, "the messages before the cut");
    assert!(found.rejected[0].reason.contains("the rest is not read"), "{:?}", found.rejected);
}

/// Shows input 9.
#[tokio::test]
async fn pages_are_read_until_nothing_is_new() {
    let (twin, leg) = session().await;
    for number in 0..120 {
        twin.record_message(leg.external_id(), &json!({"body": number.to_string()}));
    }
    let found = read(&leg).await.unwrap();
    assert_eq!(found.events.len(), 120);
    let items = Value::from(twin.messages(leg.external_id()));
    twin.set_raw_history(Some(json!({"items": items, "count": 5_000}).to_string()));
    let found = read(&leg).await.unwrap();
    assert_eq!((found.events.len(), found.rejected), (120, vec![]), "the same page for ever");
    twin.send_byte_order_marks();
    assert_eq!(read(&leg).await.unwrap().events.len(), 120);
}

/// Shows input 9.
#[tokio::test]
async fn a_page_that_is_no_history_raises_an_alarm() {
    let (twin, sockets, mut leg) = twin().await;
    log_in(&mut leg);
    leg.say("Hello").await;
    let session = leg.external_id().to_owned();
    twin.set_raw_history(Some("<html>maintenance</html>".into()));
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session(&session, SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    let rejected = wait_for_rejected(&backend, 1).await;
    assert_eq!(
        rejected[0],
        ("cannot parse TWIN's history".into(), "<html>maintenance</html>".into())
    );
    twin.record_message(&session, &json!({"body": "one"}));
    twin.set_raw_history(None);
    sockets.drop(&session, true).await;
    assert_eq!(backend.wait_for_events(1).await, ["one"], "the next reading recovers");
    listening.abort();
}
