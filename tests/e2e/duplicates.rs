//! The same thing twice is one thing, however and whenever it comes.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_shared::inbound::take;
use trunkline_shared::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Job, Owner, Platform,
};
use trunkline_shared::store::{Sorted, Written};
use trunkline_tests::{Ahead, Scene, World, webex_message};

pub async fn five_at_once_are_one_delivery(world: &World) {
    let scene = Scene::usual(world, "five").await;
    // Once before, so that the five meet a conversation that goes on, and once a new one.
    scene.customer_writes("old", "m-0", "first").await;
    for customer in ["old", "new"] {
        let body = webex_message(customer, "m-1", "the same");
        let posts = (0..5).map(|_| scene.post("webex", body.clone(), &[]));
        for (status, answer) in join_all(posts).await {
            assert_eq!((status, &answer["token"]), (200, &json!("secret-TOKEN")));
        }
    }
    let heard = scene.far.hears_only("/bot", 3).await;
    let same = heard.iter().filter(|heard| heard.json()["data"]["text"] == "the same");
    assert_eq!(same.count(), 2, "one for each customer");
}

pub async fn six_minutes_later_is_still_one_delivery(world: &World) {
    let scene = Scene::usual(world, "later").await;
    let body = webex_message("wx-1", "m-1", "hello");
    assert_eq!(scene.post("webex", body.clone(), &[]).await.0, 200);
    scene.far.hears("/bot", 1).await;

    // The same webhook again, when the queue has long forgotten it: by the clock that intake is given.
    let app = world.app(Arc::new(Ahead::of_now(SignedDuration::from_mins(6))), None);
    let connection = scene.connection("webex");
    let first = scene.transcript("wx-1").await.remove(0);
    let taken = take(&app, connection, first.event.clone()).await.unwrap();
    assert!(taken.duplicate);

    // And by hand, under an id that the queue has not seen: as if it were requeued by a crash.
    let mut delivery = first.deliveries().next().unwrap();
    delivery.again = true;
    resend(world, &Job::Deliver(Box::new(delivery)), "six-minutes-later").await;
    let bot = scene.far.hears_only("/bot", 1).await;
    assert_eq!(bot[0].json()["data"]["text"], "hello");
}

pub async fn a_message_that_the_queue_gives_again_is_sent_once(world: &World) {
    let scene = Scene::usual(world, "given-again").await;
    scene.customer_writes("wx-1", "m-1", "hello").await;
    scene.far.hears("/bot", 1).await;
    // A worker that recorded the outcome, and died before it could tell the queue.
    let record = loop {
        let record = scene.transcript("wx-1").await.remove(0);
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
    let answer = world.invoke("WebhookOutbound", &event).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    scene.far.hears_only("/bot", 1).await;
}

pub async fn what_was_written_but_not_queued_is_queued_by_the_duplicate(world: &World) {
    let scene = Scene::usual(world, "unqueued").await;
    scene.customer_writes("wx-1", "m-0", "first").await;
    scene.far.hears("/bot", 1).await;
    // An intake that died between the write and the queue leaves just this.
    let now = SystemClock.now();
    let mut record = scene.transcript("wx-1").await.remove(0);
    record.outcomes.clear();
    let body =
        EventBody::Message { content: Content::text("lost?"), metadata: serde_json::Map::new() };
    let (id, author) = (EventId::from_parts(&["m", "m-1"]), Author::nameless(AuthorRole::Customer));
    record.event = Event { floor: Some(Owner::Bot), ..Event::new(id, "wx-1", now, author, body) };
    let sorted = [Sorted { record: &record, at: now, place: 0 }];
    let written = world.stack().store.write_events(&sorted, None, now).await.unwrap();
    assert_eq!(written, Written::New);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(scene.far.heard("/bot").len(), 1, "nothing was queued yet");

    scene.customer_writes("wx-1", "m-1", "lost?").await;
    scene.customer_writes("wx-1", "m-1", "lost?").await;
    let heard = scene.far.hears_only("/bot", 2).await;
    assert_eq!(heard[1].json()["data"]["text"], "lost?");
}

pub async fn two_first_messages_at_once_make_one_conversation(world: &World) {
    let scene = Scene::usual(world, "at-once").await;
    let posts =
        (0..4).map(|i| scene.post("webex", webex_message("wx-1", &format!("m-{i}"), "hi"), &[]));
    for (status, _) in join_all(posts).await {
        assert_eq!(status, 200);
    }
    let heard = scene.far.hears_only("/bot", 4).await;
    let conversations: std::collections::HashSet<_> =
        heard.iter().map(|heard| heard.json()["conversation"].to_string()).collect();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
}

async fn resend(world: &World, job: &Job, deduplication: &str) {
    world
        .sqs
        .send_message()
        .queue_url(&world.stack().facts.queues.outbound[&Platform::Webhook])
        .message_group_id("later")
        .message_deduplication_id(deduplication)
        .message_body(serde_json::to_string(job).unwrap())
        .send()
        .await
        .unwrap();
}
