//! Lists of the table: their order, limits and cursors.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trunkline_core::model::{
    AccessLevel, AuditEntry, DeadLetter, PlatformId, Role, State, Token, TokenKind,
};
use trunkline_runtime::app::Clock;
use trunkline_runtime::store::{Counts, ListQuery, Rejected, Store, list_sort_key};
use trunkline_testkit::{TestStack, close, message};

const TOY: PlatformId = PlatformId::from_static("toy");

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Returns the customers of the channel's conversations in a state.
async fn customers(stack: &TestStack, state: State, query: &ListQuery) -> Vec<String> {
    let channel = "channel".parse().unwrap();
    let found = stack.app.store.conversations(&channel, state, query).await.unwrap();
    found.into_iter().map(|conversation| conversation.key.customer).collect()
}

/// A stack with the conversations of `c-0` to `c-6`, which began in this order, a second apart.
async fn with_seven() -> TestStack {
    let stack = TestStack::with_bot().await;
    for i in 0..7 {
        stack.send("channel", &format!("c-{i}"), "m-0", message("hi")).await;
        stack.advance(seconds(1)).await;
    }
    stack
}

#[tokio::test(start_paused = true)]
async fn conversations_are_listed_page_by_page_with_the_newest_change_first() {
    let stack = with_seven().await;
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let query = ListQuery { after: after.clone(), limit: 3, ..ListQuery::default() };
        let page = customers(&stack, State::Bot, &query).await;
        let Some(last) = page.last() else { break };
        after = Some(list_sort_key(&stack.conversation("channel", last).await));
        pages.push(page);
    }
    assert_eq!(pages, [vec!["c-6", "c-5", "c-4"], vec!["c-3", "c-2", "c-1"], vec!["c-0"]]);
}

/// One response of `DynamoDB` has at most 1 MB.
#[tokio::test(start_paused = true)]
async fn conversations_of_more_than_one_megabyte_are_one_page() {
    let stack = TestStack::with_bot().await;
    let profile = Value::String("x".repeat(15_000));
    for i in 0..90 {
        let customer = format!("c-{i:02}");
        let mut event = stack.event("channel", &customer, "m-0", message("hi"));
        event.origin.insert("profile".to_owned(), profile.clone());
        assert_eq!(stack.post_until_answered("channel", &[event]).await.status, 200);
        stack.advance(seconds(1)).await;
    }
    let query = ListQuery { limit: 100, ..ListQuery::default() };
    let listed = customers(&stack, State::Bot, &query).await;
    let expected: Vec<String> = (0..90).rev().map(|i| format!("c-{i:02}")).collect();
    assert_eq!(listed, expected);
}

#[tokio::test(start_paused = true)]
async fn changed_conversation_moves_to_the_list_of_its_state() {
    let stack = TestStack::with_desk(|_| ()).await;
    for customer in ["c-1", "c-2", "c-3", "c-4"] {
        stack.send("channel", customer, "m-0", message("hi")).await;
    }
    for customer in ["c-2", "c-3"] {
        stack.send("channel", customer, "m-1", message("agent")).await;
    }
    stack.send("desk", &stack.toy.conversation("desk"), "d-1", message("Hello.")).await;
    stack.send("channel", "c-4", "m-1", close("done")).await;
    let query = ListQuery { limit: 10, ..ListQuery::default() };
    for (state, expected) in
        [(State::Bot, "c-1"), (State::Pending, "c-2"), (State::Desk, "c-3"), (State::Closed, "c-4")]
    {
        assert_eq!(customers(&stack, state, &query).await, [expected], "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_range_includes_its_start_and_excludes_its_end() {
    let stack = with_seven().await;
    let at = async |customer| Some(stack.conversation("channel", customer).await.touched_at);
    let query =
        ListQuery { since: at("c-2").await, until: at("c-5").await, limit: 10, after: None };
    assert_eq!(customers(&stack, State::Bot, &query).await, ["c-4", "c-3", "c-2"]);
    // The pages of a range end with the range.
    let cursor = list_sort_key(&stack.conversation("channel", "c-3").await);
    let rest = ListQuery { after: Some(cursor), ..query.clone() };
    assert_eq!(customers(&stack, State::Bot, &rest).await, ["c-2"]);
    let cursor = list_sort_key(&stack.conversation("channel", "c-1").await);
    let none = ListQuery { after: Some(cursor), ..query };
    assert!(customers(&stack, State::Bot, &none).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn timeline_is_read_page_by_page_with_the_newest_event_first() {
    let stack = TestStack::with_bot().await;
    for i in 0..7 {
        stack.send("channel", "c-1", &format!("m-{i}"), message(&i.to_string())).await;
    }
    let key = stack.key("channel", "c-1");
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let timeline = stack.app.store.timeline(&key, after.as_ref(), 3, stack.clock.now());
        let (page, next) = timeline.await.unwrap();
        let ids = page.iter().map(|record| record.event.id.as_str().to_owned());
        pages.push(ids.collect::<Vec<_>>());
        after = next;
        if after.is_none() {
            break;
        }
    }
    let expected: [Vec<String>; 3] = [[6, 5, 4].as_slice(), &[3, 2, 1], &[0]]
        .map(|page| page.iter().map(|number| format!("m:m-{number}")).collect());
    assert_eq!(pages, expected);
}

#[tokio::test(start_paused = true)]
async fn transcript_has_the_newest_hundred_events_with_the_oldest_first() {
    let stack = TestStack::with_bot().await;
    for i in 0..103 {
        stack.accept("channel", "c-1", &format!("m-{i}"), message("hi")).await;
    }
    let ids: Vec<String> = stack
        .transcript("channel", "c-1")
        .await
        .into_iter()
        .map(|record| record.event.id.as_str().to_owned())
        .collect();
    let expected: Vec<String> = (3..103).map(|number| format!("m:m-{number}")).collect();
    assert_eq!(ids, expected);
    let (key, now) = (stack.key("channel", "c-1"), stack.clock.now());
    let two = stack.app.store.transcript(&key, 2, now).await.unwrap();
    assert_eq!(two.len(), 2);
    assert_eq!(two[1].event.id.as_str(), "m:m-102");
}

#[tokio::test(start_paused = true)]
async fn connections_and_routes_are_listed_by_id() {
    let stack = TestStack::with_bot().await;
    stack.connect("z-9", Role::Observer, |_| ()).await;
    stack.connect("a-1", Role::Desk, |_| ()).await;
    // Another version of a connection is not another entry.
    stack.connect("a-1", Role::Desk, |_| ()).await;
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = stack.app.store.connections(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        pages.push(page.into_iter().map(|one| (one.id.to_string(), one.role)).collect::<Vec<_>>());
    }
    let entry = |id: &str, role| (id.to_owned(), role);
    assert_eq!(
        pages,
        [
            [entry("a-1", Role::Desk), entry("bot", Role::Bot)],
            [entry("channel", Role::Channel), entry("z-9", Role::Observer)],
        ]
    );
    stack.route("other", |_| ()).await;
    let first = stack.app.store.routes(None, 1).await.unwrap();
    assert_eq!(first, ["main".parse().unwrap()]);
    let second = stack.app.store.routes(first.first(), 1).await.unwrap();
    assert_eq!(second, ["other".parse().unwrap()]);
    assert!(stack.app.store.routes(second.first(), 1).await.unwrap().is_empty());
}

fn letter(id: &str, reason: &str) -> DeadLetter {
    DeadLetter {
        id: id.into(),
        platform: TOY,
        at: Timestamp::UNIX_EPOCH,
        reason: reason.into(),
        group: "leg".into(),
        body: "{}".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn dead_letter_that_is_stored_twice_is_one_and_is_deleted_once() {
    let stack = TestStack::start().await;
    let store = &stack.app.store;
    for (id, reason) in [("b", "second"), ("a", "first"), ("b", "again")] {
        store.put_dead_letter(&letter(id, reason)).await.unwrap();
    }
    let all = store.dead_letters(None, 10).await.unwrap();
    assert_eq!(all, [letter("a", "first"), letter("b", "again")], "the oldest id is first");
    assert_eq!(store.dead_letters(Some("a"), 10).await.unwrap(), all[1..]);
    assert!(store.delete_dead_letter(&all[0]).await.unwrap());
    assert!(!store.delete_dead_letter(&all[0]).await.unwrap());
    assert_eq!(store.dead_letters(None, 10).await.unwrap(), all[1..]);
}

/// Returns the ids of a page of the audit log.
async fn audit_page(store: &Store, after: Option<&str>) -> Vec<String> {
    let page = store.audit_entries(after, 2).await.unwrap();
    page.into_iter().map(|entry| entry.id).collect()
}

#[tokio::test(start_paused = true)]
async fn audit_log_is_listed_with_the_newest_entry_first() {
    let stack = TestStack::start().await;
    for id in ["1", "2", "3"] {
        let entry = AuditEntry {
            id: id.into(),
            at: stack.clock.now(),
            actor: "ann".into(),
            role: AccessLevel::Operator,
            action: "replay".into(),
            target: "bot".into(),
            detail: Value::Null,
        };
        stack.app.store.put_audit(&entry).await.unwrap();
    }
    assert_eq!(audit_page(&stack.app.store, None).await, ["3", "2"]);
    assert_eq!(audit_page(&stack.app.store, Some("2")).await, ["1"]);
    assert!(audit_page(&stack.app.store, Some("1")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn token_is_found_until_it_is_deleted_by_one_of_two_operators() {
    let stack = TestStack::start().await;
    let store = &stack.app.store;
    let token = |id: &str| Token {
        id: id.into(),
        name: "ci".into(),
        role: AccessLevel::Viewer,
        kind: TokenKind::Operator,
        digest: "digest".into(),
        created_at: stack.clock.now(),
        expires_at: None,
    };
    for id in ["b", "a"] {
        store.put_token(&token(id)).await.unwrap();
    }
    assert_eq!(store.tokens(None, 10).await.unwrap(), [token("a"), token("b")]);
    assert_eq!(store.tokens(Some("a"), 10).await.unwrap(), [token("b")]);
    let both = tokio::join!(store.delete_token("a"), store.delete_token("a"));
    assert_ne!(both.0.unwrap(), both.1.unwrap(), "one deletes it, the other does not");
    assert_eq!(store.token("a").await.unwrap(), None);
    assert_eq!(store.token("b").await.unwrap(), Some(token("b")));
}

#[tokio::test(start_paused = true)]
async fn wrong_tokens_are_counted_by_source_and_minute() {
    let stack = TestStack::start().await;
    let (store, now) = (&stack.app.store, stack.clock.now());
    for expected in 1..=3 {
        assert_eq!(store.count_token_failure("192.0.2.1", now).await.unwrap(), expected);
    }
    let failures = async |source, at| store.token_and_failures("none", source, at).await.unwrap();
    assert_eq!(failures("192.0.2.1", now + seconds(59)).await, (None, 3), "the same minute");
    assert_eq!(failures("192.0.2.1", now + seconds(60)).await, (None, 0), "the next minute");
    assert_eq!(failures("192.0.2.2", now).await, (None, 0), "another source");
}

#[tokio::test(start_paused = true)]
async fn rejected_body_is_cut_to_32_kib_and_keeps_its_size() {
    let stack = TestStack::with_bot().await;
    let (channel, now) = ("channel".parse().unwrap(), stack.clock.now());
    let store = &stack.app.store;
    for (second, body) in [(0, "x".repeat(40_000).into_bytes()), (1, vec![b'{', 0xff])] {
        let rejected = Rejected::new(now + seconds(second), "because".into(), &body);
        store.put_rejected(&channel, &second.to_string(), &rejected).await.unwrap();
    }
    let newest = store.rejected(&channel, None, 1).await.unwrap();
    assert_eq!(newest[0].1.body, "{\u{fffd}", "the newest is first");
    let rest = store.rejected(&channel, Some(&newest[0].0), 10).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].1.body.len(), rest[0].1.size), (32 * 1024, 40_000));
    assert!(store.rejected(&"bot".parse().unwrap(), None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rates_of_one_minute_are_added_up() {
    let stack = TestStack::start().await;
    let (store, now) = (&stack.app.store, stack.clock.now());
    let (shop, other) = ("shop".parse().unwrap(), "other".parse().unwrap());
    let counts = |accepted, failed| -> Counts {
        BTreeMap::from([("accepted".to_owned(), accepted), ("failed".to_owned(), failed)])
    };
    for (connection, minute, added) in [
        (&shop, now, counts(2, 1)),
        (&shop, now, counts(3, 0)),
        (&shop, now + seconds(60), counts(7, 7)),
        (&other, now, counts(9, 9)),
    ] {
        store.add_rates(connection, minute, &added).await.unwrap();
    }
    let first = (now, counts(5, 1));
    let second = (now + seconds(60), counts(7, 7));
    // The minute that contains the start of the range is included.
    let all = store.rates(&shop, now + seconds(59)).await.unwrap();
    assert_eq!(all, [first, second.clone()]);
    assert_eq!(store.rates(&shop, now + seconds(60)).await.unwrap(), [second]);
}

#[tokio::test(start_paused = true)]
async fn queue_without_a_worker_is_stalled_since_the_check_that_found_it() {
    let stack = TestStack::with_bot().await;
    stack.accept("channel", "c-1", "m-1", message("hi")).await;
    let found = stack.clock.now();
    assert!(stack.tick().await);
    stack.clock.advance(seconds(60));
    assert!(stack.tick().await);
    let stalled = stack.app.store.stalled_queues().await.unwrap();
    assert_eq!(stalled.keys().collect::<Vec<_>>(), [&TOY]);
    assert!(stalled[&TOY].duration_since(found) < seconds(1), "{stalled:?}");
    stack.run_until_idle().await;
    assert!(stack.tick().await);
    assert!(stack.app.store.stalled_queues().await.unwrap().is_empty());
}
