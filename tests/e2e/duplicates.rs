//! Deduplication of inbound events and of queue messages.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use trunkline_core::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Job, Owner, PlatformId, Resend,
};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_runtime::inbound::ingest;
use trunkline_runtime::store::{PositionedEvent, WriteResult};
use trunkline_tests::{Fixture, ShiftedClock, TestEnvironment, webex_message};

pub async fn concurrent_duplicates_deliver_once(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "five").await;
    // Customer "old" already has an open conversation, customer "new" has none.
    fixture.send_webex_message("old", "m-0", "first").await;
    for customer in ["old", "new"] {
        let body = webex_message(customer, "m-1", "the same");
        let posts = (0..5).map(|_| fixture.post("webex", body.clone(), &[]));
        for (status, answer) in join_all(posts).await {
            assert_eq!((status, &answer["token"]), (200, &json!("secret-TOKEN")));
        }
    }
    let received = fixture.mock.expect_requests("/bot", 3).await;
    let same = received.iter().filter(|received| received.json()["data"]["text"] == "the same");
    assert_eq!(same.count(), 2, "one message for each customer");
}

pub async fn duplicate_after_deduplication_window_delivers_once(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "later").await;
    let body = webex_message("wx-1", "m-1", "hello");
    assert_eq!(fixture.post("webex", body.clone(), &[]).await.0, 200);
    fixture.mock.wait_for_requests("/bot", 1).await;

    // The same webhook again, after the five-minute deduplication window of SQS by the inbound clock.
    let app = env.app(Arc::new(ShiftedClock::ahead_by(SignedDuration::from_mins(6))), None);
    let connection = fixture.connection("webex");
    let first = fixture.transcript("wx-1").await.remove(0);
    let taken = ingest(&app, connection, first.event.clone()).await.unwrap();
    assert!(taken.duplicate);

    // The same delivery in the queue again, under a new deduplication id, as after a crash.
    let mut delivery = first.deliveries().next().unwrap();
    delivery.resend = Resend::AfterDuplicate;
    resend(env, &Job::Deliver(Box::new(delivery)), "six-minutes-later").await;
    let bot = fixture.mock.expect_requests("/bot", 1).await;
    assert_eq!(bot[0].json()["data"]["text"], "hello");
}

pub async fn redelivered_queue_message_is_sent_once(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "given-again").await;
    fixture.send_webex_message("wx-1", "m-1", "hello").await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    // A worker recorded the outcome and crashed before it deleted the queue message.
    let record = loop {
        let record = fixture.transcript("wx-1").await.remove(0);
        if !record.outcomes.is_empty() {
            break record;
        }
    };
    let delivery = record.deliveries().next().unwrap();
    let body = serde_json::to_string(&Job::Deliver(Box::new(delivery))).unwrap();
    let event = json!({"Records": [{
        "messageId": "x", "receiptHandle": "x", "body": body, "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "g"},
    }]});
    let answer = env.invoke("WebhookOutbound", &event).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    fixture.mock.expect_requests("/bot", 1).await;
}

pub async fn duplicate_enqueues_event_that_was_stored_but_not_queued(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "unqueued").await;
    fixture.send_webex_message("wx-1", "m-0", "first").await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    // State after an inbound function crashed between the write and the enqueue.
    let now = SystemClock.now();
    let mut record = fixture.transcript("wx-1").await.remove(0);
    record.outcomes.clear();
    let body =
        EventBody::Message { content: Content::text("lost?"), metadata: serde_json::Map::new() };
    let (id, author) = (EventId::from_parts(&["m", "m-1"]), Author::nameless(AuthorRole::Customer));
    record.event =
        Event { claimed_owner: Some(Owner::Bot), ..Event::new(id, "wx-1", now, author, body) };
    let event = PositionedEvent { record: &record, at: now, index: 0 };
    let written = env.stack().store.write_events(&event, &[], None, now).await.unwrap();
    assert_eq!(written, WriteResult::New);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(fixture.mock.requests("/bot").len(), 1, "nothing was queued yet");

    fixture.send_webex_message("wx-1", "m-1", "lost?").await;
    fixture.send_webex_message("wx-1", "m-1", "lost?").await;
    let received = fixture.mock.expect_requests("/bot", 2).await;
    assert_eq!(received[1].json()["data"]["text"], "lost?");
}

pub async fn concurrent_first_messages_create_one_conversation(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "at-once").await;
    let posts =
        (0..4).map(|i| fixture.post("webex", webex_message("wx-1", &format!("m-{i}"), "hi"), &[]));
    for (status, _) in join_all(posts).await {
        assert_eq!(status, 200);
    }
    let received = fixture.mock.expect_requests("/bot", 4).await;
    let conversations: std::collections::HashSet<_> =
        received.iter().map(|received| received.json()["conversation"].to_string()).collect();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
}

async fn resend(env: &TestEnvironment, job: &Job, deduplication: &str) {
    env.sqs
        .send_message()
        .queue_url(env.queue_urls().outbound(PlatformId::from_static("webhook")))
        .message_group_id("later")
        .message_deduplication_id(deduplication)
        .message_body(serde_json::to_string(job).unwrap())
        .send()
        .await
        .unwrap();
}
