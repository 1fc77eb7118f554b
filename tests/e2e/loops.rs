//! Loop prevention: Trunkline's own messages are never processed as new ones.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{
    Fixture, ReceivedRequest, SIGNING_SECRETS, TestEnvironment, message_event, signing_headers,
};

use crate::handover::{conversation, summarize};

pub async fn echoed_notice_is_not_forwarded(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "notice", "").await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    fixture.mock.wait_for_requests("/desk", 2).await;
    let notice = fixture.mock.wait_for_requests("/channel", 1).await.remove(0);
    assert_eq!(summarize(std::slice::from_ref(&notice)), ["We look for somebody."]);
    assert_eq!(notice.json()["author"]["role"], "system");

    // The channel sends the notice back, once as a customer message and once under another id.
    let mut other_id = notice.json();
    other_id["id"] = json!("their-own-1");
    let mut by_customer = notice.json();
    by_customer["author"]["role"] = json!("customer");
    for body in [by_customer, other_id] {
        assert_eq!(relay(&fixture, "channel", &body).await, 200);
    }
    assert_eq!(summarize(&fixture.mock.expect_requests("/desk", 2).await), ["<handover>", "agent"]);
    assert!(fixture.mock.requests("/bot").is_empty());
    assert_eq!(fixture.mock.requests("/channel").len(), 1, "no notice about the notice");
}

pub async fn linked_channels_do_not_loop(env: &TestEnvironment) {
    let file = "
connections:
  NAME-a: { platform: webhook, role: channel, settings: { message_url: MOCK/a }, secrets: { signing: { env: NEW } } }
  NAME-b: { platform: webhook, role: channel, settings: { message_url: MOCK/b }, secrets: { signing: { env: NEW } } }
  NAME-bot: { platform: webhook, role: bot, copies: true, settings: { message_url: MOCK/bot }, secrets: { signing: { env: NEW } } }
routes:
  NAME: { channels: [NAME-a, NAME-b], bot: NAME-bot }
";
    let fixture = Arc::new(Fixture::new(env, "linked", file).await);
    assert_eq!(fixture.send_event("a", "a-1", "thread", message_event("hello")).await.0, 200);
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    assert_eq!(
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("Hello to you.")).await.0,
        200
    );
    // Each link copies a message of one channel to the other, as a customer's or under its own id.
    let links: [fn(&mut Value); 2] = [
        |body| body["author"]["role"] = json!("customer"),
        |body| body["id"] = json!(format!("link-{}", body["id"])),
    ];
    let shown = fixture.mock.wait_for_requests("/a", 1).await.remove(0);
    for change in links {
        let mut body = shown.json();
        change(&mut body);
        assert_eq!(relay(&fixture, "b", &body).await, 200);
        assert_eq!(relay(&fixture, "a", &body).await, 200);
    }
    // Long enough for a loop to show.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        summarize(&fixture.mock.requests("/bot")),
        ["hello"],
        "the bot receives the customer's message once"
    );
    assert_eq!((fixture.mock.requests("/a").len(), fixture.mock.requests("/b").len()), (1, 0));
}

async fn relay(fixture: &Fixture<'_>, to: &str, body: &Value) -> u16 {
    let id = body["id"].as_str().unwrap().to_owned();
    let body = body.to_string();
    let headers = signing_headers(SIGNING_SECRETS[0], &id, SystemClock.now(), &body);
    fixture.post(to, body, &headers).await.0
}

/// Returns the requests about a customer so far, without repeats.
fn received_about(fixture: &Fixture<'_>, path: &str, customer: &str) -> Vec<ReceivedRequest> {
    let mut seen = std::collections::HashSet::new();
    let mut received = fixture.mock.requests(path);
    received.retain(|received| String::from_utf8_lossy(&received.body).contains(customer));
    received.retain(|received| seen.insert(received.header("webhook-id").to_owned()));
    received
}

/// Waits for at least `count` requests about a customer.
async fn wait_for_requests_about(
    fixture: &Fixture<'_>,
    path: &str,
    customer: &str,
    count: usize,
) -> Vec<ReceivedRequest> {
    for _ in 0..400 {
        let received = received_about(fixture, path, customer);
        if received.len() >= count {
            return received;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "{path} received {:?}, not {count}",
        summarize(&received_about(fixture, path, customer))
    );
}

pub async fn replaying_every_event_changes_nothing(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "twice", "").await;
    for (customer, times) in [("once-only", 1), ("thrice-told", 3)] {
        let mut sent: Vec<(&str, String, String, Value)> = Vec::new();
        // Party, number of requests to wait for, and event to send.
        let steps = [
            ("channel", 0, message_event("hello CUSTOMER")),
            ("bot", 1, message_event("hi CUSTOMER")),
            ("channel", 1, message_event("one CUSTOMER")),
            ("bot", 2, json!({"type": "handover", "data": {"reason": "CUSTOMER"}})),
            ("channel", 2, message_event("two CUSTOMER")),
            ("desk", 2, message_event("I am Ann, CUSTOMER")),
            ("bot", 2, message_event("still me CUSTOMER")),
            ("channel", 4, message_event("three CUSTOMER")),
            ("desk", 3, json!({"type": "handback", "data": {"reason": "CUSTOMER"}})),
            ("channel", 5, message_event("four CUSTOMER")),
            ("bot", 4, json!({"type": "offer", "data": {"reason": "CUSTOMER"}})),
            ("desk", 4, json!({"type": "close", "data": {"reason": "CUSTOMER"}})),
            ("channel", 7, message_event("five CUSTOMER")),
            ("bot", 6, message_event("bye CUSTOMER")),
        ];
        for (i, (who, count, event)) in steps.into_iter().enumerate() {
            let event = event.to_string().replace("CUSTOMER", customer);
            let event: Value = serde_json::from_str(&event).unwrap();
            let received =
                wait_for_requests_about(&fixture, &format!("/{who}"), customer, count).await;
            let known =
                if who == "channel" { customer.to_owned() } else { conversation(&received) };
            let id = format!("{customer}-{i}");
            sent.push((who, id, known, event));
            // Send the newest event `times` times, with an older event after each.
            for round in 0..times {
                let (who, id, conversation, event) = sent.last().unwrap();
                fixture.send_event(who, id, conversation, event.clone()).await;
                if times > 1 {
                    let (who, id, conversation, event) = &sent[(i * 7 + round) % sent.len()];
                    fixture.send_event(who, id, conversation, event.clone()).await;
                }
            }
        }
    }
    let mut results = Vec::new();
    for customer in ["once-only", "thrice-told"] {
        let plain = |text: String| text.replace(customer, "CUSTOMER");
        for (path, count) in [("/channel", 8), ("/bot", 6), ("/desk", 4)] {
            wait_for_requests_about(&fixture, path, customer, count).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let legs = ["/channel", "/bot", "/desk"].map(|path| {
            summarize(&received_about(&fixture, path, customer))
                .into_iter()
                .map(plain)
                .collect::<Vec<_>>()
        });
        results.push(legs);
    }
    assert_eq!(results[0], results[1]);
}
