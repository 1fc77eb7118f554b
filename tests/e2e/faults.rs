//! A killed worker, and errors of the table, the queues and receivers. `trunkline-testkit` covers the others.

use std::collections::HashSet;
use std::time::Duration;

use trunkline_tests::{Behaviour, Fault, Fixture, ReceivedRequest, TestEnvironment, webex_message};

/// Matches the update that records an outcome. Counter updates contain connection names as well.
const RECORD: &str = "outcomes.#target&";

fn texts(received: &[ReceivedRequest]) -> Vec<String> {
    received.iter().map(ReceivedRequest::text).collect()
}

/// Returns the texts in the order of first arrival.
fn first_arrivals(received: &[ReceivedRequest]) -> Vec<String> {
    let mut seen = HashSet::new();
    texts(received).into_iter().filter(|text| seen.insert(text.clone())).collect()
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("message {i}")).collect()
}

/// Sends each message until the status is 200, as Webex Connect does.
async fn write_until_accepted(fixture: &Fixture<'_>, customer: &str, count: usize) {
    for i in 0..count {
        let body = webex_message(customer, &format!("m-{i}"), &format!("message {i}"));
        for attempt in 0.. {
            if fixture.post("webex", body.clone(), &[]).await.0 == 200 {
                break;
            }
            assert!(attempt < 20, "message {i} is never accepted");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

pub async fn worker_killed_between_send_and_record(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "kill-record").await;
    write_until_accepted(&fixture, "wx-1", 1).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    fixture.wait_for_outcomes("webex", "wx-1").await;
    let recorded = format!("{RECORD}kill-record-");
    env.fault_proxy.inject(Fault::Kill, "UpdateItem", &recorded, 0, 1);
    let body = webex_message("wx-1", "m-1", "message 1");
    assert_eq!(fixture.post("webex", body, &[]).await.0, 200);
    let body = webex_message("wx-1", "m-2", "message 2");
    assert_eq!(fixture.post("webex", body, &[]).await.0, 200);
    let received = fixture.mock.wait_for_accepted("/bot", 4, Duration::from_mins(1)).await;
    assert_eq!(env.fault_proxy.remaining(&recorded), 0);
    assert_eq!(first_arrivals(&received), numbered(3), "no loss and no reordering");
    let repeated: Vec<_> =
        received.iter().filter(|received| received.text() == "message 1").collect();
    assert_eq!(repeated.len(), 2, "the delivery without a record is sent again");
    assert_eq!(repeated[0].header("webhook-id"), repeated[1].header("webhook-id"));
}

/// Each operation of a message fails more often than the SDK retries.
async fn recovers_from(env: &TestEnvironment, name: &str, fault: Fault) {
    let fixture = Fixture::webex_and_bot(env, name).await;
    write_until_accepted(&fixture, "wx-1", 1).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    let word = format!("{name}-");
    for operation in ["GetItem", "PutItem", "SendMessage", "BatchGetItem", "UpdateItem"] {
        env.fault_proxy.inject(fault, operation, &word, 0, 4);
    }
    write_until_accepted(&fixture, "wx-1", 6).await;
    let mut arrived = Vec::new();
    for _ in 0..600 {
        arrived = first_arrivals(&fixture.mock.accepted("/bot"));
        if arrived.len() == 6 && env.fault_proxy.remaining(&word) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(arrived, numbered(6));
    assert_eq!(env.fault_proxy.remaining(&word), 0);
}

pub async fn recovers_from_table_and_queue_errors(env: &TestEnvironment) {
    recovers_from(env, "refuses", Fault::Refuse).await;
}

pub async fn recovers_from_throttling(env: &TestEnvironment) {
    recovers_from(env, "throttles", Fault::Throttle).await;
}

pub async fn recovers_from_lost_answers(env: &TestEnvironment) {
    recovers_from(env, "loses", Fault::LoseAnswer).await;
}

pub async fn aborted_response_is_retried(env: &TestEnvironment) {
    let fixture = Fixture::with_delivery_policy(env, "cuts", "{ retry: [1, 1, 1] }").await;
    fixture.mock.set_behaviour_for("message 1", Behaviour::AbortResponse);
    write_until_accepted(&fixture, "wx-1", 2).await;
    fixture.mock.wait_for_requests("/bot", 2).await;
    fixture.mock.clear_behaviour_for_words();
    write_until_accepted(&fixture, "wx-1", 3).await;
    let received = fixture.mock.wait_for_accepted("/bot", 4, Duration::from_secs(30)).await;
    assert_eq!(first_arrivals(&received), numbered(3));
    let once_more = received.iter().filter(|received| received.text() == "message 1").count();
    assert!(once_more >= 2, "the outcome of the first attempt is unknown, so it is retried");
}

pub async fn connection_resets_are_retried_without_duplicates(env: &TestEnvironment) {
    let fixture = Fixture::with_delivery_policy(env, "resets", "{ retry: [1, 1, 1, 1, 1] }").await;
    write_until_accepted(&fixture, "wx-1", 1).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    fixture.mock.reset_connections(true);
    write_until_accepted(&fixture, "wx-1", 4).await;
    crate::parked::waits_for(env, "resets-bot", 3).await;
    assert_eq!(fixture.mock.requests("/bot").len(), 1, "a request got through");
    fixture.mock.reset_connections(false);
    let received = fixture.mock.wait_for_accepted("/bot", 4, Duration::from_secs(30)).await;
    assert_eq!(
        texts(&received),
        numbered(4),
        "no request was received before, so there are no repeats"
    );
}
