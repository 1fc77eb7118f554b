//! The actions of operators: pages and selections of pending deliveries, redrive, and verification.

use jiff::SignedDuration;
use trunkline_core::model::{DeadLetter, DeliveryPolicy, PlatformId, Role, Route, Verdict};
use trunkline_runtime::app::Clock;
use trunkline_runtime::operator::{
    PageCursor, PendingDelivery, PendingKind, Selection, VerifyError,
};
use trunkline_testkit::{Reply, TestStack, message};

const TOY: PlatformId = PlatformId::from_static("toy");

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A stack whose bot and observer `watch` park most messages for an hour, and fail those with `venom`.
async fn with_pending() -> TestStack {
    let stack = TestStack::with_bot().await;
    let delivery =
        DeliveryPolicy { retry: vec![3_600], breaker_after: 1_000, ..DeliveryPolicy::default() };
    stack.connect("watch", Role::Observer, |watch| watch.delivery = delivery.clone()).await;
    stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
    let observe = |route: &mut Route| route.observers = vec!["watch".parse().unwrap()];
    stack.route("main", observe).await;
    for connection in ["bot", "watch"] {
        stack.toy.for_word(connection, "venom", Reply::Status(400));
        stack.toy.always(connection, Reply::Status(503));
    }
    stack
}

/// Sends messages of several customers: the first of `c-1` to `c-3` fail, and the others are parked.
async fn send_all(stack: &TestStack) {
    for customer in ["c-1", "c-2", "c-3"] {
        for text in ["venom", "one", "two"] {
            let text = format!("{text} of {customer}");
            stack.send("channel", customer, &text, message(&text)).await;
        }
    }
}

/// Describes pending deliveries by kind, connection and text.
fn summaries(pending: &[PendingDelivery]) -> Vec<String> {
    let summary = |one: &PendingDelivery| {
        let kind = if matches!(one, PendingDelivery::Parked(_)) { "parked" } else { "failed" };
        let delivery = one.details().delivery;
        let text = match &delivery.event.body {
            trunkline_core::model::EventBody::Message { content, .. } => content.text.clone(),
            _ => None,
        };
        format!("{kind} {} {}", delivery.to.connection, text.unwrap_or_default())
    };
    pending.iter().map(summary).collect()
}

async fn pending(stack: &TestStack, selection: &Selection) -> Vec<String> {
    summaries(&stack.app.operator_actions().pending(selection).await.unwrap())
}

/// Reads all pages of `limit` deliveries. Cursors pass through their JSON, as in the console.
async fn pages(
    stack: &TestStack,
    selection: &Selection,
    only: Option<PendingKind>,
    limit: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut after: Option<PageCursor> = None;
    loop {
        let actions = stack.app.operator_actions();
        let (page, next) = actions.page(selection, only, after, limit).await.unwrap();
        assert!(page.len() <= limit);
        found.extend(summaries(&page));
        let Some(next) = next else { return found };
        after = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_any_size_have_every_pending_delivery_once_in_the_same_order() {
    let stack = with_pending().await;
    send_all(&stack).await;
    let all = pending(&stack, &Selection::default()).await;
    let beginnings = ["parked bot", "parked watch", "failed bot", "failed watch"];
    let numbers = beginnings.map(|beginning| {
        let first = all.iter().position(|one| one.starts_with(beginning)).unwrap();
        (first, all.iter().filter(|one| one.starts_with(beginning)).count())
    });
    // The observer also receives the receipts of the bot's three failures.
    assert_eq!(numbers, [(0, 6), (6, 9), (15, 3), (18, 3)], "{all:?}");
    let of_c_1: Vec<_> = all.iter().filter(|one| one.ends_with("c-1")).collect();
    assert_eq!(of_c_1[..2], ["parked bot one of c-1", "parked bot two of c-1"]);
    for limit in [1, 2, 5, 6, 7, 15, 21, 22] {
        let found = pages(&stack, &Selection::default(), None, limit).await;
        assert_eq!(found, all, "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_one_kind_have_only_that_kind() {
    let stack = with_pending().await;
    send_all(&stack).await;
    let all = pending(&stack, &Selection::default()).await;
    for limit in [1, 4, 100] {
        let parked = pages(&stack, &Selection::default(), Some(PendingKind::Parked), limit).await;
        assert_eq!(parked, all[..15], "{limit}");
        let failed = pages(&stack, &Selection::default(), Some(PendingKind::Failed), limit).await;
        assert_eq!(failed, all[15..], "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn selection_is_by_connection_conversation_delivery_and_age() {
    let stack = with_pending().await;
    send_all(&stack).await;
    let since = stack.clock.now() + seconds(60);
    stack.advance(seconds(60)).await;
    stack.send("channel", "c-4", "late", message("late of c-4")).await;
    let bot = Selection { connection: Some("bot".parse().unwrap()), ..Selection::default() };
    let found = pending(&stack, &bot).await;
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|one| one.contains(" bot ")), "{found:?}");

    let conversation = stack.conversation("channel", "c-2").await.id;
    let of_c_2 = Selection { conversation: Some(conversation), ..bot.clone() };
    let expected = ["parked bot one of c-2", "parked bot two of c-2", "failed bot venom of c-2"];
    assert_eq!(pending(&stack, &of_c_2).await, expected);
    assert_eq!(pages(&stack, &of_c_2, None, 1).await, expected);

    let second = stack.parked("watch").await.remove(1).delivery.id;
    let one = Selection { delivery: Some(second), ..Selection::default() };
    assert_eq!(pending(&stack, &one).await.len(), 1);

    let young = Selection { since: Some(since), ..Selection::default() };
    assert_eq!(
        pending(&stack, &young).await,
        ["parked bot late of c-4", "parked watch late of c-4"]
    );
}

#[tokio::test(start_paused = true)]
async fn replay_of_one_connection_leaves_the_others_alone() {
    let stack = with_pending().await;
    send_all(&stack).await;
    for connection in ["bot", "watch"] {
        stack.toy.always(connection, None);
        stack.toy.for_word(connection, "venom", None);
    }
    let bot = Selection { connection: Some("bot".parse().unwrap()), ..Selection::default() };
    assert_eq!(stack.app.operator_actions().replay(&bot).await.unwrap(), 9);
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot").len(), 9, "without a wait for the retry");
    assert!(stack.toy.heard("watch").is_empty());
    let left = pending(&stack, &Selection::default()).await;
    assert!(left.len() > 9 && left.iter().all(|one| one.contains(" watch ")), "{left:?}");
    assert_eq!(stack.app.operator_actions().replay(&bot).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn replayed_delivery_that_fails_again_starts_its_attempts_over() {
    let stack = with_pending().await;
    stack.send("channel", "c-1", "m-0", message("venom")).await;
    stack.toy.for_word("bot", "venom", None);
    let bot = Selection { connection: Some("bot".parse().unwrap()), ..Selection::default() };
    stack.app.operator_actions().replay(&bot).await.unwrap();
    stack.run_until_idle().await;
    assert!(stack.failed("bot").await.is_empty());
    let parked = stack.parked("bot").await;
    assert_eq!((parked.len(), parked[0].attempts), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn discarded_failure_keeps_its_reason_and_cannot_be_replayed() {
    let stack = with_pending().await;
    stack.send("channel", "c-1", "m-0", message("venom")).await;
    let actions = stack.app.operator_actions();
    let bot = Selection { connection: Some("bot".parse().unwrap()), ..Selection::default() };
    assert_eq!(actions.discard(&bot).await.unwrap(), 1);
    let outcome = stack.outcome("channel", "c-1", "venom", "bot").await.unwrap();
    assert_eq!((outcome.verdict, outcome.attempts), (Verdict::Discarded, 1));
    assert!(outcome.reason.is_some_and(|reason| reason.contains("400")));
    assert_eq!(actions.replay(&bot).await.unwrap(), 0);
    assert!(stack.accounting().await.lost.is_empty());
}

#[tokio::test(start_paused = true)]
async fn discarded_delivery_in_the_middle_leaves_the_order_of_the_others() {
    let stack = with_pending().await;
    for text in ["one", "two", "three"] {
        stack.send("channel", "c-1", text, message(text)).await;
    }
    let second = stack.parked("bot").await.remove(1).delivery.id;
    let selection = Selection { delivery: Some(second), ..Selection::default() };
    assert_eq!(stack.app.operator_actions().discard(&selection).await.unwrap(), 1);
    stack.run_until_idle().await;
    stack.toy.always("bot", None);
    stack.advance(seconds(2 * 3_600)).await;
    assert_eq!(stack.toy.heard("bot"), ["one", "three"]);
    assert!(stack.parked("bot").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_of_several_dead_letters_is_redriven() {
    let stack = TestStack::with_bot().await;
    for id in ["a", "b", "c"] {
        let letter = DeadLetter {
            id: id.into(),
            platform: TOY,
            at: stack.clock.now(),
            reason: "crashed".into(),
            group: "leg".into(),
            body: format!("body of {id}"),
        };
        stack.app.store.put_dead_letter(&letter).await.unwrap();
    }
    let actions = stack.app.operator_actions();
    assert_eq!(actions.redrive(Some("none")).await.unwrap(), 0);
    assert_eq!(actions.redrive(Some("b")).await.unwrap(), 1);
    let queued = stack.sqs.messages("test-toy-outbound.fifo");
    assert_eq!(queued.iter().map(|one| one.body.as_str()).collect::<Vec<_>>(), ["body of b"]);
    assert_eq!(queued[0].group.as_deref(), Some("leg"));
    let left: Vec<String> = stack.dead_letters().await.into_iter().map(|one| one.id).collect();
    assert_eq!(left, ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn parked_deliveries_are_summarized_by_number_and_oldest() {
    let stack = with_pending().await;
    let bot = "bot".parse().unwrap();
    let summary = stack.app.store.parked_summary(&bot).await.unwrap();
    assert_eq!((summary.count, summary.since, summary.reason), (0, None, None));
    send_all(&stack).await;
    let summary = stack.app.store.parked_summary(&bot).await.unwrap();
    let parked = stack.parked("bot").await;
    assert_eq!(summary.count, 6);
    assert_eq!(summary.since, parked.iter().map(|one| one.parked_at).min());
    assert!(summary.reason.is_some_and(|reason| reason.contains("503")));
    assert_eq!(stack.app.store.count_failed(&bot).await.unwrap(), 3);
}

/// A stack whose bot has an open breaker and one parked delivery.
async fn with_open_breaker() -> TestStack {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.toy.always("bot", Reply::Status(503));
    stack.send("channel", "c-1", "m-0", message("hi")).await;
    while !stack.breaker("bot").await.is_open() {
        assert!(stack.advance_to_next().await);
    }
    stack
}

#[tokio::test(start_paused = true)]
async fn successful_verification_closes_the_breaker_and_releases_deliveries() {
    let stack = with_open_breaker().await;
    stack.toy.always("bot", None);
    let health = stack.verify("bot").await;
    assert_eq!((health.problem, health.unsupported), (None, None));
    assert!(!stack.breaker("bot").await.is_open());
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
    let stored = stack.app.store.health(&"bot".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.challenge, health.challenge);
}

#[tokio::test(start_paused = true)]
async fn failed_verification_keeps_the_breaker_open_and_names_the_problem() {
    let stack = with_open_breaker().await;
    let health = stack.verify("bot").await;
    assert_eq!(health.problem.as_deref(), Some("Status(503)"));
    assert!(stack.breaker("bot").await.is_open());
    assert_eq!(stack.parked("bot").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn verification_without_a_worker_times_out() {
    let stack = TestStack::with_bot().await;
    let start = stack.clock.now();
    let bot = "bot".parse().unwrap();
    // The result of an earlier verification is not the answer.
    stack.verify("bot").await;
    let result = stack.app.operator_actions().verify(&bot, TOY, 20).await;
    assert!(matches!(result, Err(VerifyError::TimedOut(20))), "{result:?}");
    let waited = stack.clock.now().duration_since(start);
    assert!(waited >= seconds(20) && waited < seconds(22), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn verification_of_a_connection_that_does_not_exist_fails() {
    let stack = TestStack::with_bot().await;
    let gone = "gone".parse().unwrap();
    let work = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        stack.run_until_idle().await;
    };
    let actions = stack.app.operator_actions();
    let (health, ()) = tokio::join!(actions.verify(&gone, TOY, 5), work);
    assert_eq!(health.unwrap().problem.as_deref(), Some("the connection is not configured"));
}
