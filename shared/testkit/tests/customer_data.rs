//! Export and erasure of a customer's data.

use serde_json::Value;
use trunkline_core::model::{ConversationKey, DeliveryPolicy, LegId, Role, Session};
use trunkline_runtime::app::Clock;
use trunkline_runtime::store::{ExportEntry, HeldEvent};
use trunkline_testkit::{Reply, TestStack, message};

/// Exports a customer in pages of `limit` items.
async fn export(stack: &TestStack, key: &ConversationKey, limit: u16) -> Vec<ExportEntry> {
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let (page, next) = stack.app.store.export(key, after.as_deref(), limit).await.unwrap();
        entries.extend(page);
        after = next;
        if after.is_none() {
            return entries;
        }
    }
}

fn of_kind<'a>(entries: &'a [ExportEntry], kind: &str) -> Vec<&'a Value> {
    entries.iter().filter(|entry| entry.kind == kind).map(|entry| &entry.data).collect()
}

async fn send_numbered(stack: &TestStack, customer: &str, number: usize) {
    for i in 0..number {
        stack.accept("channel", customer, &format!("m-{i}"), message(&format!("text {i}"))).await;
    }
    stack.run_until_idle().await;
}

/// The breaker never opens, and the first retry is far away.
async fn with_parking_bot() -> TestStack {
    let stack = TestStack::with_bot().await;
    let delivery =
        DeliveryPolicy { retry: vec![3_600], breaker_after: 1_000, ..DeliveryPolicy::default() };
    stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
    stack.toy.always("bot", Reply::Status(503));
    stack
}

#[tokio::test(start_paused = true)]
async fn pages_of_an_export_have_every_entry_once_and_no_other_customers() {
    let stack = TestStack::with_bot().await;
    send_numbered(&stack, "c-1", 7).await;
    send_numbered(&stack, "c-10", 2).await;
    let key = stack.key("channel", "c-1");
    let entries = export(&stack, &key, 3).await;
    assert_eq!(entries, export(&stack, &key, 1_000).await);
    assert_eq!(of_kind(&entries, "conversation").len(), 1);
    assert_eq!(of_kind(&entries, "leg").len(), 1);
    let mut texts: Vec<&str> = of_kind(&entries, "event")
        .into_iter()
        .map(|event| event["event"]["body"]["content"]["text"].as_str().unwrap())
        .collect();
    texts.sort_unstable();
    assert_eq!(texts, (0..7).map(|i| format!("text {i}")).collect::<Vec<_>>());
    assert!(entries.iter().all(|entry| !entry.data.to_string().contains("c-10")));
}

#[tokio::test(start_paused = true)]
async fn exported_events_have_the_outcomes_of_their_deliveries() {
    let stack = TestStack::with_bot().await;
    send_numbered(&stack, "c-1", 1).await;
    let entries = export(&stack, &stack.key("channel", "c-1"), 100).await;
    assert_eq!(of_kind(&entries, "event")[0]["outcomes"]["bot"]["verdict"], "delivered");
}

/// A party that knows the platform's conversation id could impersonate the customer.
#[tokio::test(start_paused = true)]
async fn export_does_not_contain_the_platforms_conversation_id() {
    let stack = TestStack::with_bot().await;
    send_numbered(&stack, "c-1", 1).await;
    let key = stack.key("channel", "c-1");
    let id = LegId { key: key.clone(), connection: "bot".parse().unwrap() };
    let (store, now) = (&stack.app.store, stack.clock.now());
    let leg = store.leg(&id).await.unwrap();
    let leg = leg.with_session(Session::new("session-2", "not-to-be-exported"), now);
    store.open_leg("toy".parse().unwrap(), &leg, &"session-2".into(), now).await.unwrap();
    let entries = export(&stack, &key, 100).await;
    let legs = of_kind(&entries, "leg");
    assert_eq!(legs[0]["conversations"][1], "session-2");
    assert!(!format!("{legs:?}").contains("not-to-be-exported"));
}

#[tokio::test(start_paused = true)]
async fn export_has_more_parked_deliveries_than_one_page() {
    let stack = with_parking_bot().await;
    send_numbered(&stack, "c-1", 103).await;
    let entries = export(&stack, &stack.key("channel", "c-1"), 1_000).await;
    let parked = of_kind(&entries, "parked");
    let numbers: Vec<u64> = parked.iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..103).collect::<Vec<_>>());
}

/// One response of `DynamoDB` has at most 1 MB.
#[tokio::test(start_paused = true)]
async fn export_of_five_megabytes_is_complete() {
    let stack = with_parking_bot().await;
    let text = "five megabytes ".repeat(3_300);
    for i in 0..105 {
        stack.accept("channel", "c-1", &format!("m-{i}"), message(&format!("{i} {text}"))).await;
    }
    stack.run_until_idle().await;
    let key = stack.key("channel", "c-1");
    for limit in [25, 1_000] {
        let entries = export(&stack, &key, limit).await;
        let events = of_kind(&entries, "event");
        let bytes: usize = events.iter().map(|event| event.to_string().len()).sum();
        assert!(bytes > 5_000_000, "{bytes}");
        let mut ids: Vec<&str> =
            events.iter().map(|event| event["event"]["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        let mut expected: Vec<String> = (0..105).map(|i| format!("m:m-{i}")).collect();
        expected.sort_unstable();
        assert_eq!(ids, expected, "{limit}");
        assert_eq!(of_kind(&entries, "parked").len(), 105, "{limit}");
    }
}

/// Holds events of a customer, who has nothing else stored.
async fn hold(stack: &TestStack, customer: &str, number: usize) -> LegId {
    let key = stack.key("channel", customer);
    let leg = LegId { connection: key.channel.clone(), key };
    for i in 0..number {
        let event = stack.event("channel", customer, &format!("h-{i:03}"), message("held"));
        let held = HeldEvent { event, until: stack.clock.now() };
        stack.app.store.hold(&leg, &held).await.unwrap();
    }
    leg
}

#[tokio::test(start_paused = true)]
async fn export_has_the_held_events_of_a_customer_without_a_conversation() {
    let stack = TestStack::with_bot().await;
    let leg = hold(&stack, "c-1", 103).await;
    let entries = export(&stack, &leg.key, 10).await;
    assert_eq!(of_kind(&entries, "held").len(), 103);
    assert_eq!(entries.len(), 103);
}

#[tokio::test(start_paused = true)]
async fn export_has_held_events_once_although_the_channel_has_a_leg() {
    let stack = TestStack::with_bot().await;
    send_numbered(&stack, "c-1", 1).await;
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", message("hello")).await;
    let leg = hold(&stack, "c-1", 2).await;
    for limit in [1, 2, 3, 100] {
        let entries = export(&stack, &leg.key, limit).await;
        assert_eq!(of_kind(&entries, "held").len(), 2, "{limit}");
        assert_eq!(of_kind(&entries, "leg").len(), 2, "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn erasure_removes_held_events_of_a_customer_without_a_conversation() {
    let stack = TestStack::with_bot().await;
    let (erased, kept) = (hold(&stack, "c-1", 30).await, hold(&stack, "c-2", 1).await);
    stack.app.store.erase(&erased.key).await.unwrap();
    assert!(export(&stack, &erased.key, 100).await.is_empty());
    assert_eq!(export(&stack, &kept.key, 100).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn erasure_removes_pages_of_events_and_parked_deliveries_of_one_customer() {
    let stack = with_parking_bot().await;
    send_numbered(&stack, "c-1", 60).await;
    send_numbered(&stack, "c-2", 1).await;
    let (store, key) = (&stack.app.store, stack.key("channel", "c-1"));
    let external = stack.toy.calls("bot")[0].conversation.as_str().into();
    let bot = "bot".parse().unwrap();
    assert!(store.leg_address(&bot, &external).await.unwrap().is_some());
    assert_eq!(store.erase(&key).await.unwrap(), 60);
    assert!(export(&stack, &key, 100).await.is_empty());
    assert_eq!(store.leg_address(&bot, &external).await.unwrap(), None);
    assert_eq!(store.erase(&key).await.unwrap(), 0, "a repetition finds nothing");
    let waiting = stack.parked("bot").await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].delivery.key.customer, "c-2");
    assert_eq!(stack.transcript("channel", "c-2").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn erasure_removes_failed_deliveries_and_dead_letters_of_one_customer() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(400));
    for customer in ["c-1", "c-2"] {
        send_numbered(&stack, customer, 3).await;
        let bot = "bot".parse().unwrap();
        let leg = LegId { key: stack.key("channel", customer), connection: bot };
        let letter = trunkline_core::model::DeadLetter {
            id: customer.into(),
            platform: "toy".parse().unwrap(),
            at: stack.clock.now(),
            reason: "crashed".into(),
            group: leg.message_group(),
            body: "{}".into(),
        };
        stack.app.store.put_dead_letter(&letter).await.unwrap();
    }
    stack.app.store.erase(&stack.key("channel", "c-1")).await.unwrap();
    let failed = stack.failed("bot").await;
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|one| one.delivery.key.customer == "c-2"));
    let letters = stack.dead_letters().await;
    assert_eq!(letters.iter().map(|letter| letter.id.as_str()).collect::<Vec<_>>(), ["c-2"]);
}

#[tokio::test(start_paused = true)]
async fn erased_customer_starts_a_new_conversation() {
    let stack = TestStack::with_bot().await;
    send_numbered(&stack, "c-1", 1).await;
    let first = stack.toy.conversation("bot");
    stack.app.store.erase(&stack.key("channel", "c-1")).await.unwrap();
    stack.send("channel", "c-1", "m-1", message("hi again")).await;
    assert_ne!(stack.toy.conversation("bot"), first);
    assert_eq!(stack.transcript("channel", "c-1").await.len(), 1);
}
