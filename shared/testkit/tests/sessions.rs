//! Sessions on legs: correlation hints, conversations that agents start, listeners, and held events.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trunkline_core::model::{
    Author, AuthorRole, Connection, CorrelationHint, Event, EventBody, LegId, Owner, PlatformId,
    Role, Session,
};
use trunkline_runtime::app::Clock;
use trunkline_runtime::listener;
use trunkline_runtime::store::{Lease, LegAddress, StoreError};
use trunkline_testkit::aws::Sqs;
use trunkline_testkit::aws::sqs::QueueConfig;
use trunkline_testkit::{CallResponse, TestStack, message};

const TOY: PlatformId = PlatformId::from_static("toy");
const LISTEN: &str = "test-toy-listen";

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn leg(stack: &TestStack, customer: &str, connection: &str) -> LegId {
    LegId { key: stack.key("channel", customer), connection: connection.parse().unwrap() }
}

/// Stores the hint `order-7` to the bot's leg of a customer.
async fn put_hint(stack: &TestStack, customer: &str, at: Timestamp) {
    let session = format!("session of {customer}").as_str().into();
    let leg = leg(stack, customer, "bot");
    stack.app.store.put_correlation_hint(&leg, &session, "order-7", at).await.unwrap();
}

/// Returns the customer to whom the hint `order-7` of a connection leads.
async fn hinted(stack: &TestStack, connection: &str, at: Timestamp) -> Option<String> {
    let connection = connection.parse().unwrap();
    let found = stack.app.store.leg_address_by_hint(&connection, "order-7", at).await.unwrap();
    found.map(|address| address.key.customer)
}

#[tokio::test(start_paused = true)]
async fn hint_leads_to_its_conversation_for_one_minute() {
    let stack = TestStack::with_bot().await;
    let now = stack.clock.now();
    assert_eq!(hinted(&stack, "bot", now).await, None);
    put_hint(&stack, "c-1", now).await;
    assert_eq!(hinted(&stack, "bot", now + seconds(60)).await.as_deref(), Some("c-1"));
    assert_eq!(hinted(&stack, "bot", now + seconds(61)).await, None);
    assert_eq!(hinted(&stack, "channel", now).await, None, "another connection's hint");
    // The same leg may repeat it.
    put_hint(&stack, "c-1", now + seconds(30)).await;
    assert_eq!(hinted(&stack, "bot", now + seconds(90)).await.as_deref(), Some("c-1"));
}

#[tokio::test(start_paused = true)]
async fn hint_of_two_conversations_leads_to_neither_until_it_has_expired() {
    let stack = TestStack::with_bot().await;
    let now = stack.clock.now();
    put_hint(&stack, "c-1", now).await;
    put_hint(&stack, "c-2", now + seconds(1)).await;
    assert_eq!(hinted(&stack, "bot", now + seconds(1)).await, None);
    put_hint(&stack, "c-1", now + seconds(2)).await;
    assert_eq!(hinted(&stack, "bot", now + seconds(2)).await, None, "it stays ambiguous");
    put_hint(&stack, "c-2", now + seconds(63)).await;
    assert_eq!(hinted(&stack, "bot", now + seconds(63)).await.as_deref(), Some("c-2"));
}

/// Sends a message of the bot under an id of its own, with a hint.
async fn hint_and_send(stack: &TestStack, id: &str, hint: Option<CorrelationHint>) -> CallResponse {
    let event = stack.event("bot", "their-own-id", id, message(id));
    let answer = stack.post("bot", &[Event { correlation_hint: hint, ..event }]).await;
    stack.run_until_idle().await;
    answer
}

#[tokio::test(start_paused = true)]
async fn event_with_a_hint_binds_the_platforms_id_to_the_conversation() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    let conversation = stack.conversation("channel", "c-1").await;
    let (leg, now) = (leg(&stack, "c-1", "bot"), stack.clock.now());
    let session = conversation.id.as_session_id();
    stack.app.store.put_correlation_hint(&leg, session, "order-7", now).await.unwrap();
    let wrong = Some(CorrelationHint::Key("order-8".into()));
    assert_eq!(hint_and_send(&stack, "b-0", wrong).await.code(), "unknown_conversation");
    let hint = Some(CorrelationHint::Key("order-7".into()));
    assert!(hint_and_send(&stack, "b-1", hint).await.is_success());
    stack.advance(SignedDuration::from_hours(1)).await;
    assert!(hint_and_send(&stack, "b-2", None).await.is_success(), "the id is known now");
    assert_eq!(stack.toy.heard("channel"), ["b-1", "b-2"]);
}

#[tokio::test(start_paused = true)]
async fn event_that_overtakes_its_conversations_id_waits_for_it() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    let conversation = stack.conversation("channel", "c-1").await;
    let address = LegAddress {
        key: stack.key("channel", "c-1"),
        session_id: conversation.id.as_session_id().clone(),
    };
    let late = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (bot, id) = ("bot".parse().unwrap(), "their-own-id".into());
        stack.app.store.put_leg_address(&bot, &id, &address, stack.clock.now()).await.unwrap();
    };
    let pending = Some(CorrelationHint::Pending);
    let (answer, ()) = tokio::join!(hint_and_send(&stack, "b-1", pending), late);
    assert!(answer.is_success(), "{answer:?}");
    assert_eq!(stack.toy.heard("channel"), ["b-1"]);
}

#[tokio::test(start_paused = true)]
async fn event_of_an_unknown_conversation_is_refused_after_the_last_look_up() {
    let stack = TestStack::with_bot().await;
    let start = stack.clock.now();
    let refused = hint_and_send(&stack, "b-1", None).await;
    assert_eq!((refused.status, refused.code()), (404, "unknown_conversation"));
    assert!(stack.clock.now().duration_since(start) < SignedDuration::from_millis(100), "at once");
    let start = stack.clock.now();
    let refused = hint_and_send(&stack, "b-1", Some(CorrelationHint::Pending)).await;
    assert_eq!((refused.status, refused.code()), (404, "unknown_conversation"));
    let waited = stack.clock.now().duration_since(start);
    assert!(waited >= SignedDuration::from_millis(1_300) && waited < seconds(4), "{waited:?}");
}

/// Sends an agent's message on the channel under `conversation`, which may be another id than the customer's.
async fn forward(
    stack: &TestStack,
    conversation: &str,
    customer: Option<&str>,
    id: &str,
) -> CallResponse {
    let event = stack.event("channel", conversation, id, message(id));
    let hint = CorrelationHint::Customer(customer.map(Into::into));
    let author = Author::nameless(AuthorRole::Unknown);
    let event =
        Event { author, claimed_owner: Some(Owner::Desk), correlation_hint: Some(hint), ..event };
    let answer = stack.post("channel", &[event]).await;
    stack.run_until_idle().await;
    answer
}

/// Shows W29.
#[tokio::test(start_paused = true)]
async fn channels_event_under_another_id_is_joined_to_the_customer_that_it_names() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    stack.send("channel", "c-2", "m-1", message("hello")).await;
    for (conversation, customer, id) in [
        ("agents-1", Some("c-1"), "a-1"),
        ("agents-1", None, "a-2"),
        ("c-1", None, "a-3"),
        ("c-1", Some("c-1"), "a-4"),
    ] {
        let answer = forward(&stack, conversation, customer, id).await;
        assert!(answer.is_success(), "{id}: {answer:?}");
    }
    let ids: Vec<_> = stack.transcript("channel", "c-1").await;
    let ids: Vec<_> = ids.iter().map(|record| record.event.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["m:m-0", "m:a-1", "m:a-2", "m:a-3", "m:a-4"]);
    assert_eq!(stack.conversation("channel", "c-1").await.owner(), Owner::Desk);
    assert_eq!(stack.conversation("channel", "c-2").await.owner(), Owner::Bot);
}

/// Shows W29.
#[tokio::test(start_paused = true)]
async fn channels_event_that_cannot_be_joined_is_kept_as_rejected() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    stack.send("channel", "c-2", "m-1", message("hello")).await;
    assert!(forward(&stack, "agents-1", Some("c-1"), "a-1").await.is_success());
    for (conversation, customer, id) in [
        ("agents-2", None, "a-2"),
        ("agents-2", Some("unknown"), "a-3"),
        ("agents-1", Some("c-2"), "a-4"),
        ("c-2", Some("c-1"), "a-5"),
        ("agents-2", Some(&*"é".repeat(2_000)), "a-6"),
    ] {
        let answer = forward(&stack, conversation, customer, id).await;
        assert_eq!((answer.status, answer.code()), (404, "unknown_conversation"), "{id}");
    }
    let channel = "channel".parse().unwrap();
    assert_eq!(stack.app.store.rejected(&channel, None, 10).await.unwrap().len(), 5);
    assert!(stack.transcript("channel", "agents-2").await.is_empty(), "no conversation starts");
    assert_eq!(stack.transcript("channel", "c-2").await.len(), 1);
}

/// Starts a conversation with a customer as the desk does, under the desk's own id `case-7`.
async fn initiate(stack: &TestStack, desk: &str, customer: &str) -> CallResponse {
    let event = stack.event(desk, "case-7", "d-1", message("We have news."));
    let recipient = Some(stack.key("channel", customer));
    let answer = stack.post(desk, &[Event { intended_recipient: recipient, ..event }]).await;
    stack.run_until_idle().await;
    answer
}

#[tokio::test(start_paused = true)]
async fn customer_answers_a_conversation_that_an_agent_started_under_the_desks_own_id() {
    let stack = TestStack::with_desk(|_| ()).await;
    assert!(initiate(&stack, "desk", "c-1").await.is_success());
    assert_eq!(stack.toy.heard("channel").last().unwrap(), "We have news.");
    stack.send("channel", "c-1", "c-1", message("Which?")).await;
    assert_eq!(stack.toy.heard("desk"), ["Which?"]);
    assert_eq!(stack.toy.conversation("desk"), "case-7");
    assert!(stack.toy.calls("bot").is_empty());
    stack.send("desk", "case-7", "d-2", message("Your parcel.")).await;
    assert_eq!(stack.toy.taken("channel").pop().unwrap().conversation, "c-1");
}

#[tokio::test(start_paused = true)]
async fn desk_cannot_start_a_conversation_on_the_channel_of_another_route() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.connect("foreign", Role::Desk, |_| ()).await;
    let refused = initiate(&stack, "foreign", "c-1").await;
    assert_eq!((refused.status, refused.code()), (404, "unknown_conversation"));
    assert!(stack.toy.calls("channel").is_empty());
    assert!(stack.transcript("channel", "c-1").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn outdated_leg_is_not_written() {
    let stack = TestStack::with_bot().await;
    let (id, now) = (leg(&stack, "c-1", "bot"), stack.clock.now());
    let read = stack.app.store.leg(&id).await.unwrap();
    let first = read.with_session(Session::new("s-1", "e-1"), now);
    stack.app.store.open_leg(TOY, &first, &"s-1".into(), now).await.unwrap();
    let second = read.with_session(Session::new("s-2", "e-2"), now);
    let result = stack.app.store.open_leg(TOY, &second, &"s-2".into(), now).await;
    assert!(matches!(result, Err(StoreError::Conflict)), "{result:?}");
    let found = stack.app.store.leg_address(&id.connection, &"e-2".into()).await.unwrap();
    assert_eq!(found, None, "the index is not written either");
}

/// Opens a session that needs a listener, at a time.
async fn open_listening(stack: &TestStack, customer: &str, at: Timestamp) {
    let leg = stack.app.store.leg(&leg(stack, customer, "bot")).await.unwrap();
    let session = Session { needs_listener: true, ..Session::new("s-1", customer) };
    let leg = leg.with_session(session, at);
    stack.app.store.open_leg(TOY, &leg, &"s-1".into(), at).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn active_sessions_are_listed_by_their_start_until_they_are_deactivated() {
    let stack = TestStack::with_bot().await;
    let (store, now) = (&stack.app.store, stack.clock.now());
    for (customer, after) in [("c-2", 2), ("c-1", 1), ("c-3", 3)] {
        open_listening(&stack, customer, now + seconds(after)).await;
    }
    let first = store.active_sessions(TOY, None, 2).await.unwrap();
    let names = |found: &[trunkline_runtime::store::ActiveSession]| -> Vec<String> {
        found.iter().map(|one| one.leg.key.customer.clone()).collect()
    };
    assert_eq!(names(&first), ["c-1", "c-2"]);
    let rest = store.active_sessions(TOY, Some(&first[1].sort_key()), 2).await.unwrap();
    assert_eq!(names(&rest), ["c-3"]);
    store.deactivate(TOY, &first[0]).await.unwrap();
    let left = store.active_sessions(TOY, None, 10).await.unwrap();
    assert_eq!(names(&left), ["c-2", "c-3"]);
    let fax = PlatformId::from_static("fax");
    assert!(store.active_sessions(fax, None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn lease_belongs_to_one_listener_until_it_expires_or_is_passed_on() {
    let stack = TestStack::start().await;
    let (store, now) = (&stack.app.store, stack.clock.now());
    assert_eq!(store.lease(TOY).await.unwrap(), None);
    let take = async |holder: &str, predecessor, after| {
        let at = now + seconds(after);
        let lease = Lease { holder: holder.into(), until: at + seconds(12) };
        store.take_lease(TOY, &lease, predecessor, at).await.unwrap()
    };
    assert!(take("first", None, 0).await);
    assert!(!take("second", None, 12).await, "it expires after 12 seconds");
    assert!(take("first", None, 12).await, "the holder renews it");
    assert!(!take("second", Some("another"), 13).await);
    assert!(take("second", Some("first"), 13).await, "the predecessor passes it on");
    assert!(!take("first", None, 14).await);
    assert!(take("first", None, 26).await, "it has expired");
    let lease = store.lease(TOY).await.unwrap().unwrap();
    assert_eq!(lease, Lease { holder: "first".into(), until: now + seconds(38) });
}

#[tokio::test(start_paused = true)]
async fn crashed_listener_is_replaced_while_a_session_is_active() {
    let stack = TestStack::with_bot().await;
    stack.sqs.create(LISTEN, QueueConfig::default());
    assert!(Sqs::url(LISTEN).ends_with(LISTEN));
    open_listening(&stack, "c-1", stack.clock.now()).await;
    listener::ensure_running(&stack.app, TOY).await.unwrap();
    assert_eq!(stack.sqs.messages(LISTEN).len(), 1);
    assert!(listener::acquire_lease(&stack.app, TOY, "first", None).await.unwrap());
    listener::ensure_running(&stack.app, TOY).await.unwrap();
    assert_eq!(stack.sqs.messages(LISTEN).len(), 1, "one is running");
    // It crashes: it does not renew its lease.
    stack.advance(seconds(16)).await;
    assert!(stack.sqs.messages(LISTEN).len() >= 2, "another one is started");
    let sessions = stack.app.store.active_sessions(TOY, None, 1).await.unwrap();
    stack.app.store.deactivate(TOY, &sessions[0]).await.unwrap();
    stack.advance(seconds(60)).await;
    let started = stack.sqs.messages(LISTEN).len();
    stack.advance(seconds(600)).await;
    assert_eq!(stack.sqs.messages(LISTEN).len(), started, "nothing runs without a session");
    assert_eq!(stack.scheduled_tasks(), 0);
}

/// A stack whose channel holds events for three seconds.
async fn with_window() -> TestStack {
    let stack = TestStack::with_bot().await;
    stack
        .connect("channel", Role::Channel, |channel: &mut Connection| {
            channel.reorder_window = Some(3);
        })
        .await;
    stack
}

/// Posts an event of the customer `c-1` whose own time is `age` seconds ago.
async fn post(stack: &TestStack, id: &str, age: i64, body: EventBody) {
    let event = stack.event("channel", "c-1", id, body);
    let event = Event { at: event.at - seconds(age), ..event };
    assert!(stack.post("channel", &[event]).await.is_success());
}

#[tokio::test(start_paused = true)]
async fn released_event_takes_all_earlier_ones_with_it() {
    let stack = with_window().await;
    post(&stack, "c-2", 0, message("second")).await;
    stack.advance(seconds(2)).await;
    post(&stack, "c-1", 10, message("first")).await;
    post(&stack, "c-3", 0, message("third")).await;
    assert!(stack.toy.calls("bot").is_empty());
    stack.advance(seconds(2)).await;
    assert_eq!(stack.toy.heard("bot"), ["first", "second"]);
    stack.advance(seconds(2)).await;
    assert_eq!(stack.toy.heard("bot"), ["first", "second", "third"]);
    let held = stack.app.store.held(&leg(&stack, "c-1", "channel"), None, 10).await.unwrap();
    assert!(held.is_empty());
}

#[tokio::test(start_paused = true)]
async fn event_after_its_window_is_delivered_late_and_recorded_at_its_own_time() {
    let stack = with_window().await;
    post(&stack, "c-2", 0, message("second")).await;
    stack.advance(seconds(5)).await;
    post(&stack, "c-1", 30, message("first")).await;
    stack.advance(seconds(5)).await;
    assert_eq!(stack.toy.heard("bot"), ["second", "first"]);
    let ids: Vec<String> = stack
        .transcript("channel", "c-1")
        .await
        .into_iter()
        .map(|record| record.event.id.as_str().to_owned())
        .collect();
    assert_eq!(ids, ["m:c-1", "m:c-2"]);
}

#[tokio::test(start_paused = true)]
async fn held_event_that_arrives_twice_is_delivered_once() {
    let stack = with_window().await;
    let event = stack.event("channel", "c-1", "c-1", message("hi"));
    for _ in 0..2 {
        assert!(stack.post("channel", std::slice::from_ref(&event)).await.is_success());
    }
    stack.advance(seconds(10)).await;
    assert_eq!(stack.toy.calls("bot").len(), 1);
    assert_eq!(stack.transcript("channel", "c-1").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn held_event_that_is_rejected_is_stored_and_does_not_stop_the_next() {
    let stack = with_window().await;
    post(&stack, "c-1", 1, EventBody::Accept).await;
    post(&stack, "c-2", 0, message("hi")).await;
    stack.advance(seconds(5)).await;
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
    let channel = "channel".parse().unwrap();
    let rejected = stack.app.store.rejected(&channel, None, 10).await.unwrap();
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].1.body.contains("m:c-1"), "{rejected:?}");
}
