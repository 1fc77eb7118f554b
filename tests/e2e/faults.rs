//! Workers killed at defined points, and errors of the table, the queues and receivers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use trunkline_runtime::inbound::ingest;
use trunkline_tests::{
    Behaviour, Fault, Fixture, ReceivedRequest, ShiftedClock, TestEnvironment, webex_message,
};

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

pub async fn inbound_killed_between_write_and_enqueue(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "kill-enqueue").await;
    write_until_accepted(&fixture, "wx-1", 1).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    env.fault_proxy.inject(Fault::Kill, "SendMessage", "kill-enqueue-", 0, 1);
    let body = webex_message("wx-1", "m-1", "message 1");
    assert_ne!(fixture.post("webex", body.clone(), &[]).await.0, 200, "the request was accepted");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.mock.requests("/bot").len(), 1, "the message was queued");
    // Webex Connect repeats it six minutes later by the inbound clock, and once more.
    let app = env.app(Arc::new(ShiftedClock::ahead_by(SignedDuration::from_mins(6))), None);
    let written = fixture.transcript("wx-1").await.remove(1);
    assert!(ingest(&app, fixture.connection("webex"), written.event).await.unwrap().duplicate);
    assert_eq!(fixture.post("webex", body, &[]).await.0, 200);
    assert_eq!(texts(&fixture.mock.expect_requests("/bot", 2).await), numbered(2));
}

pub async fn worker_killed_during_drain(env: &TestEnvironment) {
    let fixture = Fixture::with_delivery_policy(
        env,
        "kill-drain",
        "{ retry: [2, 2, 2], breaker_after: 1000 }",
    )
    .await;
    fixture.mock.set_behaviour(Some(Behaviour::down()));
    write_until_accepted(&fixture, "wx-1", 6).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    let delivered = format!("{RECORD}delivered&kill-drain-");
    // The worker is killed after it sent and recorded the second delivery, before it removed it from the
    // parked ones. The next worker is killed after it sent the fourth, before it recorded it.
    env.fault_proxy.inject(Fault::Kill, "TransactWriteItems", "Delete&kill-drain-", 1, 1);
    env.fault_proxy.inject(Fault::Kill, "UpdateItem", &delivered, 3, 1);
    fixture.mock.set_behaviour(None);
    // More messages arrive during the drain.
    for i in 6..8 {
        let body = webex_message("wx-1", &format!("m-{i}"), &format!("message {i}"));
        assert_eq!(fixture.post("webex", body, &[]).await.0, 200);
    }
    fixture.mock.wait_for_accepted("/bot", 9, Duration::from_mins(1)).await;
    wait_until_none_parked(&fixture).await;
    let received = fixture.mock.accepted("/bot");
    assert_eq!(env.fault_proxy.remaining("Delete&kill-drain-"), 0);
    assert_eq!(env.fault_proxy.remaining(&delivered), 0);
    assert_eq!(first_arrivals(&received), numbered(8));
    assert_eq!(received.len(), 9, "only the delivery without a record is sent again");
}

pub async fn worker_killed_between_breaker_close_and_release(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "kill-release").await;
    fixture.mock.set_behaviour(Some(Behaviour::down()));
    for i in 0..8 {
        fixture.send_webex_message(&format!("c-{i}"), "m-0", "hello").await;
    }
    crate::parked::waits_for(env, "kill-release-bot", 8).await;
    // The first release task is the fallback. The worker is killed when it schedules the second.
    env.fault_proxy.inject(Fault::Kill, "SendMessage", "release&kill-release-bot", 1, 1);
    fixture.mock.set_behaviour(None);
    fixture.mock.wait_for_accepted("/bot", 8, Duration::from_secs(40)).await;
    assert_eq!(env.fault_proxy.remaining("release&kill-release-bot"), 0);
    wait_until_none_parked(&fixture).await;
}

pub async fn worker_killed_between_parking_and_scheduling(env: &TestEnvironment) {
    let fixture =
        Fixture::with_delivery_policy(env, "kill-note", "{ retry: [3, 3], breaker_after: 1000 }")
            .await;
    fixture.mock.set_behaviour(Some(Behaviour::down()));
    env.fault_proxy.inject(Fault::Kill, "SendMessage", "drain_leg&kill-note-bot", 0, 1);
    write_until_accepted(&fixture, "wx-1", 2).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    fixture.mock.set_behaviour(None);
    let received = fixture.mock.wait_for_accepted("/bot", 2, Duration::from_secs(50)).await;
    assert_eq!(env.fault_proxy.remaining("drain_leg&kill-note-bot"), 0);
    assert_eq!(first_arrivals(&received), numbered(2));
    wait_until_none_parked(&fixture).await;
}

pub async fn recovers_from_table_and_queue_errors(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "refuses").await;
    write_until_accepted(&fixture, "wx-1", 1).await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    // More often than the SDK retries, for each operation.
    for operation in ["GetItem", "PutItem", "SendMessage", "BatchGetItem", "UpdateItem"] {
        env.fault_proxy.inject(Fault::Refuse, operation, "refuses-", 0, 4);
    }
    write_until_accepted(&fixture, "wx-1", 6).await;
    let mut arrived = Vec::new();
    for _ in 0..600 {
        arrived = first_arrivals(&fixture.mock.accepted("/bot"));
        if arrived.len() == 6 && env.fault_proxy.remaining("refuses-") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(arrived, numbered(6));
    assert_eq!(env.fault_proxy.remaining("refuses-"), 0);
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
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(fixture.mock.requests("/bot").len(), 1, "a request got through");
    fixture.mock.reset_connections(false);
    let received = fixture.mock.wait_for_accepted("/bot", 4, Duration::from_secs(30)).await;
    assert_eq!(
        texts(&received),
        numbered(4),
        "no request was received before, so there are no repeats"
    );
}

pub async fn timed_out_delivery_follows_retry_unknown(env: &TestEnvironment) {
    let fixture =
        Fixture::with_delivery_policy(env, "slow", "{ retry: [1, 1, 1], retry_unknown: 1 }").await;
    fixture.mock.set_behaviour_for("message 0", Behaviour::Delay(Duration::from_secs(7)));
    write_until_accepted(&fixture, "wx-1", 2).await;
    let received = fixture.mock.wait_for_accepted("/bot", 3, Duration::from_secs(40)).await;
    assert_eq!(texts(&received), ["message 0", "message 0", "message 1"]);
    let failed = env.stack().store.failed(&fixture.connection("bot").id, None, 10).await.unwrap();
    assert_eq!((failed.len(), failed[0].attempts), (1, 2));
    assert!(failed[0].reason.contains("no response within 5 seconds"), "{}", failed[0].reason);
}

pub async fn retry_after_is_honoured(env: &TestEnvironment) {
    let fixture = Fixture::with_delivery_policy(env, "retry-after", "{ retry: [1, 1] }").await;
    let wait = vec![("retry-after", "4".to_owned())];
    fixture.mock.set_behaviour(Some(Behaviour::Respond(429, wait)));
    write_until_accepted(&fixture, "wx-1", 1).await;
    let first = fixture.mock.wait_for_requests("/bot", 1).await[0].received_at;
    fixture.mock.set_behaviour(None);
    let second = fixture.mock.wait_for_requests("/bot", 2).await[1].received_at;
    let waited = second - first;
    assert!(waited >= Duration::from_secs(4) && waited < Duration::from_secs(20), "{waited:?}");
}

/// Waits until no delivery to the fixture's bot is parked.
async fn wait_until_none_parked(fixture: &Fixture<'_>) {
    let store = &fixture.env.stack().store;
    for _ in 0..100 {
        let bot = &fixture.connection("bot").id;
        if store.parked_legs(bot, None, 10).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("deliveries are still parked");
}
